#!/usr/bin/env bash
# Make the virtual environment: find a Python >= 3.12 (PATH, pyenv, uv), install the locked packages with their hashes.
set -euo pipefail
venv=${1:-.venv}
say() { printf 'setup: %s\n' "$*"; }

fits() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1; }

find_python() {
  local candidate
  if [ -n "${PYTHON:-}" ]; then fits "$PYTHON" && { echo "$PYTHON"; return; }; fi
  for candidate in python3.12 python3.13 python3.14 python3; do
    if command -v "$candidate" >/dev/null 2>&1 && fits "$candidate"; then command -v "$candidate"; return; fi
  done
  for candidate in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[2-9]*/bin/python; do
    [ -x "$candidate" ] && fits "$candidate" && { echo "$candidate"; return; }
  done
  return 1
}

find_uv() { # uv on PATH, or one in .uv made with whatever python3 there is
  if command -v uv >/dev/null 2>&1; then command -v uv; return; fi
  if [ ! -x .uv/bin/uv ]; then
    python3 -m venv .uv >/dev/null 2>&1 || { need_venv; python3 -m venv .uv >/dev/null; }
    .uv/bin/python -m pip install -q uv >&2
  fi
  echo "$PWD/.uv/bin/uv"
}

need_venv() { # Debian splits venv from python3
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    say "python3 has no venv module: installing python3-venv with apt-get" >&2
    apt-get update -qq >&2 && apt-get install -y -qq python3-venv >&2
  else
    echo "setup: python3 has no venv module. Install it (Debian: sudo apt-get install python3-venv) and try again." >&2
    exit 1
  fi
}

if [ ! -x "$venv/bin/python" ] || ! fits "$venv/bin/python"; then
  rm -rf "$venv"
  if python=$(find_python); then
    say "using $($python --version) at $python"
    "$python" -m venv "$venv" >/dev/null 2>&1 || { rm -rf "$venv"; "$(find_uv)" venv -q --seed --python "$python" "$venv"; }
  else
    say "no Python >= 3.12 on PATH or in pyenv: asking uv for one"
    "$(find_uv)" venv -q --seed --python 3.12 "$venv" || {
      echo "setup: no Python >= 3.12 could be had. Install one (Debian: python3.12 or newer, or pyenv install 3.12) and try again." >&2
      exit 1
    }
  fi
fi
uv="$venv/bin/uv"
[ -x "$uv" ] || { say "installing uv"; "$venv/bin/python" -m pip install -q uv; }
say "installing the locked packages (hashes checked)"
VIRTUAL_ENV=$venv "$uv" pip sync -q --compile-bytecode --require-hashes requirements.lock # the lock holds uv itself
VIRTUAL_ENV=$venv "$uv" pip install -q --no-deps --no-build-isolation -e .
say "ready: $venv"
