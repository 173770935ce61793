-- Written by `make docs`, not by hand.
{%- set severity = var('linear_relation_severity', 'off') %}
{{ config(enabled=severity != 'off', severity='error' if severity == 'error' else 'warn') }}
{{ linear_without_row(
    ref('stg_linear__issue_state_spans'),
    {
        'state_id': ref('stg_linear__workflow_states'),
        'issue_id': ref('stg_linear__issues'),
    },
    {
    },
) }}
