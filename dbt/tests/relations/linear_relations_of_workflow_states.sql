-- Written by `make docs`, not by hand.
{{ config(severity=var('linear_relation_severity', 'warn')) }}
{{ linear_without_row(
    ref('stg_linear__workflow_states'),
    {
        'inherited_from_id': ref('stg_linear__workflow_states'),
        'team_id': ref('stg_linear__teams'),
    },
    {
    },
) }}
