{#
  Ids that are the id of no row: the column, the row that holds them, and the id.

  Args:
    model: a staging model.
    columns: its columns of ids -> the staging model that holds those rows.
    lists: the same of its columns of lists of ids.
#}
{% macro linear_without_row(model, columns, lists) %}
{%- set found = [] -%}
{%- for column, target in columns.items() -%}
  {%- do found.append((column, target, "select id as row_id, " ~ column ~ " as element from " ~ model)) -%}
{%- endfor -%}
{%- for column, target in lists.items() -%}
  {%- do found.append((column, target, linear_elements(model, column))) -%}
{%- endfor -%}
{%- for column, target, elements in found %}
select '{{ column }}' as column_name, held.row_id, held.element
from ({{ elements }}) as held
left join {{ target }} as target on held.element = target.id
where held.element is not null and target.id is null
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
{% endmacro %}

{# Keys that several rows have, or that are null in part. #}
{% macro linear_repeated(model, columns) %}
select {{ columns | join(', ') }}, count(*) as found
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1 or {{ columns | join(' is null or ') }} is null
{% endmacro %}

{# The key of a table: unique and not null, in one query instead of two. #}
{% test linear_key(model, column_name) %}
{{ linear_repeated(model, [column_name]) }}
{% endtest %}
