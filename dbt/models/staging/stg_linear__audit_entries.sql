-- Written by `make docs`, not by hand.
{{ linear_staging(source('linear', 'audit_entries'), {
    'id': ('id', 'text'),
    'createdAt': ('created_at', 'timestamp'),
    'updatedAt': ('updated_at', 'timestamp'),
    'archivedAt': ('archived_at', 'timestamp'),
    'actorId': ('actor_id', 'text'),
    'countryCode': ('country_code', 'text'),
    'ip': ('ip', 'text'),
    'metadata': ('metadata', 'json'),
    'requestInformation': ('request_information', 'json'),
    'type': ('type', 'text'),
    'organizationId': ('organization_id', 'text'),
}) }}
