-- One row an issue and stretch of time that it was in a cycle.
with versions as (
    select
        *,
        case
            when lag(cycle_id) over (partition by issue_id order by valid_from) = cycle_id
                and lag(valid_until) over (partition by issue_id order by valid_from) = valid_from
                then 0
            else 1
        end as is_entry
    from {{ ref('linear_issue_versions') }}
    where cycle_id is not null
),

numbered as (
    select
        *,
        sum(is_entry) over (
            partition by issue_id order by valid_from rows between unbounded preceding and current row
        ) as stretch
    from versions
),

stretches as (
    select
        issue_id,
        stretch,
        max(cycle_id) as cycle_id,
        min(valid_from) as entered_at,
        case when count(valid_until) = count(*) then max(valid_until) end as left_at
    from numbered
    group by issue_id, stretch
),

cycles as (
    select
        id,
        team_id,
        starts_at,
        -- One that somebody ended early is over then. Linear closes one that has run out some minutes later.
        least(ends_at, coalesce(completed_at, ends_at)) as ends_at
    from {{ ref('stg_linear__cycles') }}
),

movers as (
    select issue_id, created_at, to_cycle_id, min(actor_id) as actor_id
    from {{ ref('stg_linear__issue_history') }}
    where to_cycle_id is not null
    group by issue_id, created_at, to_cycle_id
),

last_versions as (
    select issue_id, stretch, is_open
    from (
        select
            issue_id,
            stretch,
            is_open,
            row_number() over (partition by issue_id, stretch order by valid_from desc) as place
        from numbered
    ) as placed
    where place = 1
)

select
    stretches.issue_id,
    stretches.cycle_id,
    cast(stretches.stretch as {{ dbt.type_bigint() }}) as stretch,
    stretches.entered_at,
    stretches.left_at,
    -- Carried over by Linear: it was in the team's cycle that ended, open, and went from there into one that runs.
    -- A person who does that within a day of the end does Linear's work; later it is a choice.
    coalesce(
        earlier.entered_at < ended.ends_at
        and stretches.entered_at >= ended.ends_at
        and stretches.entered_at >= cycles.starts_at
        and last_versions.is_open
        and ended.team_id = cycles.team_id
        and (
            movers.actor_id is null
            or stretches.entered_at < {{ dbt.dateadd('day', 1, 'ended.ends_at') }}
        ),
        false
    ) as is_carried_over
from stretches
left join cycles on stretches.cycle_id = cycles.id
left join stretches as earlier
    on
        stretches.issue_id = earlier.issue_id
        and stretches.entered_at = earlier.left_at
left join cycles as ended on earlier.cycle_id = ended.id
left join last_versions on earlier.issue_id = last_versions.issue_id and earlier.stretch = last_versions.stretch
left join movers
    on
        stretches.issue_id = movers.issue_id
        and stretches.entered_at = movers.created_at
        and stretches.cycle_id = movers.to_cycle_id
