-- One row a team and week from Monday, from the team's first issue to the current week.
with versions as (
    select
        versions.issue_id,
        versions.valid_from,
        versions.team_id,
        teams.timezone,
        {{ linear_week(linear_local('versions.valid_from', linear_zone('teams.timezone'))) }} as week_start,
        versions.is_first,
        versions.points,
        case when versions.state_type = 'duplicate' then 'canceled' else coalesce(versions.state_type, '') end as state_type,
        case
            when versions.is_first then ''
            when versions.previous_state_type = 'duplicate' then 'canceled'
            else coalesce(versions.previous_state_type, '')
        end as previous_state_type
    from {{ ref('linear_issue_versions') }} as versions
    left join {{ ref('linear_teams') }} as teams on versions.team_id = teams.team_id
    where versions.team_id is not null
),

created as (
    select team_id, week_start, count(*) as issues
    from versions
    where is_first
    group by team_id, week_start
),

-- An issue that is completed twice in a week counts once in it.
completions as (
    select
        versions.team_id,
        versions.week_start,
        versions.issue_id,
        max(versions.points) as points,
        max(case
            when versions.valid_from >= issues.first_started_at then {{ linear_duration(
                'issues.first_started_at', 'versions.valid_from', linear_zone('versions.timezone')
            ) }}
        end) as cycle_time_days
    from versions
    inner join {{ ref('linear_issues') }} as issues on versions.issue_id = issues.issue_id
    where versions.state_type = 'completed' and versions.previous_state_type <> 'completed'
    group by versions.team_id, versions.week_start, versions.issue_id
),

completed as (
    select
        team_id,
        week_start,
        count(*) as issues,
        sum(points) as points
    from completions
    group by team_id, week_start
),

times as (
    {{ linear_percentiles(
        'completions', ['team_id', 'week_start'], 'cycle_time_days', {'median_days': 0.5, 'p85_days': 0.85}
    ) }}
),

canceled as (
    select team_id, week_start, count(distinct issue_id) as issues
    from versions
    where state_type = 'canceled' and previous_state_type <> 'canceled'
    group by team_id, week_start
),

reopened as (
    select team_id, week_start, count(distinct issue_id) as issues
    from versions
    where previous_state_type in ('completed', 'canceled') and state_type not in ('completed', 'canceled')
    group by team_id, week_start
),

days as (
    select
        team_id,
        team_key,
        team_name,
        day,
        {{ linear_week('day') }} as week_start,
        sum(case when state_type = 'started' then issues else 0 end) as in_progress
    from {{ ref('linear_team_daily') }}
    group by team_id, team_key, team_name, day
),

weeks as (
    select *, row_number() over (partition by team_id, week_start order by day desc) as place
    from days
)

select
    weeks.team_id,
    weeks.team_key,
    weeks.team_name,
    weeks.week_start,
    {{ linear_add_days('weeks.week_start', '6') }} < {{ linear_day(linear_as_of(), 'teams.timezone') }} as is_complete,
    coalesce(created.issues, 0) as created,
    coalesce(completed.issues, 0) as completed,
    coalesce(completed.points, 0) as completed_points,
    coalesce(canceled.issues, 0) as canceled,
    coalesce(reopened.issues, 0) as reopened,
    cast(weeks.in_progress as {{ dbt.type_bigint() }}) as in_progress,
    times.median_days as median_cycle_time_days,
    times.p85_days as p85_cycle_time_days
from weeks
left join {{ ref('linear_teams') }} as teams on weeks.team_id = teams.team_id
left join created on weeks.team_id = created.team_id and weeks.week_start = created.week_start
left join completed on weeks.team_id = completed.team_id and weeks.week_start = completed.week_start
left join times on weeks.team_id = times.team_id and weeks.week_start = times.week_start
left join canceled on weeks.team_id = canceled.team_id and weeks.week_start = canceled.week_start
left join reopened on weeks.team_id = reopened.team_id and weeks.week_start = reopened.week_start
where weeks.place = 1
