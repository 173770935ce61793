-- Written by `make docs`, not by hand.
{%- set severity = var('linear_relation_severity', 'off') %}
{{ config(enabled=severity != 'off', severity='error' if severity == 'error' else 'warn') }}
{{ linear_without_row(
    ref('stg_linear__project_labels'),
    {
        'creator_id': ref('stg_linear__users'),
        'inherited_from_id': ref('stg_linear__project_labels'),
        'organization_id': ref('stg_linear__organization'),
        'parent_id': ref('stg_linear__project_labels'),
        'retired_by_id': ref('stg_linear__users'),
        'team_id': ref('stg_linear__teams'),
    },
    {
    },
) }}
