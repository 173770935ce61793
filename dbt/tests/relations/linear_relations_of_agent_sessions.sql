-- Written by `make docs`, not by hand.
{%- set severity = var('linear_relation_severity', 'off') %}
{{ config(enabled=severity != 'off', severity='error' if severity == 'error' else 'warn') }}
{{ linear_without_row(
    ref('stg_linear__agent_sessions'),
    {
        'app_user_id': ref('stg_linear__users'),
        'comment_id': ref('stg_linear__comments'),
        'creator_id': ref('stg_linear__users'),
        'dismissed_by_id': ref('stg_linear__users'),
        'issue_id': ref('stg_linear__issues'),
        'source_comment_id': ref('stg_linear__comments'),
    },
    {
    },
) }}
