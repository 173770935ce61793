-- Written by `make docs`, not by hand.
{%- set severity = var('linear_relation_severity', 'off') %}
{{ config(enabled=severity != 'off', severity='error' if severity == 'error' else 'warn') }}
{{ linear_without_row(
    ref('stg_linear__projects'),
    {
        'lead_team_id': ref('stg_linear__teams'),
        'converted_from_issue_id': ref('stg_linear__issues'),
        'creator_id': ref('stg_linear__users'),
        'last_update_id': ref('stg_linear__project_updates'),
        'lead_id': ref('stg_linear__users'),
        'status_id': ref('stg_linear__project_statuses'),
    },
    {
        'label_ids': ref('stg_linear__project_labels'),
        'team_ids': ref('stg_linear__teams'),
        'member_ids': ref('stg_linear__users'),
    },
) }}
