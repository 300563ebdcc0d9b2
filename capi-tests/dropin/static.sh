#!/usr/bin/env bash
# A C program with ctrs inside: linked with libctrs.a, needing no library of ctrs when it runs.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=programs/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/programs/lib.sh"

enter_private "$@"
find_stage
cd "$work"

# What the documentation says to type. pkg-config names -lctrs: the linker takes libctrs.so where
# there is one, unless it is told not to.
link_told() {
    # shellcheck disable=SC2046
    cc -o "$1" $(module --cflags) "$here/source/probe.c" \
        -Wl,-Bstatic $(module --libs) -Wl,-Bdynamic \
        $(module --static --libs-only-l | sed 's/-lctrs//')
}

# The archive alone, as in a cross root without shared libraries.
link_alone() {
    mkdir -p archive
    cp "$stage_dir/lib/libctrs.a" archive/
    # shellcheck disable=SC2046
    cc -o "$1" $(module --cflags) "$here/source/probe.c" \
        $(module --define-variable="libdir=$work/archive" --static --libs)
}

# Not even the C library from outside.
link_all() {
    # shellcheck disable=SC2046
    cc -static -o "$1" $(module --cflags) "$here/source/probe.c" $(module --static --libs)
}

module() {
    PKG_CONFIG_PATH=$stage_dir/lib/pkgconfig pkg-config "$@" ctrs
}

# linked HOW NEEDED: link, look at what the program needs, run it.
linked() {
    if ! "link_$1" "probe-$1" 2>"$work/said"; then
        fail "link $1"
        tail -n 12 "$work/said"
        return 0
    fi
    run_probe "./probe-$1" "$work/$1"
    compare "link $1: what it prints" "$work/ref" "$work/$1"
    expect "link $1: libraries needed" "$2" \
        "$(readelf -d "probe-$1" | sed -n 's/.*(NEEDED).*\[\(lib.*\)\.so.*/\1/p' | sort | xargs)"
}

# run_probe PROGRAM FILE
run_probe() {
    local code=0
    on probe "$1" >"$2.stdout" 2>"$2.stderr" || code=$?
    show "$2" normalise_play "$code" # timeouts of 3000 are counted down
}

# The same with musl, whose programs run on any Linux. The unwinder is the one that comes with
# Rust's library for musl, and the kernel's headers come after musl's own.
link_musl() {
    musl-gcc -static -o "$1" -I"$stage_dir/include/ctrs" "$here/source/probe.c" \
        "$build_dir/$musl/release/libctrs.a" "$musl_libs/self-contained/libunwind.a" \
        -idirafter /usr/include -idirafter "/usr/include/$(cc -print-multiarch)"
}

build_musl() {
    (cd "$here/../.." && CARGO_TARGET_DIR=$build_dir cargo rustc --quiet --offline --release --lib \
        --features capi --crate-type staticlib --target "$musl") 2>"$work/said"
}

linked_musl() {
    musl=$(uname -m)-unknown-linux-musl
    musl_libs=$(rustc --print target-libdir --target "$musl" 2>/dev/null || true)
    build_dir=$(dirname "$stage_dir")
    if ! [ -d "$musl_libs" ] || ! command -v musl-gcc >/dev/null; then
        skip "link musl: needs the Rust target $musl (rustup target add) and musl-gcc (musl-tools)"
    elif build_musl; then
        linked musl ''
    else
        fail "build for $musl"
        cat "$work/said"
    fi
}

namespace probe
cc -o probe-ref "$here/source/probe.c" -lnetfilter_conntrack
run_probe ./probe-ref "$work/ref"
expect 'reference: its last line' 'seen 2, mark 0x2a' "$(tail -n 1 "$work/ref.stdout")"
linked alone 'libc libgcc_s'
linked told 'libc libgcc_s'
linked all ''
[ -n "${FAST:-}" ] || linked_musl
tally
