{{ config(materialized="view") }}
-- One row an issue and label of it.
with held as (
    {{ linear_elements(ref('stg_linear__issues'), 'label_ids') }}
)

select
    held.row_id as issue_id,
    labels.id as label_id,
    labels.name as label_name,
    labels.parent_id as group_id,
    parents.name as group_name
from held
inner join {{ ref('stg_linear__issue_labels') }} as labels on held.element = labels.id
left join {{ ref('stg_linear__issue_labels') }} as parents on labels.parent_id = parents.id
