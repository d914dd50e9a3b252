#!/bin/bash
# run.sh WHO WORKLOAD CHUNK: one contestant, one line of JSON, in the current folder. WHO: limit handloop oxide sbrs spring psqlcopy
set -eu
here=$(cd "$(dirname "$0")" && pwd); who=$1; workload=${2:-w1}; chunk=${3:-1000}
mkdir -p out
case $who in
spring) exec java -Xmx2g ${JAVA_EXTRA:-} -cp "$here/spring-batch/target/spring-batch-bench-1.jar:$here/spring-batch/target/lib/*" bench.Main "$workload" "$chunk";;
psqlcopy)
  sql() { psql -q -X -At -v ON_ERROR_STOP=1 "${BENCH_URL:-postgres://postgres@127.0.0.1:54329/bench?sslmode=disable}" "$@"; }
  sql -c "SET client_min_messages = warning" -f "$here/schema.sql"
  begun=$(date +%s.%N); sql -c "\\copy product FROM 'data/products.csv' CSV HEADER"; ended=$(date +%s.%N)
  echo "$begun $ended $(sql -c 'SELECT count(*) FROM product') $chunk" |
    awk '{printf "{\"who\":\"psqlcopy\",\"workload\":\"w1\",\"chunk\":%s,\"rows\":%s,\"run_s\":%.4f}\n",$4,$3,$2-$1}';;
*) exec "$here/rust/target/release/$who" "$workload" "$chunk";;
esac
