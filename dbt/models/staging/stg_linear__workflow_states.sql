-- Written by `make docs`, not by hand.
{{ linear_staging(source('linear', 'workflow_states'), {
    'id': ('id', 'text'),
    'createdAt': ('created_at', 'timestamp'),
    'updatedAt': ('updated_at', 'timestamp'),
    'archivedAt': ('archived_at', 'timestamp'),
    'color': ('color', 'text'),
    'description': ('description', 'text'),
    'name': ('name', 'text'),
    'position': ('position', 'number'),
    'type': ('type', 'text'),
    'inheritedFromId': ('inherited_from_id', 'text'),
    'teamId': ('team_id', 'text'),
}) }}
