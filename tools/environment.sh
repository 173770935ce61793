#!/usr/bin/env bash
# Python environments from locks. The Makefile makes each of its environments here, with uv.
#   tools/environment.sh get-uv              installs uv into .cache/uv, by pip and with its hash
#   tools/environment.sh uv ARGUMENT…        runs it with this machine's settings for package indexes
#   tools/environment.sh sync FOLDER LOCK    makes FOLDER hold what LOCK says and nothing else
#   tools/environment.sh newest FOLDER       makes FOLDER anew, for the tests, with the newest versions instead
# PYTHON is the interpreter of a new environment.
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3}
home=.cache/uv

fail() {
  echo "$*" >&2
  exit 1
}

python() { # prints the path of $PYTHON, when it is one that pyproject.toml allows
  local low high version
  read -r low high < <(sed -n 's/^requires-python = ">=3\.\([0-9]*\),<3\.\([0-9]*\)"$/\1 \2/p' pyproject.toml)
  version=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) ||
    fail "There is no Python at $PYTHON. $(another)"
  if [ "${version%.*}" != 3 ] || ((${version#*.} < low || ${version#*.} >= high)); then
    fail "$PYTHON is Python $version. $(another)"
  fi
  "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$PYTHON has no venv. Install it (Debian: apt-get install python3-venv). $(another)"
  "$PYTHON" -c 'import sys; print(sys.executable)'
}

another() { # says which Python to give, by its name when this machine has one
  local known
  for ((known = high - 1; known >= low; known--)); do
    if "python3.$known" -c '' 2>/dev/null; then break; fi
  done
  if ((known < low)); then known="$low"; fi
  echo "This needs Python 3.$low to 3.$((high - 1)), for example: make PYTHON=python3.$known"
}

get_uv() {
  local executable
  executable=$(python)
  echo "installing uv …"
  rm -rf "$home"
  "$executable" -m venv "$home"
  "$home/bin/python" -m pip -qq --disable-pip-version-check install \
    --only-binary :all: --require-hashes --requirement requirements/uv.txt
  touch "$home/stamp"
}

uv() {
  local settings
  settings=$("$home/bin/python" tools/pip_settings.py)
  eval "$settings"
  "$home/bin/uv" --quiet --no-python-downloads "$@"
}

sync() { # FOLDER/requirements.stamp stands for a whole environment: without it, it is made anew
  local folder=$1 lock=$2 executable
  echo "installing the locked dependencies into $folder …"
  if [ ! -e "$folder/requirements.stamp" ]; then
    executable=$(python)
    uv venv --clear --python "$executable" "$folder"
  fi
  rm -f "$folder/requirements.stamp"
  uv pip sync --python "$folder/bin/python" --require-hashes --compile-bytecode "$lock"
  touch "$folder/requirements.stamp"
}

newest() {
  local folder=$1 executable
  echo "installing the newest versions into $folder …"
  executable=$(python)
  uv venv --clear --python "$executable" "$folder"
  uv pip install --python "$folder/bin/python" --compile-bytecode --upgrade --overrides requirements/canary.in \
    --build-constraints requirements/build.txt --requirement requirements/build.in \
    --requirement <(grep -v '^-r' requirements/test.in) --editable .
}

case ${1-} in
  get-uv) get_uv ;;
  uv) uv "${@:2}" ;;
  sync) sync "$2" "$3" ;;
  newest) newest "$2" ;;
  *) fail "usage: tools/environment.sh get-uv | uv ARGUMENT… | sync FOLDER LOCK | newest FOLDER" ;;
esac
