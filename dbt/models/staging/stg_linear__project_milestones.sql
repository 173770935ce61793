-- Written by `make docs`, not by hand.
{{ linear_staging(source('linear', 'project_milestones'), {
    'id': ('id', 'text'),
    'createdAt': ('created_at', 'timestamp'),
    'updatedAt': ('updated_at', 'timestamp'),
    'archivedAt': ('archived_at', 'timestamp'),
    'currentProgress': ('current_progress', 'json'),
    'description': ('description', 'text'),
    'descriptionState': ('description_state', 'text'),
    'name': ('name', 'text'),
    'progress': ('progress', 'number'),
    'progressHistory': ('progress_history', 'json'),
    'sortOrder': ('sort_order', 'number'),
    'status': ('status', 'text'),
    'targetDate': ('target_date', 'date'),
    'documentContentId': ('document_content_id', 'text'),
    'projectId': ('project_id', 'text'),
}) }}
