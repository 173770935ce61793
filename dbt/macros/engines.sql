{# What databases say in different ways. DuckDB and PostgreSQL are tested; Snowflake and BigQuery are not. #}

{# A moment as a timestamp without time zone, in UTC. `type` is that of the column, in lower case. #}
{% macro linear_utc(value, type) %}{{ adapter.dispatch('linear_utc', 'linear')(value, type) }}{% endmacro %}

{% macro default__linear_utc(value, type) -%}
{%- if type in ('timestamp', 'timestamp without time zone', 'datetime') -%}
{{ value }}
{%- else -%}
(cast({{ value }} as timestamp with time zone) at time zone 'UTC')
{%- endif -%}
{%- endmacro %}

{% macro snowflake__linear_utc(value, type) -%}
cast(convert_timezone('UTC', cast({{ value }} as timestamp_tz)) as timestamp_ntz)
{%- endmacro %}

{% macro bigquery__linear_utc(value, type) -%}
datetime(cast({{ value }} as timestamp), 'UTC')
{%- endmacro %}

{# Numbers: all of Linear's fit into 64 bits with a fraction. #}
{% macro linear_number_type() %}{{ adapter.dispatch('linear_number_type', 'linear')() }}{% endmacro %}
{% macro default__linear_number_type() %}double precision{% endmacro %}
{% macro bigquery__linear_number_type() %}float64{% endmacro %}

{# JSON in the database's own type. #}
{% macro linear_json(value) %}{{ adapter.dispatch('linear_json', 'linear')(value) }}{% endmacro %}
{% macro default__linear_json(value) %}{{ value }}{% endmacro %}
{% macro duckdb__linear_json(value) %}cast({{ value }} as json){% endmacro %}
{% macro postgres__linear_json(value) %}cast({{ value }} as jsonb){% endmacro %}
{% macro bigquery__linear_json(value) %}to_json({{ value }}){% endmacro %}

{#
  The elements of a column that holds a list of ids: a query with `row_id` and `element`.

  Args:
    relation: with `id`.
    column: of it, JSON.
#}
{% macro linear_elements(relation, column) %}
{{ adapter.dispatch('linear_elements', 'linear')(relation, column) }}
{% endmacro %}

{% macro duckdb__linear_elements(relation, column) %}
select id as row_id, unnest(from_json({{ column }}, '["varchar"]')) as element
from {{ relation }}
where json_type({{ column }}) = 'ARRAY'
{% endmacro %}

{% macro postgres__linear_elements(relation, column) %}
select held.id as row_id, listed.element
from {{ relation }} as held
cross join lateral jsonb_array_elements_text(
    case when jsonb_typeof(held.{{ column }}) = 'array' then held.{{ column }} else '[]' end
) as listed (element)
{% endmacro %}

{% macro snowflake__linear_elements(relation, column) %}
select held.id as row_id, cast(listed.value as varchar) as element
from {{ relation }} as held
cross join lateral flatten(input => held.{{ column }}) as listed
{% endmacro %}

{% macro bigquery__linear_elements(relation, column) %}
select held.id as row_id, element
from {{ relation }} as held
cross join unnest(json_value_array(held.{{ column }})) as element
{% endmacro %}

{# The days between two moments, with their fraction. #}
{% macro linear_days_between(start, end) %}
{{- adapter.dispatch('linear_days_between', 'linear')(start, end) -}}
{% endmacro %}

{% macro default__linear_days_between(start, end) -%}
({{ dbt.datediff(start, end, 'millisecond') }} / 86400000.0)
{%- endmacro %}

{% macro duckdb__linear_days_between(start, end) -%}
(epoch({{ end }} - {{ start }}) / 86400.0)
{%- endmacro %}

{% macro postgres__linear_days_between(start, end) -%}
cast(extract(epoch from ({{ end }} - {{ start }})) / 86400.0 as double precision)
{%- endmacro %}

{# A percentile of the values of a group, between two values in proportion. #}
{% macro linear_percentile(value, share) %}
{{- adapter.dispatch('linear_percentile', 'linear')(value, share) -}}
{% endmacro %}

{% macro default__linear_percentile(value, share) -%}
percentile_cont({{ share }}) within group (order by {{ value }})
{%- endmacro %}

{% macro bigquery__linear_percentile(value, share) -%}
approx_quantiles({{ value }}, 100)[offset({{ (share * 100) | int }})]
{%- endmacro %}

{# The Monday with which a moment's week began, as a date. #}
{% macro linear_week(moment) %}{{ adapter.dispatch('linear_week', 'linear')(moment) }}{% endmacro %}
{% macro default__linear_week(moment) %}cast({{ dbt.date_trunc('week', moment) }} as date){% endmacro %}
{% macro bigquery__linear_week(moment) %}date_trunc(cast({{ moment }} as date), isoweek){% endmacro %}

{# A date some days after another. #}
{% macro linear_add_days(date, days) -%}
cast({{ dbt.dateadd('day', 'cast(' ~ days ~ ' as ' ~ dbt.type_int() ~ ')', date) }} as date)
{%- endmacro %}

{% macro linear_timestamp_type() %}{{ adapter.dispatch('linear_timestamp_type', 'linear')() }}{% endmacro %}
{% macro default__linear_timestamp_type() %}timestamp{% endmacro %}
{% macro bigquery__linear_timestamp_type() %}datetime{% endmacro %}

{# The moment up to which is counted: linear_as_of, or when this run began; in UTC. #}
{% macro linear_as_of() -%}
{%- set given = var('linear_as_of', none) or run_started_at.strftime('%Y-%m-%d %H:%M:%S.%f') -%}
cast('{{ (given | string).replace('T', ' ').removesuffix('Z') }}' as {{ linear_timestamp_type() }})
{%- endmacro %}
