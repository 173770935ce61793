#!/usr/bin/env bash
# Writes requirements/*.txt: every version pinned with its hashes, for plain pip, on every platform.
#   tools/lock.sh             keeps the versions that still fit
#   tools/lock.sh --upgrade   takes the newest ones (any other option of `uv pip compile` goes too)
set -euo pipefail
cd "$(dirname "$0")/.."

UV_VERSION=0.13.9
home=.cache/lock
if [ "$("$home/bin/uv" --version 2>/dev/null | cut -d' ' -f2)" != "$UV_VERSION" ]; then
  "${PYTHON:-python3}" -m venv "$home"
  "$home/bin/python" -m pip install --quiet "uv==$UV_VERSION"
fi

lock() { # lock TARGET SOURCE [OPTION…]
  echo "requirements/$1.txt"
  "$home/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --no-config --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
    --output-file "requirements/$1.txt" "${@:2}" >/dev/null
}

lock run pyproject.toml "$@"
lock build requirements/build.in --constraints requirements/run.txt "$@"
lock test requirements/test.in "$@"
lock bench requirements/bench.in --constraints requirements/test.txt "$@"
lock image requirements/image.in --constraints requirements/build.txt "$@"
lock audit requirements/audit.in --constraints requirements/image.txt "$@"
lock pyairbyte requirements/pyairbyte.in "$@"
