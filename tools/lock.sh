#!/usr/bin/env bash
# Writes requirements/*.txt: every version pinned with its hashes, on every platform. `make lock` calls it.
#   tools/lock.sh             keeps the versions that still fit
#   tools/lock.sh --upgrade   takes the newest ones (any other option of `uv pip compile` goes too)
set -euo pipefail
cd "$(dirname "$0")/.."
# A lock is made of what one index has, whatever else pip looks at on this machine.
export UV_INDEX="" UV_FIND_LINKS=""

lock() { # lock TARGET SOURCE [OPTION…]
  echo "requirements/$1.txt"
  tools/environment.sh uv pip compile --universal --python-version 3.11 --generate-hashes \
    --no-config --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
    --output-file "requirements/$1.txt" "${@:2}" >/dev/null
}

lock uv requirements/uv.in "$@"
lock run pyproject.toml "$@"
lock build requirements/build.in --constraints requirements/run.txt "$@"
lock test requirements/test.in "$@"
lock bench requirements/bench.in --constraints requirements/test.txt "$@"
lock image requirements/image.in --constraints requirements/build.txt "$@"
lock audit requirements/audit.in --constraints requirements/image.txt "$@"
for client in pyairbyte dlt airbyte-serverless singer; do
  lock "$client" "requirements/$client.in" "$@"
done
# The demo and dbt open one database.
grep -o '^duckdb==[^ ]*' requirements/test.txt >.cache/duckdb.txt
lock dbt requirements/dbt.in --constraints .cache/duckdb.txt "$@"
lock dbt-engines requirements/dbt-engines.in --constraints requirements/dbt.txt "$@"
