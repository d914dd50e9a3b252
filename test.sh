#!/usr/bin/env bash
# All checks and tests of the workspace, in the order in which they fail fastest. Installs what is missing. `.ci/run` calls it.
set -euo pipefail
cd "$(dirname "$0")"
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}

need() { # need PROGRAM PACKAGE: a program that the tests call
  command -v "$1" >/dev/null && return
  echo "installing $2, which has $1"
  if [ "$(id -u)" = 0 ]; then apt-get update -qq && apt-get install -y -qq "$2" >/dev/null
  else echo "missing: $1; install it with: sudo apt-get install $2" >&2; exit 2; fi
}

need cc gcc            # SQLite is built from its source
need flock util-linux  # another process that holds an output file; setpriv and unshare come with it
need valgrind valgrind # the instructions of the inner loop
# The servers of the database tests, in folders that are not in everybody's PATH.
PATH=$PATH:/usr/sbin; for bin in /usr/lib/postgresql/*/bin; do PATH=$PATH:$bin; done
need initdb postgresql
need mariadbd mariadb-server
command -v cargo >/dev/null || { echo "missing: cargo; install Rust 1.94 or newer" >&2; exit 2; }

step() { echo; echo "== $*"; "$@"; }

step cargo fmt --all --check
step cargo clippy --workspace --all-targets -q -- -D warnings
step cargo clippy --test kill --features failpoints -q -- -D warnings
step cargo test --workspace -q
step cargo test -q --test kill --features failpoints
RUSTDOCFLAGS="-D warnings" step cargo doc --workspace --no-deps -q
# Instructions of the inner loop against their limits; noise cannot move them.
if command -v gungraun-runner >/dev/null || cargo install -q --locked gungraun-runner --version 0.20.0; then
  step cargo bench -q --bench instructions
else echo "not run: cargo bench --bench instructions (install its runner with: cargo install gungraun-runner --version 0.20.0)"; fi
if command -v cargo-deny >/dev/null; then step cargo deny -L error check
else echo "not run: cargo deny check (install it with: cargo install cargo-deny)"; fi
echo
echo "all checks passed"
