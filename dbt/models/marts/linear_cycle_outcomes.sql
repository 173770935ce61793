-- One row a cycle: what it began with, what came in and went out, and what had become of it when it closed.
with cycles as (
    select
        *,
        case
            when completed_at <= {{ linear_as_of() }} then 'completed'
            when starts_at > {{ linear_as_of() }} then 'open'
            when ends_at > {{ linear_as_of() }} then 'active'
            else 'closed'
        end as state,
        least(ends_at, coalesce(completed_at, ends_at)) as over_at
    from {{ ref('stg_linear__cycles') }}
),

closed as (
    select
        *,
        state in ('completed', 'closed') as is_over,
        case when state in ('completed', 'closed') then coalesce(completed_at, ends_at) else {{ linear_as_of() }} end
            as counted_at
    from cycles
),

-- Stretches that reach into the time of the cycle. Before a cycle begins, all that is in it is planned.
stretches as (
    select
        spent.issue_id,
        spent.cycle_id,
        spent.stretch,
        spent.entered_at,
        spent.left_at,
        spent.is_carried_over or spent.entered_at <= closed.starts_at or closed.state = 'open' as is_committed,
        closed.starts_at,
        closed.over_at,
        closed.counted_at
    from {{ ref('linear_issue_cycles') }} as spent
    inner join closed on spent.cycle_id = closed.id
    where
        (spent.left_at is null or spent.left_at > closed.starts_at)
        and (spent.entered_at < closed.over_at or spent.is_carried_over)
        and spent.entered_at <= closed.counted_at
),

members as (
    select
        cycle_id,
        issue_id,
        max(case when is_committed then 1 else 0 end) as was_committed,
        min(case when is_committed then stretch end) as committed_in,
        min(stretch) as first_stretch,
        max(stretch) as last_stretch
    from stretches
    group by cycle_id, issue_id
),

-- The moments at which an issue is looked at: when it came, and when it left or the cycle closed.
looks as (
    select
        members.cycle_id,
        members.issue_id,
        members.was_committed,
        'came' as look,
        stretches.stretch,
        case
            when stretches.entered_at > stretches.starts_at then stretches.entered_at
            else least(stretches.starts_at, stretches.counted_at)
        end as looked_at,
        false as is_removed
    from members
    inner join stretches
        on
            members.cycle_id = stretches.cycle_id
            and members.issue_id = stretches.issue_id
            and coalesce(members.committed_in, members.first_stretch) = stretches.stretch

    union all

    select
        members.cycle_id,
        members.issue_id,
        members.was_committed,
        'ended' as look,
        stretches.stretch,
        least(coalesce(stretches.left_at, stretches.counted_at), stretches.counted_at) as looked_at,
        coalesce(stretches.left_at < stretches.over_at and stretches.left_at <= stretches.counted_at, false) as is_removed
    from members
    inner join stretches
        on
            members.cycle_id = stretches.cycle_id
            and members.issue_id = stretches.issue_id
            and members.last_stretch = stretches.stretch
),

-- What it was then: the last version in the cycle that had begun.
seen as (
    select
        looks.cycle_id,
        looks.issue_id,
        looks.was_committed,
        looks.look,
        looks.is_removed,
        versions.state_type,
        versions.is_open,
        versions.points,
        versions.has_gaps,
        row_number() over (
            partition by looks.cycle_id, looks.issue_id, looks.look order by versions.valid_from desc
        ) as place
    from looks
    inner join {{ ref('linear_issue_versions') }} as versions
        on
            looks.issue_id = versions.issue_id
            and looks.cycle_id = versions.cycle_id
            and versions.valid_from <= looks.looked_at
),

judged as (
    select
        cycle_id,
        was_committed,
        look,
        points,
        has_gaps,
        case
            when look = 'came' and was_committed = 1 then 'committed'
            when look = 'came' then 'added'
            when is_removed then 'removed'
            when state_type = 'completed' then 'completed'
            when not is_open then 'canceled'
            else 'left'
        end as outcome
    from seen
    where place = 1
),

counted as (
    select
        cycle_id,
        {%- for outcome in ['committed', 'added', 'removed', 'completed', 'canceled', 'left'] %}
        count(case when outcome = '{{ outcome }}' then 1 end) as issues_{{ outcome }},
        sum(case when outcome = '{{ outcome }}' then points else 0 end) as points_{{ outcome }},
        {%- endfor %}
        max(case when has_gaps then 1 else 0 end) as has_gaps
    from judged
    group by cycle_id
),

history as (
    select count(*) > 0 as is_synced from {{ ref('stg_linear__issue_history') }}
)

select
    closed.id as cycle_id,
    closed.team_id,
    teams.team_key,
    teams.team_name,
    closed.number,
    closed.name,
    closed.starts_at,
    closed.ends_at,
    closed.completed_at,
    closed.state,
    closed.is_archived,
    case
        when not history.is_synced then 'not synced'
        when coalesce(counted.has_gaps, 0) = 1 then 'with gaps'
        else 'complete'
    end as history,
    {%- for unit in ['issues', 'points'] %}
    {%- set after = '' if unit == 'issues' else '_points' %}
    {%- set type = dbt.type_bigint() if unit == 'issues' else linear_number_type() %}
    {%- for outcome in ['committed', 'added', 'removed'] %}
    case when history.is_synced then coalesce(cast(counted.{{ unit }}_{{ outcome }} as {{ type }}), 0) end
        as {{ outcome }}{{ after }},
    {%- endfor %}
    {%- for outcome in ['completed', 'canceled'] %}
    coalesce(cast(counted.{{ unit }}_{{ outcome }} as {{ type }}), 0) as {{ outcome }}{{ after }},
    {%- endfor %}
    case
        when not closed.is_over then 0
        when history.is_synced then coalesce(cast(counted.{{ unit }}_left as {{ type }}), 0)
    end as carried_over{{ after }},
    case when closed.is_over then 0 else coalesce(cast(counted.{{ unit }}_left as {{ type }}), 0) end
        as remaining{{ after }},
    {%- endfor %}
    case
        when history.is_synced then coalesce(counted.issues_committed, 0) + coalesce(counted.issues_added, 0)
    end as issues,
    case
        when history.is_synced
            then coalesce(
                counted.points_completed + counted.points_canceled + counted.points_removed + counted.points_left, 0
            )
    end as points
from closed
cross join history
left join counted on closed.id = counted.cycle_id
left join {{ ref('linear_teams') }} as teams on closed.team_id = teams.team_id
