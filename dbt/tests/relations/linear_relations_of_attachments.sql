-- Written by `make docs`, not by hand.
{%- set severity = var('linear_relation_severity', 'off') %}
{{ config(enabled=severity != 'off', severity='error' if severity == 'error' else 'warn') }}
{{ linear_without_row(
    ref('stg_linear__attachments'),
    {
        'creator_id': ref('stg_linear__users'),
        'external_user_creator_id': ref('stg_linear__external_users'),
        'issue_id': ref('stg_linear__issues'),
        'original_issue_id': ref('stg_linear__issues'),
    },
    {
    },
) }}
