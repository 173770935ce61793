{{ linear_repeated(ref('linear_project_weekly'), ['project_id', 'week_start']) }}
