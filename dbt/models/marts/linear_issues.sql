-- One row an issue, those in the trash too, with the names of what it belongs to and its times.
with recursive issues as (
    select
        issues.id,
        issues.identifier,
        issues.title,
        issues.url,
        issues.priority,
        issues.priority_label,
        issues.estimate,
        issues.due_date,
        issues.team_id,
        issues.state_id,
        states.name as state_name,
        states.type as state_type,
        issues.assignee_id,
        issues.creator_id,
        issues.project_id,
        issues.project_milestone_id,
        issues.cycle_id,
        issues.parent_id,
        issues.created_at,
        issues.updated_at,
        issues.started_triage_at,
        issues.triaged_at,
        issues.started_at,
        issues.completed_at,
        issues.canceled_at,
        issues.archived_at,
        issues.added_to_cycle_at,
        issues.sla_started_at,
        issues.sla_breaches_at,
        not issues.is_archived
        and coalesce(states.type, '') not in ('completed', 'canceled', 'duplicate')
        and (states.type is not null or coalesce(issues.completed_at, issues.canceled_at) is null) as is_open,
        issues.is_archived,
        issues.is_deleted
    from {{ ref('stg_linear__issues') }} as issues
    left join {{ ref('stg_linear__workflow_states') }} as states on issues.state_id = states.id
),

children as (
    select id, parent_id, project_id from issues where parent_id is not null
),

-- Sub-issues, from those of issues without a parent downwards. What has no way up to one (a circle) has no depth.
descent as (
    select
        children.id,
        children.project_id,
        1 as depth,
        case
            when children.project_id = parents.project_id then 2
            when children.project_id is not null then 1
        end as project_depth
    from children
    left join issues as parents on children.parent_id = parents.id
    where parents.parent_id is null

    union all

    select
        children.id,
        children.project_id,
        descent.depth + 1 as depth,
        case
            when children.project_id = descent.project_id then descent.project_depth + 1
            when children.project_id is not null then 1
        end as project_depth
    from children
    inner join descent on children.parent_id = descent.id
),

labels as (
    select issue_id, {{ dbt.listagg('label_name', "', '", 'order by label_name') }} as label_names
    from {{ ref('linear_issue_labels') }}
    group by issue_id
),

comments as (
    select issue_id, count(*) as comments from {{ ref('stg_linear__comments') }} where issue_id is not null group by issue_id
),

lives as (
    select
        versions.issue_id,
        min(case when versions.state_type = 'started' then versions.valid_from end) as first_started_at,
        min(case when versions.state_type = 'completed' then versions.valid_from end) as first_completed_at,
        count(case
            when versions.is_open and versions.previous_state_type in ('completed', 'canceled', 'duplicate') then 1
        end) as times_reopened,
        sum(case
            when versions.state_type = 'started' and versions.is_open
                then {{ linear_duration(
                    'versions.valid_from',
                    'coalesce(versions.valid_until, ' ~ linear_as_of() ~ ')',
                    linear_zone('teams.timezone')
                ) }}
            else 0
        end) as active_days
    from {{ ref('linear_issue_versions') }} as versions
    left join {{ ref('linear_teams') }} as teams on versions.team_id = teams.team_id
    group by versions.issue_id
),

-- What Linear last said of a breach: an SLA that is moved is no longer breached.
breaches as (
    select issue_id, to_sla_breached
    from (
        select
            issue_id,
            to_sla_breached,
            row_number() over (partition by issue_id order by created_at desc, id desc) as place
        from {{ ref('stg_linear__issue_history') }}
        where to_sla_breached is not null
    ) as told
    where place = 1
)

select
    issues.id as issue_id,
    issues.identifier,
    issues.title,
    issues.url,
    issues.priority,
    issues.priority_label,
    issues.estimate,
    coalesce(issues.estimate, teams.default_points, 1) as points,
    issues.due_date,
    issues.team_id,
    teams.team_key,
    teams.team_name,
    issues.state_id,
    issues.state_name,
    issues.state_type,
    issues.assignee_id,
    assignees.name as assignee_name,
    issues.creator_id,
    creators.name as creator_name,
    issues.project_id,
    projects.name as project_name,
    issues.project_milestone_id,
    milestones.name as project_milestone_name,
    issues.cycle_id,
    cycles.number as cycle_number,
    cycles.name as cycle_name,
    labels.label_names,
    -- Where there is no comment at all, they were not synced.
    case
        when (select count(*) from {{ ref('stg_linear__comments') }}) > 0
            then cast(coalesce(comments.comments, 0) as {{ dbt.type_bigint() }})
    end as comments,
    issues.parent_id,
    parents.identifier as parent_identifier,
    issues.parent_id is not null as is_sub_issue,
    cast(case when issues.parent_id is null then 0 else descent.depth end as {{ dbt.type_bigint() }}) as depth,
    cast(
        case
            when issues.parent_id is not null then descent.project_depth
            when issues.project_id is not null then 1
        end as {{ dbt.type_bigint() }}
    ) as project_depth,
    issues.created_at,
    issues.updated_at,
    issues.started_triage_at,
    issues.triaged_at,
    issues.started_at,
    issues.completed_at,
    issues.canceled_at,
    issues.archived_at,
    issues.added_to_cycle_at,
    case
        when not issues.is_open then greatest(
            issues.created_at,
            coalesce(issues.completed_at, issues.canceled_at, issues.archived_at, issues.updated_at)
        )
    end as ended_at,
    lives.first_started_at,
    lives.first_completed_at,
    coalesce(lives.times_reopened, 0) as times_reopened,
    case
        when issues.completed_at >= issues.created_at
            then {{ linear_duration('issues.created_at', 'issues.completed_at', linear_zone('teams.timezone')) }}
    end as lead_time_days,
    case
        when issues.completed_at >= issues.started_at
            then {{ linear_duration('issues.started_at', 'issues.completed_at', linear_zone('teams.timezone')) }}
    end as cycle_time_days,
    lives.active_days,
    case
        when issues.triaged_at >= coalesce(issues.started_triage_at, issues.created_at)
            then {{ linear_duration(
                'coalesce(issues.started_triage_at, issues.created_at)', 'issues.triaged_at', linear_zone('teams.timezone')
            ) }}
    end as triage_time_days,
    issues.sla_started_at,
    issues.sla_breaches_at,
    case
        when breaches.to_sla_breached then 'breached'
        when issues.sla_breaches_at is null then null
        when coalesce(issues.completed_at, issues.canceled_at, {{ linear_as_of() }}) > issues.sla_breaches_at
            then 'breached'
        when coalesce(issues.completed_at, issues.canceled_at) is not null then 'kept'
        else 'running'
    end as sla_status,
    issues.is_open,
    issues.is_archived,
    issues.is_deleted
from issues
left join descent on issues.id = descent.id
left join labels on issues.id = labels.issue_id
left join issues as parents on issues.parent_id = parents.id
left join {{ ref('linear_teams') }} as teams on issues.team_id = teams.team_id
left join comments on issues.id = comments.issue_id
left join lives on issues.id = lives.issue_id
left join breaches on issues.id = breaches.issue_id
left join {{ ref('stg_linear__users') }} as assignees on issues.assignee_id = assignees.id
left join {{ ref('stg_linear__users') }} as creators on issues.creator_id = creators.id
left join {{ ref('stg_linear__projects') }} as projects on issues.project_id = projects.id
left join {{ ref('stg_linear__project_milestones') }} as milestones
    on issues.project_milestone_id = milestones.id
left join {{ ref('stg_linear__cycles') }} as cycles on issues.cycle_id = cycles.id
