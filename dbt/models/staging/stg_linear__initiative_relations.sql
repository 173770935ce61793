-- Written by `make docs`, not by hand.
{{ linear_staging(source('linear', 'initiative_relations'), {
    'id': ('id', 'text'),
    'createdAt': ('created_at', 'timestamp'),
    'updatedAt': ('updated_at', 'timestamp'),
    'archivedAt': ('archived_at', 'timestamp'),
    'sortOrder': ('sort_order', 'number'),
    'initiativeId': ('initiative_id', 'text'),
    'relatedInitiativeId': ('related_initiative_id', 'text'),
    'userId': ('user_id', 'text'),
}) }}
