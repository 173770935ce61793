{{ linear_repeated(ref('linear_issue_labels'), ['issue_id', 'label_id']) }}
