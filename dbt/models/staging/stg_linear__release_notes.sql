-- Written by `make docs`, not by hand.
{{ linear_staging(source('linear', 'release_notes'), {
    'id': ('id', 'text'),
    'createdAt': ('created_at', 'timestamp'),
    'updatedAt': ('updated_at', 'timestamp'),
    'archivedAt': ('archived_at', 'timestamp'),
    'generationStatus': ('generation_status', 'text'),
    'releaseCount': ('release_count', 'number'),
    'slugId': ('slug_id', 'text'),
    'title': ('title', 'text'),
    'url': ('url', 'text'),
    'documentContentId': ('document_content_id', 'text'),
    'firstReleaseId': ('first_release_id', 'text'),
    'lastReleaseId': ('last_release_id', 'text'),
    'pipelineId': ('pipeline_id', 'text'),
    'releaseIds': ('release_ids', 'json'),
}) }}
