-- Written by `make docs`, not by hand.
{{ linear_staging(source('linear', 'initiative_labels'), {
    'id': ('id', 'text'),
    'createdAt': ('created_at', 'timestamp'),
    'updatedAt': ('updated_at', 'timestamp'),
    'archivedAt': ('archived_at', 'timestamp'),
    'color': ('color', 'text'),
    'description': ('description', 'text'),
    'groupType': ('group_type', 'text'),
    'isGroup': ('is_group', 'boolean'),
    'lastAppliedAt': ('last_applied_at', 'timestamp'),
    'name': ('name', 'text'),
    'retiredAt': ('retired_at', 'timestamp'),
    'creatorId': ('creator_id', 'text'),
    'organizationId': ('organization_id', 'text'),
    'parentId': ('parent_id', 'text'),
    'retiredById': ('retired_by_id', 'text'),
}) }}
