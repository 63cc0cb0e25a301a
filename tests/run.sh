#!/bin/sh
# Every test: those of the database on PostgreSQL, then all on SQLite. A summary at the end of each.
set -eu
bin=.venv/bin
if ! command -v chromium >/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q chromium; } \
      >/dev/null 2>&1 || true
  fi
  command -v chromium >/dev/null || echo "Chromium is missing: the tests marked browser do not run."
fi
sh tests/peers/obtain.sh
failed=0
echo "== on PostgreSQL: the tests of the database"
$bin/python tests/on_postgresql.py -q -n 2 -m "database and not journey and not browser" || failed=1
echo "== everything, on SQLite"
$bin/pytest -q -n 2 --dist loadfile || failed=1
exit $failed
