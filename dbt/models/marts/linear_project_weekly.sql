-- One row a project and week from Monday, from its first issue to the current week: its scope when the week ended.
with versions as (
    select
        versions.project_id,
        versions.points,
        case
            when versions.state_type = 'completed' then 'completed'
            when not versions.is_open then 'canceled'
            when versions.state_type = 'started' then 'started'
            else 'waiting'
        end as progress,
        {{ linear_week(linear_local('versions.valid_from', linear_zone('teams.timezone'))) }} as came_in,
        {{ linear_week(linear_local('versions.valid_until', linear_zone('teams.timezone'))) }} as went_in
    from {{ ref('linear_issue_versions') }} as versions
    left join {{ ref('linear_teams') }} as teams on versions.team_id = teams.team_id
    where versions.project_id is not null
),

changes as (
    select project_id, came_in as week_start, progress, 1 as issues, points from versions

    union all

    select project_id, went_in as week_start, progress, -1 as issues, -points as points
    from versions
    where went_in is not null
),

by_week as (
    select
        project_id,
        week_start,
        sum(issues) as scope,
        sum(points) as scope_points
        {%- for progress in ['started', 'completed', 'canceled'] %},
        sum(case when progress = '{{ progress }}' then issues else 0 end) as {{ progress }},
        sum(case when progress = '{{ progress }}' then points else 0 end) as {{ progress }}_points
        {%- endfor %}
    from changes
    group by project_id, week_start
),

firsts as (
    -- A team east of the others' zone may be in the next week already.
    select
        project_id,
        min(week_start) as first_week,
        greatest(max(week_start), {{ linear_week(linear_local(linear_as_of(), linear_zone("'UTC'"))) }}) as last_week
    from by_week
    group by project_id
),

weeks as (
    select firsts.project_id, {{ linear_add_days('firsts.first_week', '7 * numbers.number') }} as week_start
    from firsts
    inner join ({{ linear_numbers() }}) as numbers
        on
            numbers.number * 7
            <= {{ dbt.datediff('firsts.first_week', 'firsts.last_week', 'day') }}
)

select
    weeks.project_id,
    projects.name as project_name,
    weeks.week_start
    {%- for name in ['scope', 'started', 'completed', 'canceled'] %}
    {%- for unit, type in {'': dbt.type_bigint(), '_points': linear_number_type()}.items() %},
    cast(sum(coalesce(by_week.{{ name }}{{ unit }}, 0)) over (
        partition by weeks.project_id order by weeks.week_start rows between unbounded preceding and current row
    ) as {{ type }}) as {{ name }}{{ unit }}
    {%- endfor %}
    {%- endfor %}
from weeks
inner join {{ ref('stg_linear__projects') }} as projects on weeks.project_id = projects.id
left join by_week on weeks.project_id = by_week.project_id and weeks.week_start = by_week.week_start
where not projects.is_deleted
