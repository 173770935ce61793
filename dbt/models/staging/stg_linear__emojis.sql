-- Written by `make docs`, not by hand.
{{ linear_staging(source('linear', 'emojis'), {
    'id': ('id', 'text'),
    'createdAt': ('created_at', 'timestamp'),
    'updatedAt': ('updated_at', 'timestamp'),
    'archivedAt': ('archived_at', 'timestamp'),
    'name': ('name', 'text'),
    'source': ('source', 'text'),
    'url': ('url', 'text'),
    'creatorId': ('creator_id', 'text'),
    'organizationId': ('organization_id', 'text'),
}) }}
