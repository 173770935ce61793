-- Written by `make docs`, not by hand.
{{ config(severity=var('linear_relation_severity', 'warn')) }}
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
