#!/usr/bin/env bash
# Sources written for the reference: they build unchanged against ctrs' headers and its pkg-config
# module, by each of the usual build systems, and what they build runs on ctrs.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=programs/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/programs/lib.sh"

enter_private "$@"
find_stage
cp -r "$here/source" "$work/source"
cd "$work/source"
systems=(compiler cmake)
[ -n "${FAST:-}" ] || systems+=(autoconf meson rpath)

# The same source, with what the system has: what it prints is what all others must print.
build_reference() {
    cc -Wall -Wextra -Werror -o probe-ref probe.c -lnetfilter_conntrack
}

build_compiler() {
    cc -Wall -Wextra -Werror -I"$stage_dir/include/ctrs" -o "$1/probe" probe.c \
        -L"$CTRS_COMPAT_DIR" -lnetfilter_conntrack
}

build_autoconf() {
    (cd "$1" && autoreconf -i && ./configure && make)
}

build_meson() {
    (cd "$1" && meson setup build && ninja -C build && cp build/probe probe)
}

build_cmake() {
    (cd "$1" && cmake -B build && cmake --build build && cp build/probe probe)
}

# A program that finds ctrs by itself, wherever it is started from.
build_rpath() {
    # shellcheck disable=SC2046
    cc -o "$1/probe" probe.c $(module --cflags --libs libnetfilter_conntrack) \
        -Wl,-rpath,"$CTRS_COMPAT_DIR"
}

module() {
    PKG_CONFIG_PATH=$CTRS_COMPAT_DIR pkg-config "$@"
}

check_module() {
    expect 'version of the module' 1.1.1 "$(module --modversion libnetfilter_conntrack)"
    # shellcheck disable=SC2046
    cc -M $(module --cflags libnetfilter_conntrack) probe.c | tr ' ' '\n' |
        grep '/libnetfilter_conntrack/' | sort -u >headers
    expect 'headers of the system used' '' "$(grep -v "^$stage_dir/include/ctrs/" headers || true)"
    expect 'headers of ctrs used' 2 "$(grep -cE '/libnetfilter_conntrack(_tcp)?\.h$' headers)"
}

# built SYSTEM: run its program in a namespace and compare; ctrs-run tells the loader where to look.
built() {
    mkdir -p "$1"
    cp probe.c "$1/"
    if ! PKG_CONFIG_PATH=$CTRS_COMPAT_DIR "build_$1" "$1" >"$1.log" 2>&1; then
        fail "build with $1"
        tail -n 20 "$1.log"
        return 0
    fi
    program=$work/source/$1/probe
    rm -f "$work/loaded/"*
    if [ "$1" = rpath ]; then launch=(); else launch=("$stage_dir/bin/ctrs-run"); fi
    capture_launched "$work/ctrs" ctrs
    compare "built with $1: what it prints" "$work/ref" "$work/ctrs"
    check_loaded ctrs
}

# capture_launched FILE SIDE: without the search path that `capture` gives the loader.
capture_launched() {
    local code=0
    on probe env -u LD_LIBRARY_PATH LD_DEBUG=libs LD_DEBUG_OUTPUT="$work/loaded/$2" \
        "${launch[@]}" "$program" >"$1.stdout" 2>"$1.stderr" || code=$?
    show "$1" normalise_play "$code" # timeouts of 3000 are counted down
}

namespace probe
build_reference
program=$work/source/probe-ref
launch=()
capture_launched "$work/ref" ref
expect 'reference: its last line' 'seen 2, mark 0x2a' "$(tail -n 1 "$work/ref.stdout")"
check_loaded ref
check_module
for system in "${systems[@]}"; do
    built "$system"
done
tally
