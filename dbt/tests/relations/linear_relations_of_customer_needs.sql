-- Written by `make docs`, not by hand.
{%- set severity = var('linear_relation_severity', 'off') %}
{{ config(enabled=severity != 'off', severity='error' if severity == 'error' else 'warn') }}
{{ linear_without_row(
    ref('stg_linear__customer_needs'),
    {
        'attachment_id': ref('stg_linear__attachments'),
        'comment_id': ref('stg_linear__comments'),
        'creator_id': ref('stg_linear__users'),
        'customer_id': ref('stg_linear__customers'),
        'issue_id': ref('stg_linear__issues'),
        'original_issue_id': ref('stg_linear__issues'),
        'project_id': ref('stg_linear__projects'),
    },
    {
    },
) }}
