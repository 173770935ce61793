-- One row a cycle and day of it, until today: its scope at the end of the day, beside what Linear says of it.
with cycles as (
    select
        cycles.id,
        cycles.team_id,
        cycles.number,
        cycles.starts_at,
        least(cycles.ends_at, coalesce(cycles.completed_at, cycles.ends_at)) as over_at,
        teams.timezone
    from {{ ref('stg_linear__cycles') }} as cycles
    left join {{ ref('linear_teams') }} as teams on cycles.team_id = teams.team_id
    where cycles.starts_at <= {{ linear_as_of() }}
),

bounded as (
    select
        *,
        {{ linear_day('starts_at', 'timezone') }} as first_day,
        -- A cycle that ends at midnight does not reach into the next day.
        {{ linear_day('least(' ~ dbt.dateadd('second', -1, 'over_at') ~ ', ' ~ linear_as_of() ~ ')', 'timezone') }} as last_day
    from cycles
),

numbers as (
    {{ linear_numbers() }}
),

days as (
    select
        bounded.id as cycle_id,
        bounded.team_id,
        bounded.number,
        numbers.number + 1 as day_number,
        {{ linear_add_days('bounded.first_day', 'numbers.number') }} as day
    from bounded
    inner join numbers
        on numbers.number <= {{ dbt.datediff('bounded.first_day', 'bounded.last_day', 'day') }}
),

-- What changed on which day: each version of an issue in the cycle comes, and goes where the next one begins.
versions as (
    select
        versions.cycle_id,
        {{ linear_day('greatest(versions.valid_from, bounded.starts_at)', 'bounded.timezone') }} as came_on,
        case
            when versions.valid_until < bounded.over_at then {{ linear_day('versions.valid_until', 'bounded.timezone') }}
        end as went_on,
        versions.points,
        case
            when versions.state_type = 'completed' then 'completed'
            when not versions.is_open then 'canceled'
            when versions.state_type = 'started' then 'started'
            else 'waiting'
        end as progress
    from {{ ref('linear_issue_versions') }} as versions
    inner join bounded
        on
            versions.cycle_id = bounded.id
            and versions.valid_from < bounded.over_at
            and (versions.valid_until is null or versions.valid_until > bounded.starts_at)
),

changes as (
    select cycle_id, came_on as day, progress, 1 as issues, points from versions

    union all

    select cycle_id, went_on as day, progress, -1 as issues, -points as points
    from versions
    where went_on is not null
),

by_day as (
    select
        cycle_id,
        day,
        sum(issues) as scope,
        sum(points) as scope_points
        {%- for progress in ['started', 'completed', 'canceled'] %},
        sum(case when progress = '{{ progress }}' then issues else 0 end) as {{ progress }},
        sum(case when progress = '{{ progress }}' then points else 0 end) as {{ progress }}_points
        {%- endfor %}
    from changes
    group by cycle_id, day
),

{%- set series = {
    'linear_scope': 'issue_count_history',
    'linear_scope_points': 'scope_history',
    'linear_started_points': 'in_progress_scope_history',
    'linear_completed': 'completed_issue_count_history',
    'linear_completed_points': 'completed_scope_history',
} %}
{%- for name, column in series.items() %}

{{ name }} as (
    {{ linear_series(ref('stg_linear__cycles'), column) }}
),
{%- endfor %}

figures as (
    select
        days.cycle_id,
        days.team_id,
        days.number,
        days.day,
        cast(days.day_number as {{ dbt.type_bigint() }}) as day_number
        {%- for name in ['scope', 'started', 'completed', 'canceled'] %},
        {%- for unit, type in {'': dbt.type_bigint(), '_points': linear_number_type()}.items() %}
        cast(sum(coalesce(by_day.{{ name }}{{ unit }}, 0)) over (
            partition by days.cycle_id order by days.day rows between unbounded preceding and current row
        ) as {{ type }}) as {{ name }}{{ unit }}{{ ',' if not loop.last }}
        {%- endfor %}
        {%- endfor %}
    from days
    left join by_day on days.cycle_id = by_day.cycle_id and days.day = by_day.day
)

select
    figures.*
    {%- for name in series %},
    {{ name }}.value as {{ name }}
    {%- endfor %}
from figures
{%- for name in series %}
left join {{ name }} on figures.cycle_id = {{ name }}.row_id and figures.day_number = {{ name }}.position
{%- endfor %}
