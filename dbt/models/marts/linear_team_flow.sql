-- One row a team and week (Monday to Sunday, UTC), from the team's first issue to the current week.
with issues as (
    select
        *,
        {{ linear_week('created_at') }} as created_week,
        {{ linear_week('completed_at') }} as completed_week,
        {{ linear_week('canceled_at') }} as canceled_week
    from {{ ref('linear_issues') }}
    where not is_deleted and team_id is not null
),

numbers as (
    {{ dbt.generate_series(4096) }}
),

teams as (
    select
        team_id,
        max(team_key) as team_key,
        max(team_name) as team_name,
        min(created_week) as first_week
    from issues
    group by team_id
),

weeks as (
    select
        teams.team_id,
        teams.team_key,
        teams.team_name,
        {{ linear_add_days('teams.first_week', '7 * (numbers.generated_number - 1)') }} as week_start
    from teams
    cross join numbers
    where
        {{ linear_add_days('teams.first_week', '7 * (numbers.generated_number - 1)') }}
        <= {{ linear_week(linear_as_of()) }}
),

ends as (
    select
        *,
        least(
            cast({{ linear_add_days('week_start', '7') }} as {{ linear_timestamp_type() }}),
            {{ linear_as_of() }}
        ) as week_end
    from weeks
),

created as (
    select team_id, created_week, count(*) as issues
    from issues
    group by team_id, created_week
),

completed as (
    select
        team_id,
        completed_week,
        count(*) as issues,
        {{ linear_percentile('cycle_time_days', 0.5) }} as median_days,
        {{ linear_percentile('cycle_time_days', 0.85) }} as p85_days
    from issues
    where state_type = 'completed'
    group by team_id, completed_week
),

canceled as (
    select team_id, canceled_week, count(*) as issues
    from issues
    where state_type in ('canceled', 'duplicate')
    group by team_id, canceled_week
),

in_progress as (
    select ends.team_id, ends.week_start, count(*) as issues
    from ends
    inner join issues
        on
            ends.team_id = issues.team_id
            and issues.started_at < ends.week_end
            and (issues.ended_at is null or issues.ended_at >= ends.week_end)
    group by ends.team_id, ends.week_start
)

select
    ends.team_id,
    ends.team_key,
    ends.team_name,
    ends.week_start,
    coalesce(created.issues, 0) as created,
    coalesce(completed.issues, 0) as completed,
    coalesce(canceled.issues, 0) as canceled,
    coalesce(in_progress.issues, 0) as in_progress,
    completed.median_days as median_cycle_time_days,
    completed.p85_days as p85_cycle_time_days
from ends
left join created on ends.team_id = created.team_id and ends.week_start = created.created_week
left join completed on ends.team_id = completed.team_id and ends.week_start = completed.completed_week
left join canceled on ends.team_id = canceled.team_id and ends.week_start = canceled.canceled_week
left join in_progress on ends.team_id = in_progress.team_id and ends.week_start = in_progress.week_start
