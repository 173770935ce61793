{{ linear_repeated(ref('linear_user_activity'), ['user_id', 'week_start']) }}
