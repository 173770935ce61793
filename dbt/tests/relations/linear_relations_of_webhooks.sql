-- Written by `make docs`, not by hand.
{%- set severity = var('linear_relation_severity', 'off') %}
{{ config(enabled=severity != 'off', severity='error' if severity == 'error' else 'warn') }}
{{ linear_without_row(
    ref('stg_linear__webhooks'),
    {
        'creator_id': ref('stg_linear__users'),
        'team_id': ref('stg_linear__teams'),
    },
    {
        'team_ids': ref('stg_linear__teams'),
    },
) }}
