-- Written by `make docs`, not by hand.
{{ config(severity=var('linear_relation_severity', 'warn')) }}
{{ linear_without_row(
    ref('stg_linear__webhooks'),
    {
        'creator_id': ref('stg_linear__users'),
        'team_id': ref('stg_linear__teams'),
    },
    {
        'team_ids': ref('stg_linear__teams'),
    },
) }}
