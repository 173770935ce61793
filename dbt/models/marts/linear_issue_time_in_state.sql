-- One row an issue and state that it was in. A span that is not over counts until the issue was archived, or now.
with spans as (
    select
        spans.issue_id,
        spans.state_id,
        spans.started_at,
        spans.ended_at,
        coalesce(spans.ended_at, issues.archived_at, {{ linear_as_of() }}) as until,
        issues.identifier,
        issues.team_id,
        issues.team_name
    from {{ ref('stg_linear__issue_state_spans') }} as spans
    inner join {{ ref('linear_issues') }} as issues on spans.issue_id = issues.issue_id
    where not issues.is_deleted
)

select
    spans.issue_id,
    spans.state_id,
    max(spans.identifier) as identifier,
    max(spans.team_id) as team_id,
    max(spans.team_name) as team_name,
    max(states.name) as state_name,
    max(states.type) as state_type,
    count(*) as times_entered,
    min(spans.started_at) as first_entered_at,
    case when count(spans.ended_at) = count(*) then max(spans.ended_at) end as left_at,
    count(spans.ended_at) < count(*) as is_current,
    sum(
        case
            when spans.until > spans.started_at
                then {{ linear_days_between('spans.started_at', 'spans.until') }}
            else 0
        end
    ) as days
from spans
left join {{ ref('stg_linear__workflow_states') }} as states on spans.state_id = states.id
group by spans.issue_id, spans.state_id
