-- Written by `make docs`, not by hand.
{{ linear_staging(source('linear', 'customer_tiers'), {
    'id': ('id', 'text'),
    'createdAt': ('created_at', 'timestamp'),
    'updatedAt': ('updated_at', 'timestamp'),
    'archivedAt': ('archived_at', 'timestamp'),
    'color': ('color', 'text'),
    'description': ('description', 'text'),
    'displayName': ('display_name', 'text'),
    'name': ('name', 'text'),
    'position': ('position', 'number'),
}) }}
