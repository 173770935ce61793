-- One row a user and week in which the user completed an issue: as its assignee of that moment.
with completions as (
    select
        versions.assignee_id,
        versions.issue_id,
        {{ linear_week(linear_local('versions.valid_from', linear_zone('teams.timezone'))) }} as week_start,
        max(versions.points) as points
    from {{ ref('linear_issue_versions') }} as versions
    left join {{ ref('linear_teams') }} as teams on versions.team_id = teams.team_id
    where
        versions.state_type = 'completed'
        and (versions.is_first or coalesce(versions.previous_state_type, '') <> 'completed')
        and versions.assignee_id is not null
    group by 1, 2, 3
)

select
    completions.assignee_id as user_id,
    max(users.name) as user_name,
    completions.week_start,
    count(*) as completed,
    sum(completions.points) as completed_points
from completions
left join {{ ref('stg_linear__users') }} as users on completions.assignee_id = users.id
group by completions.assignee_id, completions.week_start
