-- One row a team and day (UTC), from the team's first issue to today: issues open at the day's end.
with issues as (
    select
        team_id,
        team_key,
        team_name,
        cast(created_at as date) as created_on,
        cast(ended_at as date) as ended_on
    from {{ ref('linear_issues') }}
    where not is_deleted and team_id is not null
),

numbers as (
    {{ dbt.generate_series(16384) }}
),

teams as (
    select
        team_id,
        max(team_key) as team_key,
        max(team_name) as team_name,
        min(created_on) as first_day
    from issues
    group by team_id
),

days as (
    select
        teams.team_id,
        teams.team_key,
        teams.team_name,
        {{ linear_add_days('teams.first_day', 'numbers.generated_number - 1') }} as day
    from teams
    cross join numbers
    where
        {{ linear_add_days('teams.first_day', 'numbers.generated_number - 1') }}
        <= cast({{ linear_as_of() }} as date)
),

opened as (
    select team_id, created_on, count(*) as issues
    from issues
    group by team_id, created_on
),

ended as (
    select team_id, ended_on, count(*) as issues
    from issues
    where ended_on is not null
    group by team_id, ended_on
),

changes as (
    select
        days.team_id,
        days.team_key,
        days.team_name,
        days.day,
        coalesce(opened.issues, 0) as opened,
        coalesce(ended.issues, 0) as ended
    from days
    left join opened on days.team_id = opened.team_id and days.day = opened.created_on
    left join ended on days.team_id = ended.team_id and days.day = ended.ended_on
)

select
    team_id,
    team_key,
    team_name,
    day,
    opened,
    ended,
    cast(
        sum(opened - ended) over (
            partition by team_id order by day rows between unbounded preceding and current row
        ) as {{ dbt.type_bigint() }}
    ) as open_issues
from changes
