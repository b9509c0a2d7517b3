#!/usr/bin/env bash
# Gradescope runs this once, as root, when it makes the machine for this assignment. It installs Rust if the machine has
# none; this folder holds the grader and everything else that it needs.
set -euo pipefail
cd "$(dirname "$0")"

apt_install() { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@"; }

# The linker.
command -v cc >/dev/null || apt_install gcc libc6-dev curl ca-certificates
# In /usr/local, where the user without rights who builds submissions can read it.
if ! command -v cargo >/dev/null; then
  export RUSTUP_HOME=/usr/local/rustup CARGO_HOME=/usr/local/cargo PATH="/usr/local/cargo/bin:$PATH"
  command -v curl >/dev/null || apt_install curl ca-certificates
  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs |
    sh -s -- -y --no-modify-path --profile minimal --default-toolchain @RUST@
fi

cargo build --quiet --release --offline
cp target/release/normbook-grade .
# No submission may read the tests, whichever user runs it.
chmod -R go-rwx assignments vendor target
[ ! -e hidden.json ] || chmod 600 hidden.json
