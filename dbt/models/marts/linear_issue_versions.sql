-- One row an issue and stretch of time in which its state, team, cycle, assignee, project and estimate stayed the same.
--
-- The state is that of its spans. Every other value is what the next change says that it was, or what it is now.
{%- set fields = ['team', 'cycle', 'assignee', 'project', 'estimate'] %}
{#- Of what happened at one moment, the change of the state comes last. -#}
{%- set order = 'is_first desc, moment, case when state is null then 0 else 1 end, tie' %}
{#- Of spans that began at one moment, the one that lasts comes last. -#}
{%- set span_order %}told.started_at, case when told.ended_at is null then 1 else 0 end, told.ended_at, told.id{% endset %}
with issues as (
    select
        id as issue_id,
        identifier,
        created_at,
        started_at,
        archived_at,
        added_to_cycle_at,
        is_deleted,
        state_id,
        completed_at,
        coalesce(completed_at, canceled_at) as ended_at,
        updated_at,
        team_id as team_now,
        cycle_id as cycle_now,
        assignee_id as assignee_now,
        project_id as project_now,
        cast(estimate as {{ dbt.type_string() }}) as estimate_now
    from {{ ref('stg_linear__issues') }}
),

states as (
    select id, name, type from {{ ref('stg_linear__workflow_states') }}
),

history as (
    select
        id,
        issue_id,
        created_at,
        archived,
        trashed,
        {%- for field in fields %}
        {%- set column = field if field == 'estimate' else field ~ '_id' %}
        coalesce(cast(from_{{ column }} as {{ dbt.type_string() }}), '') as {{ field }}_from,
        coalesce(cast(to_{{ column }} as {{ dbt.type_string() }}), '') as {{ field }}_to
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from {{ ref('stg_linear__issue_history') }}
),

changes as (
    select *
    from history
    where {% for field in fields %}{% if not loop.first %} or {% endif %}{{ field }}_from <> {{ field }}_to{% endfor %}
),

-- All spans of an issue come together: those that did not come with the newest, Linear has taken back.
sent as (
    select issue_id, max(issue_updated_at) as newest
    from {{ ref('stg_linear__issue_state_spans') }}
    group by issue_id
),

spans as (
    select
        told.id,
        told.issue_id,
        told.state_id,
        told.started_at,
        told.ended_at,
        row_number() over (partition by told.issue_id order by {{ span_order }}) as position,
        lead(told.id) over (partition by told.issue_id order by {{ span_order }}) as next_id
    from {{ ref('stg_linear__issue_state_spans') }} as told
    inner join sent on told.issue_id = sent.issue_id
    where sent.newest is null or told.issue_updated_at = sent.newest
),

-- Of an issue without spans, its dates tell whether it was started and when it ended.
without_spans as (
    select
        issues.issue_id,
        issues.created_at,
        issues.started_at,
        case
            when states.type in ('completed', 'canceled', 'duplicate') then coalesce(issues.ended_at, issues.updated_at)
            else issues.ended_at
        end as ended_at,
        issues.state_id,
        case
            when states.type in ('completed', 'canceled', 'duplicate') then issues.state_id
            when issues.completed_at is not null then '@completed'
            else '@canceled'
        end as end_state
    from issues
    left join spans on issues.issue_id = spans.issue_id and spans.position = 1
    left join states on issues.state_id = states.id
    where spans.issue_id is null
),

-- The first state is that of the issue's creation.
entered as (
    select
        spans.issue_id,
        lpad(cast(spans.position as {{ dbt.type_string() }}), 8, '0') as id,
        case when spans.position = 1 then issues.created_at else spans.started_at end as moment,
        case when spans.position = 1 then 1 else 0 end as is_first,
        spans.state_id as state
    from spans
    inner join issues on spans.issue_id = issues.issue_id

    union all

    -- A last span that is over: what came after it is not told, but what the issue is in now.
    select spans.issue_id, '~', spans.ended_at, 0, issues.state_id
    from spans
    inner join issues on spans.issue_id = issues.issue_id
    where spans.next_id is null and spans.ended_at is not null

    union all

    select issue_id, '1', created_at, 1,
        case when started_at is null and ended_at is null then state_id else '@unknown' end
    from without_spans

    union all

    select issue_id, '2', started_at, 0, '@started'
    from without_spans
    where started_at is not null

    union all

    select issue_id, '3', ended_at, 0, end_state
    from without_spans
    where ended_at is not null
),

-- An issue that was restored had been in the archive, or in the trash, since the entry that says so.
restored as (
    select issue_id, max(created_at) as moment
    from history
    where not archived or not trashed
    group by issue_id
),

-- An issue that is in a cycle without an entry that brought it there came in when Linear says that it did.
came_in as (
    select issues.issue_id, issues.added_to_cycle_at as moment, issues.cycle_now
    from issues
    left join changes on issues.issue_id = changes.issue_id and changes.cycle_from <> changes.cycle_to
    where
        changes.issue_id is null
        and issues.cycle_now is not null
        and issues.added_to_cycle_at > issues.created_at
),

{%- set unchanged %}
        {%- for field in fields %}, '' as {{ field }}_from, '' as {{ field }}_to{% endfor %}
{%- endset %}

events as (
    select
        issue_id,
        created_at as moment,
        0 as is_first,
        id as tie,
        cast(null as {{ dbt.type_string() }}) as state,
        cast(null as {{ dbt.type_string() }}) as presence
        {%- for field in fields %}, {{ field }}_from, {{ field }}_to{% endfor %}
    from changes

    union all

    select issue_id, moment, is_first, id as tie, state, null as presence{{ unchanged }}
    from entered

    union all

    select issue_id, moment, 0 as is_first, '' as tie, null as state, null as presence
        {%- for field in fields %}, '' as {{ field }}_from, {{ 'cycle_now' if field == 'cycle' else "''" }} as {{ field }}_to{% endfor %}
    from came_in

    union all

    select issue_id, archived_at as moment, 0 as is_first, '~' as tie, null as state,
        case when is_deleted then 'deleted' else 'archived' end as presence{{ unchanged }}
    from issues
    where archived_at is not null

    union all

    select history.issue_id, history.created_at as moment, 0 as is_first, history.id as tie, null as state,
        case when history.trashed then 'deleted' when history.archived then 'archived' else '' end as presence
        {{- unchanged }}
    from history
    inner join restored on history.issue_id = restored.issue_id and history.created_at <= restored.moment
    where history.archived is not null or history.trashed is not null
),

filled as (
    select
        issue_id,
        {%- for field in fields %}
        {{ linear_next('case when ' ~ field ~ '_from <> ' ~ field ~ '_to then ' ~ field ~ '_from end', order) }}
            as {{ field }}_next,
        {%- endfor %}
        -- What is dated before the issue's creation, such as a span of an imported one, counts from then on.
        max(moment) over (
            partition by issue_id order by {{ order }} rows between unbounded preceding and current row
        ) as moment,
        lead(moment) over (partition by issue_id order by {{ order }}) as followed_at,
        {{ linear_latest('state', order) }} as state_then,
        {{ linear_latest('state', order, '1 preceding') }} as state_before,
        {{ linear_latest('presence', order) }} as presence
    from events
),

known as (
    select
        filled.issue_id,
        filled.moment,
        filled.state_then,
        filled.moment = issues.created_at as is_first,
        case when filled.moment > issues.created_at then filled.state_before end as state_before,
        coalesce(filled.presence, '') as presence,
        issues.identifier,
        case when filled.followed_at is not null then greatest(filled.followed_at, filled.moment) end as next_moment,
        {%- for field in fields %}
        case
            when filled.{{ field }}_next is null then issues.{{ field }}_now
            else nullif(filled.{{ field }}_next, '')
        end as {{ field }}_then{{ ',' if not loop.last }}
        {%- endfor %}
    from filled
    inner join issues on filled.issue_id = issues.issue_id
),

-- An entry that says one thing, where the next, or the issue, says another: entries are missing.
gaps as (
    {%- for field in fields %}
    select issues.issue_id
    from (
        select
            issue_id,
            {{ field }}_to as told,
            lead({{ field }}_from) over (partition by issue_id order by created_at, id) as told_next
        from changes
        where {{ field }}_from <> {{ field }}_to
    ) as entries
    inner join issues on entries.issue_id = issues.issue_id
    where entries.told <> coalesce(entries.told_next, issues.{{ field }}_now, '')
    {%- if not loop.last %}

    union
    {{- ' distinct' if target.type == 'bigquery' }}
    {% endif %}
    {%- endfor %}
),

named as (
    select
        known.*,
        gaps.issue_id is not null as has_gaps,
        without_spans.issue_id is not null as is_from_dates,
        case when known.next_moment <= {{ linear_as_of() }} then known.next_moment end as valid_until,
        states.id as state_id,
        states.name as state_name,
        case
            when known.state_then = '@unknown' then null
            when known.state_then like '@%' then substr(known.state_then, 2)
            else states.type
        end as state_type,
        previous.id as previous_state_id,
        case when known.state_before like '@%' then nullif(substr(known.state_before, 2), 'unknown') else previous.type end
            as previous_state_type,
        teams.default_points
    from known
    left join states on known.state_then = states.id
    left join states as previous on known.state_before = previous.id
    left join gaps on known.issue_id = gaps.issue_id
    left join without_spans on known.issue_id = without_spans.issue_id
    left join {{ ref('linear_teams') }} as teams on known.team_then = teams.team_id
    where
        known.moment <= {{ linear_as_of() }}
        and (known.next_moment is null or known.next_moment > known.moment)
        and known.presence <> 'deleted'
)

select
    issue_id,
    identifier,
    moment as valid_from,
    valid_until,
    valid_until is null as is_current,
    state_id,
    state_name,
    state_type,
    coalesce(state_type, '') not in ('completed', 'canceled', 'duplicate') and presence <> 'archived' as is_open,
    is_first,
    previous_state_id,
    previous_state_type,
    presence = 'archived' as is_archived,
    team_then as team_id,
    cycle_then as cycle_id,
    assignee_then as assignee_id,
    project_then as project_id,
    cast(estimate_then as {{ linear_number_type() }}) as estimate,
    coalesce(cast(estimate_then as {{ linear_number_type() }}), default_points, 1) as points,
    is_from_dates,
    has_gaps
from named
