{#
  What databases say in different ways. What is said to DuckDB and PostgreSQL runs there in the tests; what is said to
  Snowflake and BigQuery runs in DuckDB, translated (docs/dbt.md).
#}

{# Refuse a database for which nothing is written: its SQL would be another's. #}
{% macro linear_check_engine(type) %}
{%- if type not in ('duckdb', 'postgres', 'snowflake', 'bigquery') -%}
  {%- do exceptions.raise_compiler_error(
    'The package linear is not written for ' ~ type ~ '. It runs on duckdb and postgres; for snowflake and bigquery it is'
    ~ ' written, and was tried only in translation. Copy the tables into one of them.'
  ) -%}
{%- endif -%}
{% endmacro %}

{#
  A moment as a timestamp without time zone, in UTC. What has no zone is UTC, whatever its type and the session's zone.
  `type` is that of the column, in lower case.
#}
{% macro linear_utc(value, type) %}{{ adapter.dispatch('linear_utc', 'linear')(value, type) }}{% endmacro %}

{% macro default__linear_utc(value, type) -%}
{%- if 'char' in type or type in ('text', 'string') -%}
(cast({{ linear_zoned_text(value) }} as timestamp with time zone) at time zone 'UTC')
{%- elif type in ('timestamptz', 'timestamp with time zone') -%}
{{ adapter.dispatch('linear_without_zone', 'linear')(value) }}
{%- else -%}
cast({{ value }} as {{ linear_timestamp_type() }})
{%- endif -%}
{%- endmacro %}

{% macro default__linear_without_zone(value) %}({{ value }} at time zone 'UTC'){% endmacro %}
{# The same in a tenth of the time: no calendar is asked. #}
{% macro duckdb__linear_without_zone(value) %}make_timestamp(epoch_us({{ value }})){% endmacro %}

{% macro snowflake__linear_utc(value, type) -%}
{%- if 'char' in type or type in ('text', 'string') -%}
cast(convert_timezone('UTC', cast({{ linear_zoned_text(value) }} as timestamp_tz)) as timestamp_ntz)
{%- elif type.startswith('timestamp_tz') or type.startswith('timestamp_ltz') -%}
cast(convert_timezone('UTC', {{ value }}) as timestamp_ntz)
{%- else -%}
cast({{ value }} as timestamp_ntz)
{%- endif -%}
{%- endmacro %}

{% macro bigquery__linear_utc(value, type) -%}
{%- if type == 'string' -%}
datetime(cast({{ linear_zoned_text(value) }} as timestamp), 'UTC')
{%- elif type == 'timestamp' -%}
datetime({{ value }}, 'UTC')
{%- else -%}
cast({{ value }} as datetime)
{%- endif -%}
{%- endmacro %}

{# A moment as text, with the zone UTC where it names none. #}
{% macro linear_zoned_text(value) -%}
case when {{ linear_matches(value, '[0-9]:[0-9][0-9].*([zZ]|[+-][0-9][0-9](:?[0-9][0-9])?)$') }} then {{ value }} else {{ value }} || '+00:00' end
{%- endmacro %}

{% macro linear_matches(value, pattern) %}{{ adapter.dispatch('linear_matches', 'linear')(value, pattern) }}{% endmacro %}
{% macro default__linear_matches(value, pattern) %}regexp_like({{ value }}, '.*{{ pattern }}'){% endmacro %}
{% macro duckdb__linear_matches(value, pattern) %}regexp_matches({{ value }}, '{{ pattern }}'){% endmacro %}
{% macro postgres__linear_matches(value, pattern) %}{{ value }} ~ '{{ pattern }}'{% endmacro %}
{% macro bigquery__linear_matches(value, pattern) %}regexp_contains({{ value }}, r'{{ pattern }}'){% endmacro %}

{#
  A moment in UTC as the clock of a zone shows it.

  Args:
    moment: without time zone.
    zone: SQL of the zone's name; none for UTC.
#}
{% macro linear_local(moment, zone) -%}
{%- if zone is none -%}{{ moment }}{%- else -%}{{ adapter.dispatch('linear_local', 'linear')(moment, zone) }}{%- endif -%}
{%- endmacro %}
{% macro default__linear_local(moment, zone) %}(({{ moment }} at time zone 'UTC') at time zone {{ zone }}){% endmacro %}
{% macro snowflake__linear_local(moment, zone) %}convert_timezone('UTC', {{ zone }}, {{ moment }}){% endmacro %}
{% macro bigquery__linear_local(moment, zone) %}datetime(timestamp({{ moment }}, 'UTC'), {{ zone }}){% endmacro %}

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

{% macro default__linear_elements(relation, column) %}{% do linear_check_engine(target.type) %}{% endmacro %}

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

{#
  The numbers of a column that holds a list of them: a query with `row_id`, `position` (from 1) and `value`.

  Args:
    relation: with `id`.
    column: of it, JSON.
#}
{% macro linear_series(relation, column) %}
{{ adapter.dispatch('linear_series', 'linear')(relation, column) }}
{% endmacro %}

{% macro default__linear_series(relation, column) %}{% do linear_check_engine(target.type) %}{% endmacro %}

{% macro duckdb__linear_series(relation, column) %}
select id as row_id, unnest(range(1, len(numbers) + 1)) as position, unnest(numbers) as value
from (
    select id, from_json({{ column }}, '["double"]') as numbers
    from {{ relation }}
    where json_type({{ column }}) = 'ARRAY'
) as held
{% endmacro %}

{% macro postgres__linear_series(relation, column) %}
select held.id as row_id, listed.position, cast(listed.value as double precision) as value
from {{ relation }} as held
cross join lateral jsonb_array_elements_text(
    case when jsonb_typeof(held.{{ column }}) = 'array' then held.{{ column }} else '[]' end
) with ordinality as listed (value, position)
{% endmacro %}

{% macro snowflake__linear_series(relation, column) %}
select held.id as row_id, listed.index + 1 as position, cast(listed.value as double precision) as value
from {{ relation }} as held
cross join lateral flatten(input => held.{{ column }}) as listed
{% endmacro %}

{% macro bigquery__linear_series(relation, column) %}
select held.id as row_id, place + 1 as position, cast(value as float64) as value
from {{ relation }} as held
cross join unnest(json_value_array(held.{{ column }})) as value with offset as place
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

{#
  The days that a duration counts: all of them, or those of linear_working_days, each with its fraction.

  Args:
    start, end: moments in UTC.
    zone: SQL of the zone in which days begin; none for UTC.
#}
{% macro linear_duration(start, end, zone) -%}
{%- if var('linear_working_days', none) -%}
({{ linear_worked(linear_local(end, zone)) }} - {{ linear_worked(linear_local(start, zone)) }})
{%- else -%}
{{ linear_days_between(start, end) }}
{%- endif -%}
{%- endmacro %}

{# The working days up to a moment, from a Monday of long ago. #}
{% macro linear_worked(moment) -%}
{%- set working = var('linear_working_days') -%}
{%- set first = "cast('1970-01-05' as date)" -%}
{%- set days = dbt.datediff(first, "cast(" ~ moment ~ " as date)", 'day') -%}
{%- set midnight = "cast(cast(" ~ moment ~ " as date) as " ~ linear_timestamp_type() ~ ")" -%}
({{ working | length }} * floor({{ days }} / 7.0) + case mod({{ days }}, 7)
{%- for day in range(7) %} when {{ day }} then {{ working | select('le', day) | list | length }}
{%- if day + 1 in working %} + {{ linear_days_between(midnight, moment) }}{% endif -%}
{%- endfor %} end)
{%- endmacro %}

{#
  SQL of the zone in which days begin, by linear_timezone; none for UTC.

  Args:
    team: SQL of the team's own zone.
#}
{% macro linear_zone(team) -%}
{%- set zone = var('linear_timezone', none) or 'UTC' -%}
{%- if zone == 'UTC' -%}{{ return(none) }}
{%- elif zone == 'team' -%}{{ return("coalesce(" ~ team ~ ", 'UTC')") }}
{%- endif -%}
{{ return("'" ~ zone ~ "'") }}
{%- endmacro %}

{# The day of a moment where linear_timezone has days begin. #}
{% macro linear_day(moment, team) -%}
cast({{ linear_local(moment, linear_zone(team)) }} as date)
{%- endmacro %}

{#
  Percentiles of the values of groups, between two values in proportion: a query with the keys and a column for each.

  Args:
    relation: with the keys and the value.
    keys: the columns that make a group.
    value: a column; nulls do not count.
    shares: name of the column -> share, from 0 to 1.
#}
{% macro linear_percentiles(relation, keys, value, shares) %}
{{- adapter.dispatch('linear_percentiles', 'linear')(relation, keys, value, shares) -}}
{% endmacro %}

{% macro default__linear_percentiles(relation, keys, value, shares) -%}
    select
        {{ keys | join(', ') }}
        {%- for name, share in shares.items() %},
        percentile_cont({{ share }}) within group (order by {{ value }}) as {{ name }}
        {%- endfor %}
    from {{ relation }}
    group by {{ keys | join(', ') }}
{%- endmacro %}

{# BigQuery has it as a window only; its aggregate is approximate. #}
{% macro bigquery__linear_percentiles(relation, keys, value, shares) -%}
    select distinct
        {{ keys | join(', ') }}
        {%- for name, share in shares.items() %},
        percentile_cont({{ value }}, {{ share }}) over (partition by {{ keys | join(', ') }}) as {{ name }}
        {%- endfor %}
    from {{ relation }}
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
