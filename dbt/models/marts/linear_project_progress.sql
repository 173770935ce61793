-- One row a project that is not in the trash, with the progress of its issues.
with issues as (
    select
        project_id,
        points,
        completed_at,
        case
            when state_type = 'completed' then 'completed'
            when not is_open then 'canceled'
            when state_type = 'started' then 'started'
            else 'waiting'
        end as progress
    from {{ ref('linear_issues') }}
    where project_id is not null and not is_deleted
),

counted as (
    select
        project_id,
        count(*) as issues,
        count(case when progress = 'completed' then 1 end) as completed,
        count(case when progress = 'started' then 1 end) as started,
        count(case when progress = 'waiting' then 1 end) as waiting,
        count(case when progress = 'canceled' then 1 end) as canceled,
        sum(points) as points,
        sum(case when progress = 'completed' then points else 0 end) as completed_points,
        max(case when progress = 'completed' then completed_at end) as last_completed_at
    from issues
    group by project_id
)

select
    projects.id as project_id,
    projects.name,
    projects.url,
    statuses.name as status_name,
    statuses.type as status_type,
    projects.health,
    projects.lead_id,
    leads.name as lead_name,
    projects.created_at,
    projects.start_date,
    projects.target_date,
    projects.started_at,
    projects.completed_at,
    projects.canceled_at,
    coalesce(counted.issues, 0) as issues,
    coalesce(counted.completed, 0) as completed,
    coalesce(counted.started, 0) as started,
    coalesce(counted.waiting, 0) as waiting,
    coalesce(counted.canceled, 0) as canceled,
    coalesce(counted.points, 0) as points,
    coalesce(counted.completed_points, 0) as completed_points,
    case
        when counted.issues > counted.canceled
            then cast(counted.completed as {{ linear_number_type() }}) / (counted.issues - counted.canceled)
    end as share_completed,
    projects.progress as linear_progress,
    counted.last_completed_at,
    coalesce(
        projects.target_date < {{ linear_day(linear_as_of(), "'UTC'") }}
        and projects.completed_at is null
        and projects.canceled_at is null
        and not projects.is_archived,
        false
    ) as is_overdue,
    projects.is_archived
from {{ ref('stg_linear__projects') }} as projects
left join counted on projects.id = counted.project_id
left join {{ ref('stg_linear__project_statuses') }} as statuses on projects.status_id = statuses.id
left join {{ ref('stg_linear__users') }} as leads on projects.lead_id = leads.id
where not projects.is_deleted
