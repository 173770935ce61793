-- Written by `make docs`, not by hand.
{{ linear_staging(source('linear', 'initiative_to_projects'), {
    'id': ('id', 'text'),
    'createdAt': ('created_at', 'timestamp'),
    'updatedAt': ('updated_at', 'timestamp'),
    'archivedAt': ('archived_at', 'timestamp'),
    'sortOrder': ('sort_order', 'text'),
    'initiativeId': ('initiative_id', 'text'),
    'projectId': ('project_id', 'text'),
}) }}
