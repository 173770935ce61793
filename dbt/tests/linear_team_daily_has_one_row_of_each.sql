{{ linear_repeated(ref('linear_team_daily'), ['team_id', 'day', 'state_type']) }}
