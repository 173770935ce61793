{{ linear_repeated(ref('linear_issue_versions'), ['issue_id', 'valid_from']) }}
