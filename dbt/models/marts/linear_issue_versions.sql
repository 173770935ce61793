-- One row an issue and stretch of time in which its state, team, cycle, assignee, project and estimate stayed the same.
--
-- The state is that of its spans. Every other value is what the next change says that it was, or what it is now.
{%- set fields = ['team', 'cycle', 'assignee', 'project', 'estimate'] %}
{%- set text = dbt.type_string() %}
{#- Of what happened at one moment, the change of the state comes last, and of states the one that lasts. -#}
{%- set order = 'moment, place, tie' %}
{#- The first state is that of the issue's creation, whenever its span began. -#}
{%- set beginning = "cast('1970-01-01' as " ~ linear_timestamp_type() ~ ")" %}
{%- set closed = "('completed', 'canceled', 'duplicate')" %}
with states as (
    select id, name, type from {{ ref('stg_linear__workflow_states') }}
),

spans as (
    select id, issue_id, state_id, started_at, ended_at, issue_updated_at from {{ ref('stg_linear__issue_state_spans') }}
),

told as (
    select
        issue_id,
        issue_updated_at,
        min(started_at) as first_at,
        max(started_at) as last_at,
        max(case when ended_at is null then started_at end) as lasting_at,
        max(ended_at) as ended_at
    from spans
    group by issue_id, issue_updated_at
),

-- All spans of an issue come together: those that did not come with the newest, Linear has taken back.
newest as (
    select issue_id, max(issue_updated_at) as newest from told group by issue_id
),

sent as (
    select
        told.issue_id,
        told.issue_updated_at,
        told.first_at,
        case when coalesce(told.lasting_at < told.last_at, told.lasting_at is null) then told.ended_at end as ended_at
    from told
    inner join newest on told.issue_id = newest.issue_id
    where newest.newest is null or told.issue_updated_at = newest.newest
),

-- Of an issue without spans, its dates tell whether it was started and when it ended.
issues as (
    select
        issues.id as issue_id,
        issues.identifier,
        issues.created_at,
        issues.archived_at,
        issues.added_to_cycle_at,
        issues.is_deleted,
        issues.state_id,
        issues.team_id as team_now,
        issues.cycle_id as cycle_now,
        issues.assignee_id as assignee_now,
        issues.project_id as project_now,
        cast(issues.estimate as {{ text }}) as estimate_now,
        sent.issue_id is null as is_from_dates,
        sent.ended_at as spans_ended_at,
        issues.started_at,
        coalesce(
            issues.completed_at,
            issues.canceled_at,
            case when states.type in {{ closed }} then issues.updated_at end
        ) as ended_at,
        case
            when states.type in {{ closed }} then issues.state_id
            when issues.completed_at is not null then '@completed'
            else '@canceled'
        end as end_state
    from {{ ref('stg_linear__issues') }} as issues
    left join sent on issues.id = sent.issue_id
    left join states on issues.state_id = states.id
),

-- What each entry of the history changed; a value that it did not change is null, and an empty one ''.
history as (
    select
        id,
        issue_id,
        created_at,
        archived,
        trashed,
        {%- for field in fields %}
        {%- set column = field if field == 'estimate' else field ~ '_id' %}
        {%- set before = "coalesce(cast(from_" ~ column ~ " as " ~ text ~ "), '')" %}
        {%- set after = "coalesce(cast(to_" ~ column ~ " as " ~ text ~ "), '')" %}
        case when {{ before }} <> {{ after }} then {{ before }} end as {{ field }}_from,
        case when {{ before }} <> {{ after }} then {{ after }} end as {{ field }}_to
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from {{ ref('stg_linear__issue_history') }}
),

changes as (
    select *
    from history
    where
        archived is not null
        or trashed is not null
        {%- for field in fields %}
        or {{ field }}_to is not null
        {%- endfor %}
),

-- An issue that was restored had been in the archive, or in the trash, since the entry that says so.
restored as (
    select issue_id, max(created_at) as moment
    from changes
    where not archived or not trashed
    group by issue_id
),

moved as (
    select distinct issue_id from changes where cycle_to is not null
),

{%- set no_text = "cast(null as " ~ text ~ ")" %}
{%- set unchanged %}
        {%- for field in fields %}, null as {{ field }}_from, null as {{ field }}_to{% endfor %}
{%- endset %}

events as (
    select
        changes.issue_id,
        changes.created_at as moment,
        0 as place,
        changes.id as tie,
        {{ no_text }} as state,
        -- Of an issue that was never restored, its own date says it.
        case
            when changes.created_at > restored.moment or restored.moment is null then {{ no_text }}
            when changes.trashed then 'deleted'
            when changes.archived then 'archived'
            when not changes.archived or not changes.trashed then ''
        end as presence
        {%- for field in fields %},
        changes.{{ field }}_from,
        changes.{{ field }}_to
        {%- endfor %}
    from changes
    left join restored on changes.issue_id = restored.issue_id
    where
        changes.created_at <= restored.moment
        {%- for field in fields %}
        or changes.{{ field }}_to is not null
        {%- endfor %}

    union all

    select
        spans.issue_id,
        case when spans.started_at = sent.first_at then {{ beginning }} else spans.started_at end as moment,
        case when spans.ended_at <= spans.started_at then 1 else 2 end as place,
        spans.id as tie,
        spans.state_id as state,
        null as presence
        {{- unchanged }}
    from spans
    inner join sent on spans.issue_id = sent.issue_id
    where sent.issue_updated_at is null or spans.issue_updated_at = sent.issue_updated_at

    union all

    -- A last span that is over: what came after it is not told, but what the issue is in now.
    select issue_id, spans_ended_at as moment, 3 as place, '~' as tie, state_id as state, null as presence
        {{- unchanged }}
    from issues
    where spans_ended_at is not null

    union all

    select issue_id, {{ beginning }} as moment, 2 as place, '1' as tie,
        case when started_at is null and ended_at is null then state_id else '@unknown' end as state, null as presence
        {{- unchanged }}
    from issues
    where is_from_dates

    union all

    select issue_id, started_at as moment, 2 as place, '2' as tie, '@started' as state, null as presence
        {{- unchanged }}
    from issues
    where is_from_dates and started_at is not null

    union all

    select issue_id, ended_at as moment, 2 as place, '3' as tie, end_state as state, null as presence
        {{- unchanged }}
    from issues
    where is_from_dates and ended_at is not null

    union all

    -- An issue that is in a cycle without an entry that brought it there came in when Linear says that it did.
    select issues.issue_id, issues.added_to_cycle_at as moment, 0 as place, '' as tie, null as state, null as presence
        {%- for field in fields %}
        {%- if field == 'cycle' %}, '' as cycle_from, issues.cycle_now as cycle_to
        {%- else %}, null as {{ field }}_from, null as {{ field }}_to
        {%- endif %}
        {%- endfor %}
    from issues
    left join moved on issues.issue_id = moved.issue_id
    where
        moved.issue_id is null
        and issues.cycle_now is not null
        and issues.added_to_cycle_at > issues.created_at

    union all

    select issue_id, archived_at as moment, 0 as place, '~' as tie, null as state,
        case when is_deleted then 'deleted' else 'archived' end as presence
        {{- unchanged }}
    from issues
    where archived_at is not null
),

filled as (
    select
        issue_id,
        moment,
        lead(moment) over (partition by issue_id order by {{ order }}) as followed_at,
        {{ linear_latest('state', order) }} as state_then,
        {{ linear_latest('state', order, '1 preceding') }} as state_before,
        {{ linear_latest('presence', order) }} as presence
        {%- for field in fields %},
        {{ linear_next(field ~ '_from', order) }} as {{ field }}_next,
        {{ field }}_to
        {%- endfor %}
    from events
),

-- What is dated before the issue's creation, such as a span of an imported one, counts from then on.
known as (
    select
        filled.issue_id,
        issues.identifier,
        issues.is_from_dates,
        greatest(filled.moment, issues.created_at) as moment,
        case when filled.followed_at is not null then greatest(filled.followed_at, issues.created_at) end as next_moment,
        filled.moment <= issues.created_at as is_first,
        filled.state_then,
        case when filled.moment > issues.created_at then filled.state_before end as state_before,
        coalesce(filled.presence, '') as presence,
        {%- for field in fields %}
        case
            when filled.{{ field }}_next is null then issues.{{ field }}_now
            else nullif(filled.{{ field }}_next, '')
        end as {{ field }}_then,
        {%- endfor %}
        -- An entry that says one thing, where the next, or the issue, says another: entries are missing.
        coalesce(
            {%- for field in fields %}
            filled.{{ field }}_to <> coalesce(filled.{{ field }}_next, issues.{{ field }}_now, ''){{ ' or' if not loop.last }}
            {%- endfor %},
            false
        ) as is_gap
    from filled
    inner join issues on filled.issue_id = issues.issue_id
),

gaps as (
    select distinct issue_id from known where is_gap
),

named as (
    select
        known.*,
        gaps.issue_id is not null as has_gaps,
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
    coalesce(state_type, '') not in {{ closed }} and presence <> 'archived' as is_open,
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
