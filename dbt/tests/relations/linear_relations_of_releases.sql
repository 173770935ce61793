-- Written by `make docs`, not by hand.
{%- set severity = var('linear_relation_severity', 'off') %}
{{ config(enabled=severity != 'off', severity='error' if severity == 'error' else 'warn') }}
{{ linear_without_row(
    ref('stg_linear__releases'),
    {
        'creator_id': ref('stg_linear__users'),
        'pipeline_id': ref('stg_linear__release_pipelines'),
        'release_note_id': ref('stg_linear__release_notes'),
        'stage_id': ref('stg_linear__release_stages'),
    },
    {
    },
) }}
