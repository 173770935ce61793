-- Written by `make docs`, not by hand.
{{ linear_staging(source('linear', 'organization_invites'), {
    'id': ('id', 'text'),
    'createdAt': ('created_at', 'timestamp'),
    'updatedAt': ('updated_at', 'timestamp'),
    'archivedAt': ('archived_at', 'timestamp'),
    'acceptedAt': ('accepted_at', 'timestamp'),
    'email': ('email', 'text'),
    'expiresAt': ('expires_at', 'timestamp'),
    'external': ('external', 'boolean'),
    'metadata': ('metadata', 'json'),
    'role': ('role', 'text'),
    'inviteeId': ('invitee_id', 'text'),
    'inviterId': ('inviter_id', 'text'),
    'organizationId': ('organization_id', 'text'),
}) }}
