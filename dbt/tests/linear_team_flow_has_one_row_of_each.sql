{{ linear_repeated(ref('linear_team_flow'), ['team_id', 'week_start']) }}
