-- Written by `make docs`, not by hand.
{%- set severity = var('linear_relation_severity', 'off') %}
{{ config(enabled=severity != 'off', severity='error' if severity == 'error' else 'warn') }}
{{ linear_without_row(
    ref('stg_linear__customers'),
    {
        'integration_id': ref('stg_linear__integrations'),
        'owner_id': ref('stg_linear__users'),
        'status_id': ref('stg_linear__customer_statuses'),
        'tier_id': ref('stg_linear__customer_tiers'),
    },
    {
    },
) }}
