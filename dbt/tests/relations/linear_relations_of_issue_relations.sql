-- Written by `make docs`, not by hand.
{%- set severity = var('linear_relation_severity', 'off') %}
{{ config(enabled=severity != 'off', severity='error' if severity == 'error' else 'warn') }}
{{ linear_without_row(
    ref('stg_linear__issue_relations'),
    {
        'issue_id': ref('stg_linear__issues'),
        'related_issue_id': ref('stg_linear__issues'),
    },
    {
    },
) }}
