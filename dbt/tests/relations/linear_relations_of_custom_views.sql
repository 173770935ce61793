-- Written by `make docs`, not by hand.
{%- set severity = var('linear_relation_severity', 'off') %}
{{ config(enabled=severity != 'off', severity='error' if severity == 'error' else 'warn') }}
{{ linear_without_row(
    ref('stg_linear__custom_views'),
    {
        'creator_id': ref('stg_linear__users'),
        'organization_id': ref('stg_linear__organization'),
        'owner_id': ref('stg_linear__users'),
        'team_id': ref('stg_linear__teams'),
        'updated_by_id': ref('stg_linear__users'),
    },
    {
    },
) }}
