{{ linear_repeated(ref('linear_daily_open_issues'), ['team_id', 'day']) }}
