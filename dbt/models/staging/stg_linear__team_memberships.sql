-- Written by `make docs`, not by hand.
{{ linear_staging(source('linear', 'team_memberships'), {
    'id': ('id', 'text'),
    'createdAt': ('created_at', 'timestamp'),
    'updatedAt': ('updated_at', 'timestamp'),
    'archivedAt': ('archived_at', 'timestamp'),
    'owner': ('owner', 'boolean'),
    'sortOrder': ('sort_order', 'number'),
    'teamId': ('team_id', 'text'),
    'userId': ('user_id', 'text'),
}) }}
