#!/usr/bin/env bash
# See that the tests find a PostgreSQL server's programs; as root on Debian install them. Never fails: the tests that need
# them are skipped, and say so, where they cannot be had.
set -uo pipefail
say() { printf 'postgresql: %s\n' "$*"; }

found() { command -v postgres >/dev/null 2>&1 || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null; }

found && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  say "installing Debian's postgresql with apt-get, for the tests of catalogs on PostgreSQL"
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql; } >/dev/null 2>&1
  found && exit 0
  say "apt-get could not install it"
fi
say "NO SERVER HERE: the tests of catalogs on PostgreSQL will be skipped. Install one (Debian: sudo apt-get install postgresql) to run them."
