#!/bin/bash
# Starts (start) or stops (stop) the PostgreSQL that every contestant uses: 127.0.0.1:54329, database bench, fsync on. Its folder is
# `pg` in the current one; as root it belongs to the user postgres, who must be able to get there.
set -eu
bin=$(dirname "$(ls /usr/lib/postgresql/*/bin/initdb | tail -1)"); folder=$PWD/pg
as() { if [ "$(id -u)" = 0 ]; then su postgres -c "$1"; else sh -c "$1"; fi; }
case ${1:-start} in
start)
  if ! psql -q -X -h 127.0.0.1 -p 54329 -U postgres -c "" postgres 2>/dev/null; then
    if [ ! -d "$folder/data" ]; then
      mkdir -p "$folder"; if [ "$(id -u)" = 0 ]; then chown postgres "$folder"; fi
      as "test -w '$folder'" || { echo "the user postgres cannot write to $folder: run this in another folder" >&2; exit 2; }
      as "$bin/initdb -D '$folder/data' -A trust -U postgres --no-sync >/dev/null"
      printf "port=54329\nlisten_addresses='127.0.0.1'\nunix_socket_directories='%s'\nshared_buffers=512MB\nmax_wal_size=8GB\ncheckpoint_timeout=30min\n" "$folder" | as "cat >> '$folder/data/postgresql.conf'"
    fi
    as "$bin/pg_ctl -D '$folder/data' -l '$folder/log' -w start"
  fi
  createdb -h 127.0.0.1 -p 54329 -U postgres bench 2>/dev/null || true;;
stop) as "$bin/pg_ctl -D '$folder/data' -m fast -w stop";;
esac
