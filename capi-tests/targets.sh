#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Compiles the library and its tests for other processors, and runs the unit tests of those that
# differ most: 32 bits, unsigned char, big endian. `deps.sh targets` has installed what that takes but
# for Rust's standard libraries; one that is missing is named, and no target is left out.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
CARGO=${CARGO:-cargo}
RUSTC=${RUSTC:-rustc}

# Rust's name, the linker, and what runs its programs here.
tested='
i686-unknown-linux-gnu i686-linux-gnu-gcc /usr/i686-linux-gnu/lib/ld-linux.so.2 --library-path /usr/i686-linux-gnu/lib
armv7-unknown-linux-gnueabihf arm-linux-gnueabihf-gcc qemu-arm-static -L /usr/arm-linux-gnueabihf
s390x-unknown-linux-gnu s390x-linux-gnu-gcc qemu-s390x-static -L /usr/s390x-linux-gnu
'
compiled='
aarch64-unknown-linux-gnu
powerpc-unknown-linux-gnu
riscv64gc-unknown-linux-gnu
i686-unknown-linux-musl
x86_64-unknown-linux-musl
'

# rows TABLE COMMAND...: the command with each row's words, of which any may fail.
rows() {
    local table=$1 row words status=0
    shift
    while read -ru3 row; do
        read -ra words <<<"$row"
        [ "${#words[@]}" = 0 ] || "$@" "${words[@]}" || status=1
    done 3<<<"$table"
    return "$status"
}

has_library() {
    compgen -G "$("$RUSTC" --print target-libdir --target "$1")/libstd-*.rlib" >/dev/null ||
        { echo "missing: the standard library for $1: rustup target add $1" >&2; false; }
}

check() {
    echo "== $1: compile"
    "$CARGO" check --quiet --features capi --all-targets --target "$1" &&
        "$CARGO" check --quiet --manifest-path capi-tests/Cargo.toml --all-targets --target "$1"
}

run() {
    local target=$1 name=${1//-/_} linker=$2
    shift 2
    # qemu has no sockets of netfilter, nor the ioctl that tells a socket's namespace, and runs no program
    # of this processor.
    local skip=()
    [[ $1 != qemu-* ]] || skip=(-- --skip netlink::settings:: --skip netlink::namespace::
        --skip netlink::wait:: --skip facts::holder::)
    echo "== $target: unit tests"
    env "CARGO_TARGET_${name^^}_LINKER=$linker" "CARGO_TARGET_${name^^}_RUNNER=$*" \
        "$CARGO" test --quiet --features capi --lib --target "$target" "${skip[@]}"
}

rows "$tested$compiled" has_library || exit 1
rows "$tested$compiled" check && rows "$tested" run
