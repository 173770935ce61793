-- Written by `make docs`, not by hand.
{{ config(severity=var('linear_relation_severity', 'warn')) }}
{{ linear_without_row(
    ref('stg_linear__organization_invites'),
    {
        'invitee_id': ref('stg_linear__users'),
        'inviter_id': ref('stg_linear__users'),
        'organization_id': ref('stg_linear__organization'),
    },
    {
    },
) }}
