-- Written by `make docs`, not by hand.
{{ linear_staging(source('linear', 'issue_relations'), {
    'id': ('id', 'text'),
    'createdAt': ('created_at', 'timestamp'),
    'updatedAt': ('updated_at', 'timestamp'),
    'archivedAt': ('archived_at', 'timestamp'),
    'type': ('type', 'text'),
    'issueId': ('issue_id', 'text'),
    'relatedIssueId': ('related_issue_id', 'text'),
}) }}
