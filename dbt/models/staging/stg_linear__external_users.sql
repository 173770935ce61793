-- Written by `make docs`, not by hand.
{{ linear_staging(source('linear', 'external_users'), {
    'id': ('id', 'text'),
    'createdAt': ('created_at', 'timestamp'),
    'updatedAt': ('updated_at', 'timestamp'),
    'archivedAt': ('archived_at', 'timestamp'),
    'avatarUrl': ('avatar_url', 'text'),
    'displayName': ('display_name', 'text'),
    'email': ('email', 'text'),
    'lastSeen': ('last_seen', 'timestamp'),
    'name': ('name', 'text'),
    'organizationId': ('organization_id', 'text'),
}) }}
