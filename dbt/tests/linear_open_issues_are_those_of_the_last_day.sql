-- What is open at the end of the last day is what linear_issues says to be open now.
with last_day as (
    select team_id, max(day) as day
    from {{ ref('linear_daily_open_issues') }}
    group by team_id
),

counted as (
    select team_id, count(case when is_open then 1 end) as open_issues
    from {{ ref('linear_issues') }}
    where not is_deleted and team_id is not null
    group by team_id
)

select days.team_id, days.open_issues, counted.open_issues as open_now
from {{ ref('linear_daily_open_issues') }} as days
inner join last_day on days.team_id = last_day.team_id and days.day = last_day.day
inner join counted on days.team_id = counted.team_id
where days.open_issues <> counted.open_issues
