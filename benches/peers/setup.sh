#!/bin/bash
# Builds the contestants, makes the data, starts PostgreSQL and fills product_src. Data, output and cluster go to the current folder.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
url=${BENCH_URL:-postgres://postgres@127.0.0.1:54329/bench?sslmode=disable}
mkdir -p data out
[ -f data/products.csv ] || python3 "$here/gen.py" 1000000 data/products.csv
(cd "$here/rust" && cargo build --release --locked)
if command -v mvn >/dev/null; then (cd "$here/spring-batch" && mvn -q -B package)
else echo "no Maven: Spring Batch is left out" >&2; fi
[ -n "${BENCH_URL:-}" ] || "$here/postgres.sh" start
sql() { psql -q -X -At -v ON_ERROR_STOP=1 "$url" "$@"; }
sql -c "SET client_min_messages = warning" -f "$here/schema.sql" -c "CREATE TABLE IF NOT EXISTS product_src (LIKE product INCLUDING ALL)"
[ "$(sql -c 'SELECT count(*) FROM product_src')" != 0 ] || sql -c "\\copy product_src FROM 'data/products.csv' CSV HEADER" -c "ANALYZE product_src"
