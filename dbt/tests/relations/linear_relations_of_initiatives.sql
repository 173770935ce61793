-- Written by `make docs`, not by hand.
{%- set severity = var('linear_relation_severity', 'off') %}
{{ config(enabled=severity != 'off', severity='error' if severity == 'error' else 'warn') }}
{{ linear_without_row(
    ref('stg_linear__initiatives'),
    {
        'creator_id': ref('stg_linear__users'),
        'last_update_id': ref('stg_linear__initiative_updates'),
        'lead_team_id': ref('stg_linear__teams'),
        'organization_id': ref('stg_linear__organization'),
        'owner_id': ref('stg_linear__users'),
        'parent_initiative_id': ref('stg_linear__initiatives'),
    },
    {
        'label_ids': ref('stg_linear__initiative_labels'),
    },
) }}
