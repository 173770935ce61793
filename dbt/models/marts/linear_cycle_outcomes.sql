-- One row a cycle. Its issues are those in it, and those that were in it when it closed and went on to another.
with cycles as (
    select
        id,
        team_id,
        number,
        name,
        starts_at,
        ends_at,
        completed_at,
        is_archived,
        uncompleted_issue_ids_upon_close,
        case
            when completed_at is not null then 'completed'
            when starts_at > {{ linear_as_of() }} then 'open'
            when ends_at > {{ linear_as_of() }} then 'active'
            else 'closed'
        end as state
    from {{ ref('stg_linear__cycles') }}
),

closed as (
    select
        *,
        case
            when state in ('completed', 'closed') then coalesce(completed_at, ends_at)
            else {{ linear_as_of() }}
        end as counted_at
    from cycles
),

left_over as (
    {{ linear_elements(ref('stg_linear__cycles'), 'uncompleted_issue_ids_upon_close') }}
),

members as (
    select cycle_id, issue_id, 0 as was_left_over
    from {{ ref('linear_issues') }}
    where cycle_id is not null and not is_deleted

    union all

    select left_over.row_id as cycle_id, issues.issue_id, 1 as was_left_over
    from left_over
    inner join {{ ref('linear_issues') }} as issues on left_over.element = issues.issue_id
    where not issues.is_deleted
),

scope as (
    select cycle_id, issue_id, max(was_left_over) as was_left_over
    from members
    group by cycle_id, issue_id
),

judged as (
    select
        scope.cycle_id,
        coalesce(issues.estimate, 0) as estimate,
        -- When an issue that went on had come into this cycle, Linear does not keep.
        case when issues.cycle_id = scope.cycle_id then coalesce(issues.added_to_cycle_at, issues.created_at)
            else issues.created_at
        end <= closed.starts_at as was_committed,
        case
            when scope.was_left_over = 1 then 'left'
            when issues.completed_at <= closed.counted_at then 'completed'
            when issues.ended_at <= closed.counted_at then 'canceled'
            else 'left'
        end as outcome
    from scope
    inner join closed on scope.cycle_id = closed.id
    inner join {{ ref('linear_issues') }} as issues on scope.issue_id = issues.issue_id
),

counted as (
    select
        cycle_id,
        count(*) as issues,
        count(case when was_committed then 1 end) as committed,
        count(case when outcome = 'completed' then 1 end) as completed,
        count(case when outcome = 'canceled' then 1 end) as canceled,
        count(case when outcome = 'left' then 1 end) as remaining,
        sum(estimate) as points,
        sum(case when outcome = 'completed' then estimate else 0 end) as completed_points
    from judged
    group by cycle_id
)

select
    closed.id as cycle_id,
    closed.team_id,
    teams.key as team_key,
    teams.name as team_name,
    closed.number,
    closed.name,
    closed.starts_at,
    closed.ends_at,
    closed.completed_at,
    closed.state,
    closed.is_archived,
    coalesce(counted.issues, 0) as issues,
    coalesce(counted.committed, 0) as committed,
    coalesce(counted.issues, 0) - coalesce(counted.committed, 0) as added,
    coalesce(counted.completed, 0) as completed,
    coalesce(counted.canceled, 0) as canceled,
    case when closed.state in ('completed', 'closed') then coalesce(counted.remaining, 0) else 0 end
        as carried_over,
    case when closed.state in ('open', 'active') then coalesce(counted.remaining, 0) else 0 end as remaining,
    coalesce(counted.points, 0) as points,
    coalesce(counted.completed_points, 0) as completed_points
from closed
left join counted on closed.id = counted.cycle_id
left join {{ ref('stg_linear__teams') }} as teams on closed.team_id = teams.id
