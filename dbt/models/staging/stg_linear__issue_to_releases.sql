-- Written by `make docs`, not by hand.
{{ linear_staging(source('linear', 'issue_to_releases'), {
    'id': ('id', 'text'),
    'createdAt': ('created_at', 'timestamp'),
    'updatedAt': ('updated_at', 'timestamp'),
    'archivedAt': ('archived_at', 'timestamp'),
    'issueId': ('issue_id', 'text'),
    'releaseId': ('release_id', 'text'),
}) }}
