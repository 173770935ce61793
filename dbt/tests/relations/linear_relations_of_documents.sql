-- Written by `make docs`, not by hand.
{%- set severity = var('linear_relation_severity', 'off') %}
{{ config(enabled=severity != 'off', severity='error' if severity == 'error' else 'warn') }}
{{ linear_without_row(
    ref('stg_linear__documents'),
    {
        'creator_id': ref('stg_linear__users'),
        'cycle_id': ref('stg_linear__cycles'),
        'initiative_id': ref('stg_linear__initiatives'),
        'issue_id': ref('stg_linear__issues'),
        'owner_id': ref('stg_linear__users'),
        'parent_document_id': ref('stg_linear__documents'),
        'project_id': ref('stg_linear__projects'),
        'release_id': ref('stg_linear__releases'),
        'team_id': ref('stg_linear__teams'),
        'updated_by_id': ref('stg_linear__users'),
    },
    {
        'subscriber_ids': ref('stg_linear__users'),
    },
) }}
