-- Written by `make docs`, not by hand.
{{ linear_staging(source('linear', 'integrations'), {
    'id': ('id', 'text'),
    'createdAt': ('created_at', 'timestamp'),
    'updatedAt': ('updated_at', 'timestamp'),
    'archivedAt': ('archived_at', 'timestamp'),
    'service': ('service', 'text'),
    'creatorId': ('creator_id', 'text'),
    'organizationId': ('organization_id', 'text'),
    'teamId': ('team_id', 'text'),
}) }}
