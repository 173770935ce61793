-- Written by `make docs`, not by hand.
{{ linear_staging(source('linear', 'webhooks'), {
    'id': ('id', 'text'),
    'createdAt': ('created_at', 'timestamp'),
    'updatedAt': ('updated_at', 'timestamp'),
    'archivedAt': ('archived_at', 'timestamp'),
    'allPublicTeams': ('all_public_teams', 'boolean'),
    'enabled': ('enabled', 'boolean'),
    'label': ('label', 'text'),
    'resourceTypes': ('resource_types', 'json'),
    'teamIds': ('team_ids', 'json'),
    'url': ('url', 'text'),
    'creatorId': ('creator_id', 'text'),
    'teamId': ('team_id', 'text'),
    'failures': ('failures', 'json'),
}) }}
