-- Written by `make docs`, not by hand.
{%- set severity = var('linear_relation_severity', 'off') %}
{{ config(enabled=severity != 'off', severity='error' if severity == 'error' else 'warn') }}
{{ linear_without_row(
    ref('stg_linear__teams'),
    {
        'auto_close_state_id': ref('stg_linear__workflow_states'),
        'restricted_by_id': ref('stg_linear__teams'),
        'active_cycle_id': ref('stg_linear__cycles'),
        'default_issue_state_id': ref('stg_linear__workflow_states'),
        'organization_id': ref('stg_linear__organization'),
        'parent_id': ref('stg_linear__teams'),
        'triage_issue_state_id': ref('stg_linear__workflow_states'),
        'triage_responsibility_id': ref('stg_linear__triage_responsibilities'),
        'parent_team_id': ref('stg_linear__teams'),
    },
    {
        'ancestor_ids': ref('stg_linear__teams'),
    },
) }}
