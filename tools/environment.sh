#!/usr/bin/env bash
# Python environments from locks. The Makefile makes each of its environments here, with uv.
#   tools/environment.sh get-uv              installs uv into .cache/uv, by pip and with its hash
#   tools/environment.sh uv ARGUMENT…        runs it with this machine's settings for package indexes
#   tools/environment.sh sync FOLDER LOCK    makes FOLDER hold what LOCK says and nothing else
#   tools/environment.sh newest FOLDER       makes FOLDER anew, for the tests, with the newest versions instead
#   tools/environment.sh doubt FOLDER…       lets each be made anew whose Python is gone, or is not $GIVEN
# PYTHON is the interpreter of a new environment. What goes wrong is one sentence on stderr, where it can be.
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

explained() { # runs a command that installs; what it says on stderr comes as a sentence, or else as it is
  local said status=0 free
  { said=$("$@" 2>&1 >&3); } 3>&1 || status=$?
  if [ $status = 0 ]; then
    if [ -n "$said" ]; then echo "$said" >&2; fi
    return
  fi
  free=$(df -Pk . | awk 'END { print $4 }') # python -m venv does not say why it failed
  case $said in
    *"No space left"* | *"os error 28"* | *"uota exceeded"*) free=0 ;;
    *"does not match"* | *"ash mismatch"*) ;; # what came is wrong: the network is there
    *"from versions: none"* | *"onnection"* | *"error sending request"* | *"dns error"* | *"roxy"* | *"timed out"*)
      fail "The package index cannot be reached: check the network, and the index and proxy that pip is told" \
        "(pip config list), then run it again." ;;
  esac
  if ((free < 1024)); then
    fail "The disk is full: set-up needs about 600 MB here, and as much in uv's cache (~/.cache/uv)." \
      "Free some, then run it again."
  fi
  fail "$said"
}

get_uv() {
  local executable
  executable=$(python)
  echo "installing uv …"
  rm -rf "$home"
  explained "$executable" -m venv "$home"
  explained "$home/bin/python" -m pip -qq --disable-pip-version-check install \
    --only-binary :all: --require-hashes --requirement requirements/uv.txt
  touch "$home/stamp"
}

uv() {
  local settings
  settings=$("$home/bin/python" tools/pip_settings.py)
  eval "$settings"
  explained "$home/bin/uv" --quiet --no-python-downloads "$@"
}

doubt() { # the stamps go of environments that make would take for whole ones
  local folder executable wanted=""
  if [ -n "${GIVEN-}" ]; then
    executable=$(python)
    wanted=$("$executable" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])')
  fi
  for folder in "$@"; do
    if [ ! -x "$folder/bin/python" ] || ! grep -qE "^version(_info)? = $wanted" "$folder/pyvenv.cfg"; then
      rm -f "$folder"/*stamp
    fi
  done
}

# Compiling everything takes 20 s more than letting Python compile what is imported.
sync() { # FOLDER/requirements.stamp stands for a whole environment: without it, it is made anew
  local folder=$1 lock=$2 executable
  echo "installing the locked dependencies into $folder …"
  if [ ! -e "$folder/requirements.stamp" ]; then
    executable=$(python)
    if [ -f "$folder" ]; then rm -f "$folder"; fi
    uv venv --clear --python "$executable" "$folder"
  fi
  rm -f "$folder/requirements.stamp"
  uv pip sync --python "$folder/bin/python" --require-hashes "$lock"
  touch "$folder/requirements.stamp"
}

newest() {
  local folder=$1 executable
  echo "installing the newest versions into $folder …"
  executable=$(python)
  uv venv --clear --python "$executable" "$folder"
  uv pip install --python "$folder/bin/python" --upgrade --overrides requirements/canary.in \
    --build-constraints requirements/build.txt --requirement requirements/build.in \
    --requirement <(grep -v '^-r' requirements/test.in) --editable .
}

case ${1-} in
  get-uv) get_uv ;;
  uv) uv "${@:2}" ;;
  sync) sync "$2" "$3" ;;
  newest) newest "$2" ;;
  doubt) doubt "${@:2}" ;;
  *) fail "usage: tools/environment.sh get-uv | uv ARGUMENT… | sync FOLDER LOCK | newest FOLDER | doubt FOLDER…" ;;
esac
