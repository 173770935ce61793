-- Written by `make docs`, not by hand.
{%- set severity = var('linear_relation_severity', 'off') %}
{{ config(enabled=severity != 'off', severity='error' if severity == 'error' else 'warn') }}
{{ linear_without_row(
    ref('stg_linear__issues'),
    {
        'asks_external_user_requester_id': ref('stg_linear__external_users'),
        'asks_requester_id': ref('stg_linear__users'),
        'assignee_id': ref('stg_linear__users'),
        'creator_id': ref('stg_linear__users'),
        'cycle_id': ref('stg_linear__cycles'),
        'delegate_id': ref('stg_linear__users'),
        'external_user_creator_id': ref('stg_linear__external_users'),
        'parent_id': ref('stg_linear__issues'),
        'project_id': ref('stg_linear__projects'),
        'project_milestone_id': ref('stg_linear__project_milestones'),
        'snoozed_by_id': ref('stg_linear__users'),
        'source_comment_id': ref('stg_linear__comments'),
        'state_id': ref('stg_linear__workflow_states'),
        'team_id': ref('stg_linear__teams'),
        'milestone_id': ref('stg_linear__project_milestones'),
    },
    {
        'label_ids': ref('stg_linear__issue_labels'),
        'subscriber_ids': ref('stg_linear__users'),
        'attachment_ids': ref('stg_linear__attachments'),
        'relation_ids': ref('stg_linear__issue_relations'),
    },
) }}
