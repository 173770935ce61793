-- Written by `make docs`, not by hand.
{%- set severity = var('linear_relation_severity', 'off') %}
{{ config(enabled=severity != 'off', severity='error' if severity == 'error' else 'warn') }}
{{ linear_without_row(
    ref('stg_linear__entity_external_links'),
    {
        'creator_id': ref('stg_linear__users'),
        'project_id': ref('stg_linear__projects'),
        'initiative_id': ref('stg_linear__initiatives'),
        'cycle_id': ref('stg_linear__cycles'),
        'release_id': ref('stg_linear__releases'),
    },
    {
    },
) }}
