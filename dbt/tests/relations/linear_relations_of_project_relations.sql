-- Written by `make docs`, not by hand.
{%- set severity = var('linear_relation_severity', 'off') %}
{{ config(enabled=severity != 'off', severity='error' if severity == 'error' else 'warn') }}
{{ linear_without_row(
    ref('stg_linear__project_relations'),
    {
        'project_id': ref('stg_linear__projects'),
        'project_milestone_id': ref('stg_linear__project_milestones'),
        'related_project_id': ref('stg_linear__projects'),
        'related_project_milestone_id': ref('stg_linear__project_milestones'),
        'user_id': ref('stg_linear__users'),
    },
    {
    },
) }}
