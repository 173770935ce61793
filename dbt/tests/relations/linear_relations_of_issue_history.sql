-- Written by `make docs`, not by hand.
{%- set severity = var('linear_relation_severity', 'off') %}
{{ config(enabled=severity != 'off', severity='error' if severity == 'error' else 'warn') }}
{{ linear_without_row(
    ref('stg_linear__issue_history'),
    {
        'actor_id': ref('stg_linear__users'),
        'attachment_id': ref('stg_linear__attachments'),
        'customer_need_id': ref('stg_linear__customer_needs'),
        'from_assignee_id': ref('stg_linear__users'),
        'from_cycle_id': ref('stg_linear__cycles'),
        'from_parent_id': ref('stg_linear__issues'),
        'from_project_id': ref('stg_linear__projects'),
        'from_state_id': ref('stg_linear__workflow_states'),
        'from_team_id': ref('stg_linear__teams'),
        'to_assignee_id': ref('stg_linear__users'),
        'to_converted_project_id': ref('stg_linear__projects'),
        'to_cycle_id': ref('stg_linear__cycles'),
        'to_parent_id': ref('stg_linear__issues'),
        'to_project_id': ref('stg_linear__projects'),
        'to_state_id': ref('stg_linear__workflow_states'),
        'to_team_id': ref('stg_linear__teams'),
        'from_delegate_id': ref('stg_linear__users'),
        'from_project_milestone_id': ref('stg_linear__project_milestones'),
        'to_delegate_id': ref('stg_linear__users'),
        'to_project_milestone_id': ref('stg_linear__project_milestones'),
        'triage_responsibility_team_id': ref('stg_linear__teams'),
        'issue_id': ref('stg_linear__issues'),
    },
    {
        'added_label_ids': ref('stg_linear__issue_labels'),
        'added_to_release_ids': ref('stg_linear__releases'),
        'removed_from_release_ids': ref('stg_linear__releases'),
        'removed_label_ids': ref('stg_linear__issue_labels'),
        'description_updated_by_ids': ref('stg_linear__users'),
        'triage_responsibility_notified_user_ids': ref('stg_linear__users'),
    },
) }}
