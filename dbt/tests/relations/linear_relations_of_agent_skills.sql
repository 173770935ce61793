-- Written by `make docs`, not by hand.
{%- set severity = var('linear_relation_severity', 'off') %}
{{ config(enabled=severity != 'off', severity='error' if severity == 'error' else 'warn') }}
{{ linear_without_row(
    ref('stg_linear__agent_skills'),
    {
        'team_id': ref('stg_linear__teams'),
        'creator_id': ref('stg_linear__users'),
        'inherited_from_id': ref('stg_linear__agent_skills'),
        'last_updated_by_id': ref('stg_linear__users'),
        'owner_id': ref('stg_linear__users'),
    },
    {
    },
) }}
