-- Written by `make docs`, not by hand.
{{ linear_staging(source('linear', 'project_relations'), {
    'id': ('id', 'text'),
    'createdAt': ('created_at', 'timestamp'),
    'updatedAt': ('updated_at', 'timestamp'),
    'archivedAt': ('archived_at', 'timestamp'),
    'anchorType': ('anchor_type', 'text'),
    'relatedAnchorType': ('related_anchor_type', 'text'),
    'type': ('type', 'text'),
    'projectId': ('project_id', 'text'),
    'projectMilestoneId': ('project_milestone_id', 'text'),
    'relatedProjectId': ('related_project_id', 'text'),
    'relatedProjectMilestoneId': ('related_project_milestone_id', 'text'),
    'userId': ('user_id', 'text'),
}) }}
