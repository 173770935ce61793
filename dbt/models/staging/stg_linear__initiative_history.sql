-- Written by `make docs`, not by hand.
{{ linear_staging(source('linear', 'initiative_history'), {
    'id': ('id', 'text'),
    'createdAt': ('created_at', 'timestamp'),
    'updatedAt': ('updated_at', 'timestamp'),
    'archivedAt': ('archived_at', 'timestamp'),
    'entries': ('entries', 'json'),
    'initiativeId': ('initiative_id', 'text'),
}) }}
