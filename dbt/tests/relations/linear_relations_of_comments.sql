-- Written by `make docs`, not by hand.
{%- set severity = var('linear_relation_severity', 'off') %}
{{ config(enabled=severity != 'off', severity='error' if severity == 'error' else 'warn') }}
{{ linear_without_row(
    ref('stg_linear__comments'),
    {
        'initiative_id': ref('stg_linear__initiatives'),
        'initiative_update_id': ref('stg_linear__initiative_updates'),
        'issue_id': ref('stg_linear__issues'),
        'parent_id': ref('stg_linear__comments'),
        'project_id': ref('stg_linear__projects'),
        'project_update_id': ref('stg_linear__project_updates'),
        'resolving_comment_id': ref('stg_linear__comments'),
        'agent_session_id': ref('stg_linear__agent_sessions'),
        'external_user_id': ref('stg_linear__external_users'),
        'on_behalf_of_id': ref('stg_linear__users'),
        'resolving_user_id': ref('stg_linear__users'),
        'user_id': ref('stg_linear__users'),
        'parent_comment_id': ref('stg_linear__comments'),
    },
    {
    },
) }}
