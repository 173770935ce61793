{{ linear_repeated(ref('linear_team_triage'), ['team_id', 'week_start']) }}
