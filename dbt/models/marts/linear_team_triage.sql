-- One row a team and week in which an issue came into its triage or left it.
with versions as (
    select
        versions.team_id,
        versions.issue_id,
        versions.state_type,
        versions.is_first,
        versions.previous_state_type,
        {{ linear_week(linear_local('versions.valid_from', linear_zone('teams.timezone'))) }} as week_start
    from {{ ref('linear_issue_versions') }} as versions
    left join {{ ref('linear_teams') }} as teams on versions.team_id = teams.team_id
    where versions.team_id is not null
),

moves as (
    select
        team_id,
        week_start,
        case when state_type = 'triage' then 1 else 0 end as entered,
        case when state_type <> 'triage' and state_type not in ('canceled', 'duplicate') then 1 else 0 end as accepted,
        case when state_type in ('canceled', 'duplicate') then 1 else 0 end as declined
    from versions
    where
        (state_type = 'triage' and (is_first or coalesce(previous_state_type, '') <> 'triage'))
        or (state_type <> 'triage' and not is_first and previous_state_type = 'triage')
)

select
    moves.team_id,
    max(teams.team_name) as team_name,
    moves.week_start,
    cast(sum(moves.entered) as {{ dbt.type_bigint() }}) as entered,
    cast(sum(moves.accepted) as {{ dbt.type_bigint() }}) as accepted,
    cast(sum(moves.declined) as {{ dbt.type_bigint() }}) as declined
from moves
left join {{ ref('linear_teams') }} as teams on moves.team_id = teams.team_id
group by moves.team_id, moves.week_start
