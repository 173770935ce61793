{{ config(materialized="view") }}
-- One row a change of an issue's state, with what the issue was at that moment.
with states as (
    select
        id,
        name,
        type,
        position,
        case type
            when 'triage' then 0
            when 'backlog' then 1
            when 'unstarted' then 2
            when 'started' then 3
            else 4
        end as place
    from {{ ref('stg_linear__workflow_states') }}
)

select
    versions.issue_id,
    versions.identifier,
    versions.valid_from as moved_at,
    versions.previous_state_id as from_state_id,
    previous.name as from_state_name,
    previous.type as from_state_type,
    versions.state_id as to_state_id,
    states.name as to_state_name,
    states.type as to_state_type,
    states.place < previous.place
    or (states.type = previous.type and states.position < previous.position) as is_backward,
    states.place < 4 and previous.place = 4 as is_reopening,
    states.type = 'completed' and previous.type <> 'completed' as is_completion,
    versions.team_id,
    versions.assignee_id,
    versions.cycle_id,
    versions.project_id,
    versions.points
from {{ ref('linear_issue_versions') }} as versions
inner join states on versions.state_id = states.id
inner join states as previous on versions.previous_state_id = previous.id
where versions.state_id <> versions.previous_state_id
