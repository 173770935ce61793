-- Written by `make docs`, not by hand.
{{ linear_staging(source('linear', 'triage_responsibilities'), {
    'id': ('id', 'text'),
    'createdAt': ('created_at', 'timestamp'),
    'updatedAt': ('updated_at', 'timestamp'),
    'archivedAt': ('archived_at', 'timestamp'),
    'action': ('action', 'text'),
    'currentUserId': ('current_user_id', 'text'),
    'teamId': ('team_id', 'text'),
    'timeScheduleId': ('time_schedule_id', 'text'),
    'manualSelection': ('manual_selection', 'json'),
}) }}
