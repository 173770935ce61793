-- One row a team, day and type of state: the issues that were in it when the day ended, from the team's first issue on.
with versions as (
    select
        versions.team_id,
        case when versions.is_open or versions.state_type in ('completed', 'canceled', 'duplicate')
            then coalesce(versions.state_type, 'unknown') else 'archived' end as state_type,
        versions.points,
        versions.is_from_dates,
        {{ linear_day('versions.valid_from', 'teams.timezone') }} as came_on,
        {{ linear_day('versions.valid_until', 'teams.timezone') }} as went_on
    from {{ ref('linear_issue_versions') }} as versions
    left join {{ ref('linear_teams') }} as teams on versions.team_id = teams.team_id
    where versions.team_id is not null
),

changes as (
    select team_id, state_type, came_on as day, 1 as issues, points, is_from_dates from versions

    union all

    select team_id, state_type, went_on as day, -1 as issues, -points as points, is_from_dates
    from versions
    where went_on is not null
),

by_day as (
    select team_id, state_type, day, sum(issues) as issues, sum(points) as points,
        sum(case when is_from_dates then issues else 0 end) as issues_from_dates
    from changes
    group by team_id, state_type, day
),

types as (
    select distinct team_id, state_type from by_day
),

firsts as (
    select team_id, min(day) as first_day from by_day group by team_id
),

spine as (
    {{ linear_team_days('firsts') }}
),

days as (
    select spine.team_id, spine.day, types.state_type
    from spine
    inner join types on spine.team_id = types.team_id
)

select
    days.team_id,
    teams.team_key,
    teams.team_name,
    days.day,
    days.state_type,
    {%- for name, type in {'issues': dbt.type_bigint(), 'points': linear_number_type(), 'issues_from_dates': dbt.type_bigint()}.items() %}
    cast(sum(coalesce(by_day.{{ name }}, 0)) over (
        partition by days.team_id, days.state_type order by days.day rows between unbounded preceding and current row
    ) as {{ type }}) as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
from days
left join by_day
    on days.team_id = by_day.team_id and days.state_type = by_day.state_type and days.day = by_day.day
left join {{ ref('linear_teams') }} as teams on days.team_id = teams.team_id
