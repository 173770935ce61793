{#
  A table of a stream as all models read it: names in snake_case, times in UTC, one type a column.

  Archived and deleted rows are treated here, and nowhere else. A row that was deleted in Linear, or that an
  archiving removes from the copy (`archived_rows: delete`), is left out. `is_archived` says whether a row is
  archived or in the trash, `is_deleted` whether it is in the trash.

  Args:
    relation: the source.
    columns: name in Linear -> (name here, type). A column that the table does not have is null.
    has_trash: whether rows of this kind go to a trash.
#}
{% macro linear_staging(relation, columns, has_trash=false) %}
{%- if execute -%}{# What is parsed need not be written out, which would take seconds for all tables. #}
{%- do linear_check_engine(target.type) -%}
{{ linear_staged(relation, columns, has_trash) }}
{%- endif -%}
{% endmacro %}

{% macro linear_staged(relation, columns, has_trash) %}
{%- set held = linear_held_columns(relation, columns.keys()) -%}
{%- set archived = linear_name('isArchived') -%}
{%- set removed = [] -%}
{%- for name in ['deletedAt', '_ab_cdc_deleted_at'] if linear_name(name) in held -%}
  {%- do removed.append(adapter.quote(linear_name(name)) ~ ' is null') -%}
{%- endfor -%}
select
{%- for name, (alias, type) in columns.items() %}
    {{ linear_column(held, name, type) }} as {{ alias }},
{%- endfor %}
{%- if has_trash %}
    coalesce({{ linear_column(held, 'trashed', 'boolean') }}, false) as is_deleted,
{%- endif %}
    {% if archived in held -%}
    coalesce({{ linear_column(held, 'isArchived', 'boolean') }}, false)
    {%- else -%}
    {{ linear_column(held, 'archivedAt', 'timestamp') }} is not null
    {%- endif %} as is_archived
{% if held -%}
from {{ relation }}
{%- if removed %}
where {{ removed | join(' and ') }}
{%- endif %}
{%- else -%}
where false -- this table was not synced
{%- endif %}
{% endmacro %}

{#
  The columns that a table has, name -> type; none if there is no such table.

  What would make every figure null or zero is an error: no table issues, no key, columns in another form.

  Args:
    relation: the source.
    names: the columns' names in Linear.
#}
{% macro linear_held_columns(relation, names) %}
{%- set held = {} -%}
{%- set key = linear_name('id') -%}
{%- set stored = load_relation(relation) -%}
{%- set issues = linear_table_name('issues') -%}
{%- if not stored -%}
  {%- if relation.identifier == issues or not load_relation(api.Relation.create(
    database=relation.database, schema=relation.schema, identifier=issues
  )) -%}
    {%- do exceptions.raise_compiler_error(
      'There is no table ' ~ issues ~ ' in the schema ' ~ relation.schema ~ ' of the database ' ~ relation.database
      ~ '. Set the variable linear_schema to the schema that holds the tables of source-linear, linear_database to its'
      ~ ' database, and linear_column_case: upper if the names of the tables are in upper case.'
    ) -%}
  {%- endif -%}
{%- else -%}
  {%- for column in adapter.get_columns_in_relation(stored) -%}
    {%- do held.update({column.name: column.data_type | lower}) -%}
  {%- endfor -%}
  {%- set found = {} -%}
  {%- for case in linear_cases() -%}
    {%- set those = [] -%}
    {%- for name in names if linear_in_case(name, case) in held -%}{%- do those.append(name) -%}{%- endfor -%}
    {%- do found.update({case: those | length}) -%}
  {%- endfor -%}
  {%- set given = var('linear_column_case', 'as_is') -%}
  {%- set best = [given] -%}
  {%- for case in linear_cases() if found[case] > found[best[0]] -%}{%- do best.insert(0, case) -%}{%- endfor -%}
  {%- if best[0] != given -%}
    {%- do exceptions.raise_compiler_error(
      'The columns of ' ~ stored ~ ' are not written as linear_column_case: ' ~ given ~ ' says, such as '
      ~ linear_in_case('createdAt', given) ~ '. Set the variable linear_column_case: ' ~ best[0]
    ) -%}
  {%- elif key not in held -%}
    {%- do exceptions.raise_compiler_error(
      stored ~ ' has no column ' ~ key ~ ', the key. Is it a table of source-linear? The variable'
      ~ ' linear_schema says in which schema those are, linear_column_case how their columns are written.'
    ) -%}
  {%- endif -%}
{%- endif -%}
{{ return(held) }}
{% endmacro %}

{# How destinations write names: createdAt as createdAt, createdat, CREATEDAT or created_at. #}
{% macro linear_cases() %}{{ return(['as_is', 'lower', 'upper', 'snake']) }}{% endmacro %}

{# The name that the destination gives a column. #}
{% macro linear_name(name) %}
{%- set case = var('linear_column_case', 'as_is') -%}
{%- if case not in linear_cases() -%}
  {%- do exceptions.raise_compiler_error(
    "The variable linear_column_case is '" ~ case ~ "'. Set it to as_is, lower, upper or snake."
  ) -%}
{%- endif -%}
{{ return(linear_in_case(name, case)) }}
{% endmacro %}

{% macro linear_in_case(name, case) %}
{%- if case == 'lower' -%}{{ return(name | lower) }}
{%- elif case == 'upper' -%}{{ return(name | upper) }}
{%- elif case == 'snake' -%}{{ return(modules.re.sub('(?<=[a-z0-9])(?=[A-Z])', '_', name) | lower) }}
{%- endif -%}
{{ return(name) }}
{% endmacro %}

{# The name that the destination gives a table: in upper case where its columns are, too. #}
{% macro linear_table_name(name) %}
{{ return(name | upper if var('linear_column_case', 'as_is') == 'upper' else name) }}
{% endmacro %}

{# A column with its type; null if the table does not have it. #}
{% macro linear_column(held, name, type) %}
{%- set stored = linear_name(name) -%}
{%- set value = adapter.quote(stored) if stored in held else 'null' -%}
{%- if type == 'timestamp' -%}{{ linear_utc(value, held.get(stored, '')) }}
{%- elif type == 'json' -%}{{ linear_json(value) }}
{%- elif type == 'text' -%}cast({{ value }} as {{ dbt.type_string() }})
{%- elif type == 'number' -%}cast({{ value }} as {{ linear_number_type() }})
{%- else -%}cast({{ value }} as {{ type }})
{%- endif -%}
{% endmacro %}
