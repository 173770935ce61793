-- One row a team and day, from the team's first issue to today: issues open at the day's end.
with versions as (
    select
        team_id,
        valid_from,
        valid_until,
        lag(team_id) over (partition by issue_id order by valid_from) as previous_team_id,
        lag(valid_until) over (partition by issue_id order by valid_from) as previous_until,
        lead(team_id) over (partition by issue_id order by valid_from) as next_team_id,
        lead(valid_from) over (partition by issue_id order by valid_from) as next_from
    from {{ ref('linear_issue_versions') }}
    where is_open and team_id is not null
),

changes as (
    select
        versions.team_id,
        {{ linear_day('versions.valid_from', 'teams.timezone') }} as day,
        1 as opened,
        0 as ended
    from versions
    left join {{ ref('linear_teams') }} as teams on versions.team_id = teams.team_id
    where
        not coalesce(
            versions.previous_team_id = versions.team_id and versions.previous_until = versions.valid_from, false
        )

    union all

    select
        versions.team_id,
        {{ linear_day('versions.valid_until', 'teams.timezone') }} as day,
        0 as opened,
        1 as ended
    from versions
    left join {{ ref('linear_teams') }} as teams on versions.team_id = teams.team_id
    where
        versions.valid_until is not null
        and not coalesce(versions.next_team_id = versions.team_id and versions.next_from = versions.valid_until, false)
),

by_day as (
    select team_id, day, sum(opened) as opened, sum(ended) as ended
    from changes
    group by team_id, day
),

firsts as (
    select team_id, min(day) as first_day from {{ ref('linear_team_daily') }} group by team_id
),

days as (
    {{ linear_team_days('firsts') }}
)

select
    days.team_id,
    teams.team_key,
    teams.team_name,
    days.day,
    cast(coalesce(by_day.opened, 0) as {{ dbt.type_bigint() }}) as opened,
    cast(coalesce(by_day.ended, 0) as {{ dbt.type_bigint() }}) as ended,
    cast(
        sum(coalesce(by_day.opened, 0) - coalesce(by_day.ended, 0)) over (
            partition by days.team_id order by days.day rows between unbounded preceding and current row
        ) as {{ dbt.type_bigint() }}
    ) as open_issues
from days
left join by_day on days.team_id = by_day.team_id and days.day = by_day.day
left join {{ ref('linear_teams') }} as teams on days.team_id = teams.team_id
