-- Written by `make docs`, not by hand.
{%- set severity = var('linear_relation_severity', 'off') %}
{{ config(enabled=severity != 'off', severity='error' if severity == 'error' else 'warn') }}
{{ linear_without_row(
    ref('stg_linear__agent_activities'),
    {
        'agent_session_id': ref('stg_linear__agent_sessions'),
        'source_comment_id': ref('stg_linear__comments'),
        'user_id': ref('stg_linear__users'),
    },
    {
    },
) }}
