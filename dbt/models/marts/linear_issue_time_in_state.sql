-- One row an issue and state that it was in. A state that it is in counts until it was archived, or until now.
with versions as (
    select
        versions.issue_id,
        versions.state_id,
        versions.valid_from,
        versions.valid_until,
        versions.is_archived,
        teams.timezone,
        coalesce(versions.valid_until, {{ linear_as_of() }}) as until,
        case when versions.state_id = versions.previous_state_id and not versions.is_first then 0 else 1 end as is_entry
    from {{ ref('linear_issue_versions') }} as versions
    left join {{ ref('linear_teams') }} as teams on versions.team_id = teams.team_id
    where versions.state_id is not null and not versions.is_from_dates
),

spent as (
    select
        issue_id,
        state_id,
        cast(sum(is_entry) as {{ dbt.type_bigint() }}) as times_entered,
        min(valid_from) as first_entered_at,
        case when count(valid_until) = count(*) then max(valid_until) end as left_at,
        count(valid_until) < count(*) as is_current,
        sum(
            case when is_archived then 0 else {{ linear_duration('valid_from', 'until', linear_zone('timezone')) }} end
        ) as days
    from versions
    group by issue_id, state_id
)

select
    spent.issue_id,
    spent.state_id,
    issues.identifier,
    states.name as state_name,
    states.type as state_type,
    issues.team_id,
    teams.team_name,
    spent.times_entered,
    spent.first_entered_at,
    spent.left_at,
    spent.is_current,
    spent.days
from spent
inner join {{ ref('stg_linear__issues') }} as issues on spent.issue_id = issues.id
inner join {{ ref('stg_linear__workflow_states') }} as states on spent.state_id = states.id
left join {{ ref('linear_teams') }} as teams on issues.team_id = teams.team_id
where not issues.is_deleted
