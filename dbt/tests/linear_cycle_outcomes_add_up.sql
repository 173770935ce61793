-- Every issue of a cycle was committed or added, and is completed, canceled, carried over or remaining.
select *
from {{ ref('linear_cycle_outcomes') }}
where
    issues <> committed + added
    or issues <> completed + canceled + carried_over + remaining
