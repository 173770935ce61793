{{ linear_repeated(ref('linear_issue_cycles'), ['issue_id', 'stretch']) }}
