#!/usr/bin/env bash
# Gradescope runs this once, as root, when it makes the machine for this assignment. Rust is fetched if the machine has none; the
# grader and all that it needs are in this folder.
set -euo pipefail
cd "$(dirname "$0")"

# To link programs.
if ! command -v cc >/dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq gcc libc6-dev curl ca-certificates
fi
# In /usr/local, where the user without rights who builds submissions can read it.
if ! command -v cargo >/dev/null; then
  export RUSTUP_HOME=/usr/local/rustup CARGO_HOME=/usr/local/cargo PATH="/usr/local/cargo/bin:$PATH"
  command -v curl >/dev/null || { apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq curl ca-certificates; }
  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --no-modify-path --profile minimal --default-toolchain @RUST@
fi

cargo build --quiet --release --offline
cp target/release/normbook-grade .
# No submission reads tests, whoever it runs as.
chmod -R go-rwx assignments vendor target
[ ! -e hidden.json ] || chmod 600 hidden.json
