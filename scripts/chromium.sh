#!/usr/bin/env bash
# See that the tests of what people see find a browser; as root on Debian install it. Never fails: those tests are skipped,
# and say so, where it cannot be had.
set -uo pipefail
say() { printf 'chromium: %s\n' "$*"; }

found() { [ -n "${LUMA_CHROMIUM:-}" ] || command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1; }

found && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  say "installing Debian's chromium with apt-get, for the tests of what people see in JupyterLab"
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; } >/dev/null 2>&1
  found && exit 0
  say "apt-get could not install it"
fi
say "NO BROWSER HERE: the tests of what people see in JupyterLab will be skipped. Install one (Debian: sudo apt-get install chromium) to run them."
