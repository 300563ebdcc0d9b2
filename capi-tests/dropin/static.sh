#!/usr/bin/env bash
# A C program with ctrs inside: linked with libctrs.a, needing no library of ctrs when it runs.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=programs/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/programs/lib.sh"

need cc:gcc pkg-config:pkg-config readelf:binutils
enter_private "$@"
find_stage
cd "$work"

# What the documentation says to type. pkg-config names -lctrs: the linker takes libctrs.so where there
# is one, unless it is told not to.
link_told() {
    # shellcheck disable=SC2046
    cc -o "$1" $(module --cflags) "$here/source/probe.c" \
        -Wl,-Bstatic $(module --libs) -Wl,-Bdynamic $(module --static --libs-only-l | sed 's/-lctrs//')
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
    expect "link $1: libraries needed" "$2" \
        "$(readelf -d "probe-$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\.so.*/\1/p' | sort | xargs)"
    on probe "./probe-$1" >"$1.out" 2>&1 || fail "link $1: exit $?"
    compare "link $1: what it prints" "$work/ref.out" "$1.out"
}

# Fully static programs are usually made with musl, which needs Rust's library for that target.
musl() {
    local target=x86_64-unknown-linux-musl
    skip "musl: needs the Rust target $target and a build of ctrs for it"
}

namespace probe
cc -o probe-ref "$here/source/probe.c" -lnetfilter_conntrack
on probe ./probe-ref >"$work/ref.out" 2>&1
expect 'reference: its last line' 'seen 2, mark 0x2a' "$(tail -n 1 "$work/ref.out")"
linked alone 'libc libgcc_s'
linked told 'libc libgcc_s'
linked all ''
musl
verdict
