-- One row an initiative that is not in the trash, with its projects and those of the initiatives below it, added up.
with recursive initiatives as (
    select * from {{ ref('stg_linear__initiatives') }} where not is_deleted
),

-- A circle must still end.
below as (
    select id as initiative_id, id as part_id, 0 as depth from initiatives

    union all

    select below.initiative_id, initiatives.id as part_id, below.depth + 1 as depth
    from below
    inner join initiatives on below.part_id = initiatives.parent_initiative_id
    where below.depth < 20
),

members as (
    select distinct below.initiative_id, links.project_id
    from below
    inner join {{ ref('stg_linear__initiative_to_projects') }} as links on below.part_id = links.initiative_id
    where not links.is_archived
),

counted as (
    select
        members.initiative_id,
        count(*) as projects,
        count(case when projects.status_type = 'completed' then 1 end) as completed_projects,
        sum(projects.issues) as issues,
        sum(projects.completed) as completed,
        sum(projects.canceled) as canceled,
        sum(projects.points) as points,
        sum(projects.completed_points) as completed_points
    from members
    inner join {{ ref('linear_project_progress') }} as projects on members.project_id = projects.project_id
    group by members.initiative_id
)

select
    initiatives.id as initiative_id,
    initiatives.name,
    initiatives.url,
    initiatives.status,
    initiatives.health,
    initiatives.parent_initiative_id,
    initiatives.owner_id,
    owners.name as owner_name,
    initiatives.target_date,
    coalesce(counted.projects, 0) as projects,
    coalesce(counted.completed_projects, 0) as completed_projects,
    {%- for name in ['issues', 'completed', 'canceled'] %}
    cast(coalesce(counted.{{ name }}, 0) as {{ dbt.type_bigint() }}) as {{ name }},
    {%- endfor %}
    coalesce(counted.points, 0) as points,
    coalesce(counted.completed_points, 0) as completed_points,
    case
        when counted.issues > counted.canceled
            then cast(counted.completed as {{ linear_number_type() }})
                / cast(counted.issues - counted.canceled as {{ linear_number_type() }})
    end as share_completed,
    initiatives.is_archived
from initiatives
left join counted on initiatives.id = counted.initiative_id
left join {{ ref('stg_linear__users') }} as owners on initiatives.owner_id = owners.id
