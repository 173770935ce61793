{{ config(materialized="view") }}
-- One row a customer's request, with the issue or project that it asks for.
select
    needs.id as request_id,
    needs.created_at,
    needs.priority = 1 as is_important,
    needs.customer_id,
    customers.name as customer_name,
    statuses.name as customer_status,
    tiers.name as customer_tier,
    customers.revenue,
    needs.issue_id,
    issues.identifier,
    issues.is_open as is_issue_open,
    coalesce(needs.project_id, issues.project_id) as project_id,
    projects.name as project_name,
    issues.team_id,
    needs.is_archived
from {{ ref('stg_linear__customer_needs') }} as needs
left join {{ ref('stg_linear__customers') }} as customers on needs.customer_id = customers.id
left join {{ ref('stg_linear__customer_statuses') }} as statuses on customers.status_id = statuses.id
left join {{ ref('stg_linear__customer_tiers') }} as tiers on customers.tier_id = tiers.id
left join {{ ref('linear_issues') }} as issues on needs.issue_id = issues.issue_id
left join {{ ref('stg_linear__projects') }} as projects
    on coalesce(needs.project_id, issues.project_id) = projects.id
