-- Written by `make docs`, not by hand.
{{ linear_staging(source('linear', 'release_stages'), {
    'id': ('id', 'text'),
    'createdAt': ('created_at', 'timestamp'),
    'updatedAt': ('updated_at', 'timestamp'),
    'archivedAt': ('archived_at', 'timestamp'),
    'color': ('color', 'text'),
    'frozen': ('frozen', 'boolean'),
    'name': ('name', 'text'),
    'position': ('position', 'number'),
    'type': ('type', 'text'),
    'pipelineId': ('pipeline_id', 'text'),
}) }}
