-- One row a team and day, from the team's first issue to today: issues open at the day's end.
with versions as (
    select
        versions.valid_until,
        versions.team_id,
        {{ linear_day('versions.valid_from', 'teams.timezone') }} as began_on,
        {{ linear_day('versions.valid_until', 'teams.timezone') }} as ended_on,
        -- Open in the team already, until then: neither opened nor ended.
        coalesce(
            lag(versions.team_id) over (partition by versions.issue_id order by versions.valid_from) = versions.team_id
            and lag(versions.valid_until) over (partition by versions.issue_id order by versions.valid_from)
            = versions.valid_from,
            false
        ) as goes_on
    from {{ ref('linear_issue_versions') }} as versions
    left join {{ ref('linear_teams') }} as teams on versions.team_id = teams.team_id
    where versions.is_open and versions.team_id is not null
),

changes as (
    select team_id, began_on as day, 1 as began, 0 as ended, case when goes_on then 1 else 0 end as went_on
    from versions

    union all

    select team_id, ended_on as day, 0 as began, 1 as ended, 0 as went_on
    from versions
    where valid_until is not null
),

by_day as (
    select team_id, day, sum(began) - sum(went_on) as opened, sum(ended) - sum(went_on) as ended
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
