-- Written by `make docs`, not by hand.
{{ linear_staging(source('linear', 'attachments'), {
    'id': ('id', 'text'),
    'createdAt': ('created_at', 'timestamp'),
    'updatedAt': ('updated_at', 'timestamp'),
    'archivedAt': ('archived_at', 'timestamp'),
    'bodyData': ('body_data', 'text'),
    'groupBySource': ('group_by_source', 'boolean'),
    'metadata': ('metadata', 'json'),
    'source': ('source', 'json'),
    'sourceType': ('source_type', 'text'),
    'subtitle': ('subtitle', 'text'),
    'title': ('title', 'text'),
    'url': ('url', 'text'),
    'creatorId': ('creator_id', 'text'),
    'externalUserCreatorId': ('external_user_creator_id', 'text'),
    'issueId': ('issue_id', 'text'),
    'originalIssueId': ('original_issue_id', 'text'),
}) }}
