{{ linear_repeated(ref('linear_issue_time_in_state'), ['issue_id', 'state_id']) }}
