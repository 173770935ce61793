"""`make demo`: a Linear workspace in DuckDB, by the real connector, in a minute.

Linear, or a simulator   →  source-linear  →  Airbyte's messages  →  .demo/linear.duckdb
   workspace.py              connector.py        destination.py        questions.py
"""
