{#
  Within an issue's rows, the last value up to a row that is not null, or the first one after it.

  Args:
    value: SQL.
    order: of the rows, SQL.
    end: the last row that is looked at.
#}
{% macro linear_latest(value, order, end='current row') %}
{{- adapter.dispatch('linear_latest', 'linear')(value, order, end) -}}
{% endmacro %}

{% macro default__linear_latest(value, order, end) -%}
{{ linear_not_null('last_value', value) }} over (
            partition by issue_id order by {{ order }} rows between unbounded preceding and {{ end }}
        )
{%- endmacro %}

{% macro linear_not_null(function, value) %}{{ adapter.dispatch('linear_not_null', 'linear')(function, value) }}{% endmacro %}
{% macro default__linear_not_null(function, value) %}{{ function }}({{ value }} ignore nulls){% endmacro %}
{% macro snowflake__linear_not_null(function, value) %}{{ function }}({{ value }}) ignore nulls{% endmacro %}

{# PostgreSQL cannot skip nulls in windows. #}
{% macro postgres__linear_latest(value, order, end) -%}
(array_agg({{ value }}) filter (where {{ value }} is not null) over (
            partition by issue_id order by {{ order }} rows between unbounded preceding and {{ end }}
        ))[count({{ value }}) over (
            partition by issue_id order by {{ order }} rows between unbounded preceding and {{ end }}
        )]
{%- endmacro %}

{% macro linear_next(value, order) %}{{ adapter.dispatch('linear_next', 'linear')(value, order) }}{% endmacro %}

{% macro default__linear_next(value, order) -%}
{{ linear_not_null('first_value', value) }} over (
            partition by issue_id order by {{ order }} rows between 1 following and unbounded following
        )
{%- endmacro %}

{% macro postgres__linear_next(value, order) -%}
(array_agg({{ value }}) filter (where {{ value }} is not null) over (
            partition by issue_id order by {{ order }} rows between 1 following and unbounded following
        ))[1]
{%- endmacro %}

{# Numbers from 0: enough for the days of 40 years. #}
{% macro linear_numbers() %}
select generated_number - 1 as number from ({{ dbt.generate_series(16384) }}) as numbers
{% endmacro %}

{#
  One row a team and day, until today: a query with `team_id` and `day`.

  Args:
    firsts: with `team_id` and `first_day`.
#}
{% macro linear_team_days(firsts) %}
select bounds.team_id, {{ linear_add_days('bounds.first_day', 'numbers.number') }} as day
from (
    select
        firsts.team_id,
        firsts.first_day,
        {{ dbt.datediff('firsts.first_day', linear_day(linear_as_of(), 'teams.timezone'), 'day') }} as days
    from {{ firsts }} as firsts
    left join {{ ref('linear_teams') }} as teams on firsts.team_id = teams.team_id
) as bounds
inner join ({{ linear_numbers() }}) as numbers on numbers.number <= bounds.days
{% endmacro %}
