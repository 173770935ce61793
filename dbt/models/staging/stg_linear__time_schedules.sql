-- Written by `make docs`, not by hand.
{{ linear_staging(source('linear', 'time_schedules'), {
    'id': ('id', 'text'),
    'createdAt': ('created_at', 'timestamp'),
    'updatedAt': ('updated_at', 'timestamp'),
    'archivedAt': ('archived_at', 'timestamp'),
    'externalId': ('external_id', 'text'),
    'externalUrl': ('external_url', 'text'),
    'name': ('name', 'text'),
    'integrationId': ('integration_id', 'text'),
    'organizationId': ('organization_id', 'text'),
    'config': ('config', 'json'),
    'entries': ('entries', 'json'),
}) }}
