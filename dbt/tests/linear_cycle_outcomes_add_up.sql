-- Every issue of a cycle was committed or added, and is completed, canceled, removed, carried over or remaining.
select *
from {{ ref('linear_cycle_outcomes') }}
where
    issues <> completed + canceled + removed + carried_over + remaining
    or abs(points - (completed_points + canceled_points + removed_points + carried_over_points + remaining_points)) > 0.001
