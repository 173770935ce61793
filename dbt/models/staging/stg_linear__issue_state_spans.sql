-- Written by `make docs`, not by hand.
{{ linear_staging(source('linear', 'issue_state_spans'), {
    'id': ('id', 'text'),
    'endedAt': ('ended_at', 'timestamp'),
    'startedAt': ('started_at', 'timestamp'),
    'stateId': ('state_id', 'text'),
    'issueId': ('issue_id', 'text'),
    'issueUpdatedAt': ('issue_updated_at', 'timestamp'),
    'issueArchivedAt': ('issue_archived_at', 'timestamp'),
}) }}
