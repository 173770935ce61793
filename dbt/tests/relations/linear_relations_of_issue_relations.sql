-- Written by `make docs`, not by hand.
{{ config(severity=var('linear_relation_severity', 'warn')) }}
{{ linear_without_row(
    ref('stg_linear__issue_relations'),
    {
        'issue_id': ref('stg_linear__issues'),
        'related_issue_id': ref('stg_linear__issues'),
    },
    {
    },
) }}
