-- Written by `make docs`, not by hand.
{{ config(severity=var('linear_relation_severity', 'warn')) }}
{{ linear_without_row(
    ref('stg_linear__external_users'),
    {
        'organization_id': ref('stg_linear__organization'),
    },
    {
    },
) }}
