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
{{ linear_staged(relation, columns, has_trash) }}
{%- endif -%}
{% endmacro %}

{% macro linear_staged(relation, columns, has_trash) %}
{%- set held = linear_held_columns(relation) -%}
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

{# The columns that a table has, name -> type; none if there is no such table. #}
{% macro linear_held_columns(relation) %}
{%- set held = {} -%}
{%- set stored = load_relation(relation) -%}
{%- if stored -%}
  {%- for column in adapter.get_columns_in_relation(stored) -%}
    {%- do held.update({column.name: column.data_type | lower}) -%}
  {%- endfor -%}
  {%- set flag = linear_name('isArchived') -%}
  {%- for name in held if name != flag and name | lower == 'isarchived' -%}
    {%- set case = {'isArchived': 'as_is', 'isarchived': 'lower', 'ISARCHIVED': 'upper'}[name] -%}
    {%- do exceptions.raise_compiler_error(
      stored ~ ' has the column ' ~ name ~ ', not ' ~ flag ~ '. Set the variable linear_column_case: ' ~ case
    ) -%}
  {%- endfor -%}
{%- endif -%}
{{ return(held) }}
{% endmacro %}

{# The name that the destination gives a column. #}
{% macro linear_name(name) %}
{%- set case = var('linear_column_case', 'as_is') -%}
{%- if case == 'as_is' -%}{{ return(name) }}
{%- elif case == 'lower' -%}{{ return(name | lower) }}
{%- elif case == 'upper' -%}{{ return(name | upper) }}
{%- endif -%}
{%- do exceptions.raise_compiler_error(
  "The variable linear_column_case is '" ~ case ~ "'. Set it to as_is, lower or upper."
) -%}
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
