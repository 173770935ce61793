-- Written by `make docs`, not by hand.
{%- set severity = var('linear_relation_severity', 'off') %}
{{ config(enabled=severity != 'off', severity='error' if severity == 'error' else 'warn') }}
{{ linear_without_row(
    ref('stg_linear__release_notes'),
    {
        'first_release_id': ref('stg_linear__releases'),
        'last_release_id': ref('stg_linear__releases'),
        'pipeline_id': ref('stg_linear__release_pipelines'),
    },
    {
        'release_ids': ref('stg_linear__releases'),
    },
) }}
