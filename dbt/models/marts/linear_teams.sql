-- One row a team, with what an issue without estimate counts in it.
with recursive teams as (
    select * from {{ ref('stg_linear__teams') }}
),

-- From teams with estimation settings of their own down to those that inherit them.
settings as (
    select teams.id, teams.default_issue_estimate
    from teams
    left join teams as parents on teams.parent_id = parents.id
    where parents.id is null or not coalesce(teams.inherit_issue_estimation, false)

    union all

    select teams.id, settings.default_issue_estimate
    from teams
    inner join settings on teams.parent_id = settings.id
    where teams.inherit_issue_estimation
)

select
    teams.id as team_id,
    teams.key as team_key,
    teams.name as team_name,
    teams.parent_id as parent_team_id,
    coalesce(settings.default_issue_estimate, teams.default_issue_estimate, 1) as default_points,
    coalesce(teams.timezone, 'UTC') as timezone,
    teams.is_archived
from teams
left join settings on teams.id = settings.id
