{{ config(severity='warn') }}
-- Days of cycles on which what was counted, and what Linear says, differ. Today is not over, and Linear may lag.
select *
from {{ ref('linear_cycle_daily') }}
where
    day < cast({{ linear_as_of() }} as date)
    and (
        scope <> linear_scope
        or completed <> linear_completed
        or abs(scope_points - linear_scope_points) > 0.001
        or abs(started_points - linear_started_points) > 0.001
        or abs(completed_points - linear_completed_points) > 0.001
    )
