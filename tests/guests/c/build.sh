#!/bin/sh
# Makes breakout.wasm of breakout.c. Needs Zig 0.13, for its C compiler: `pip install ziglang==0.13.0.post1` gives
# `python3 -m ziglang`; set ZIG to something else if it is called otherwise.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -c 'import json; print("#define MANIFEST", json.dumps(open("manifest.json").read().strip()))' > "$work/manifest.h"
${ZIG:-python3 -m ziglang} cc --target=wasm32-freestanding -O2 -g0 -nostdlib -Wall -Wextra -Wl,--no-entry \
    -Wl,-z,stack-size=16384 -include "$work/manifest.h" breakout.c -o "$work/breakout.core.wasm"
cargo run --quiet --package tiltyard-tests --bin componentize -- "$work/breakout.core.wasm" bare manifest.json breakout.wasm
ls -l breakout.wasm
