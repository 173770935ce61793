-- Written by `make docs`, not by hand.
{{ linear_staging(source('linear', 'project_statuses'), {
    'id': ('id', 'text'),
    'createdAt': ('created_at', 'timestamp'),
    'updatedAt': ('updated_at', 'timestamp'),
    'archivedAt': ('archived_at', 'timestamp'),
    'color': ('color', 'text'),
    'description': ('description', 'text'),
    'indefinite': ('indefinite', 'boolean'),
    'name': ('name', 'text'),
    'position': ('position', 'number'),
    'teamId': ('team_id', 'text'),
    'type': ('type', 'text'),
    'inheritedFromId': ('inherited_from_id', 'text'),
}) }}
