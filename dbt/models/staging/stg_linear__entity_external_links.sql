-- Written by `make docs`, not by hand.
{{ linear_staging(source('linear', 'entity_external_links'), {
    'id': ('id', 'text'),
    'createdAt': ('created_at', 'timestamp'),
    'updatedAt': ('updated_at', 'timestamp'),
    'archivedAt': ('archived_at', 'timestamp'),
    'label': ('label', 'text'),
    'sortOrder': ('sort_order', 'number'),
    'url': ('url', 'text'),
    'creatorId': ('creator_id', 'text'),
    'projectId': ('project_id', 'text'),
    'initiativeId': ('initiative_id', 'text'),
    'cycleId': ('cycle_id', 'text'),
    'releaseId': ('release_id', 'text'),
}) }}
