#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Compares ctrs with the libraries that it takes the place of on other processors: random calls to all of
# them on i686 (32 bits, runs here) and on s390x (big endian, under qemu), and Debian's conntrack:i386 with
# this kernel on both libraries. Debian's packages are unpacked below the target folder; none is installed.
#
#   reference.sh [i386] [s390x]      CTRS_DIFF_CALLS says how many calls, of each library 50000
#
# As root: what runs here sees the unpacked packages as part of /usr, in a mount namespace of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
. capi-tests/root.bash
. capi-tests/originals.bash
CARGO=${CARGO:-cargo}
target=$(realpath "${CARGO_TARGET_DIR:-target}")
export CTRS_DIFF_CALLS=${CTRS_DIFF_CALLS:-50000}
differential=(--quiet --release --manifest-path capi-tests/Cargo.toml --no-default-features --bin differential)
passed=0 failed=0 log=$(mktemp)
trap 'rm -f "$log"' EXIT

# build TRIPLE LINKER: the library, and what makes random calls to it.
build() {
    local linker=CARGO_TARGET_${1//-/_}_LINKER
    make --no-print-directory stage "CARGO_BUILD_TARGET=$1" "CC=$2" >/dev/null
    env "${linker^^}=$2" "$CARGO" build "${differential[@]}" --target "$1"
}

# count COMMAND...: a suite, whose last line says how many tests passed and failed.
count() {
    local last status=0
    "$@" | tee "$log" || status=$?
    last=$(tail -n 1 "$log")
    if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]] && [ $((status != 0)) = $((BASH_REMATCH[2] != 0)) ]; then
        passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
    else
        echo "FAIL: did not reach its end: $*"
        failed=$((failed + 1))
    fi
}

# with_usr COMMAND...: runs it where Debian's packages for i386 lie over /usr, conntrack too.
with_usr() {
    # shellcheck disable=SC2016 # for the other shell
    unshare --mount sh -c 'mount -t overlay reference -o "lowerdir=$0/usr:/usr" /usr && exec "$@"' "$root" "$@"
}

i386() {
    local triple=i686-unknown-linux-gnu
    build "$triple" i686-linux-gnu-gcc
    unpack "$target/reference" i386
    echo '== i686: random calls to both libraries'
    count with_usr env "CTRS_DIFF_WORKER=$target/$triple/release/differential" \
        "CTRS_DIFF_LIBRARY=$target/$triple/stage/lib/libctrs.so" \
        CTRS_DIFF_REFERENCE=/usr/lib/i386-linux-gnu "$target/release/differential"
    echo '== i686: conntrack:i386 on both libraries'
    count with_usr env FAST=1 "CTRS_COMPAT_DIR=$target/$triple/stage/lib/ctrs/compat" \
        capi-tests/dropin/run conntrack
}

s390x() {
    local triple=s390x-unknown-linux-gnu libraries
    build "$triple" s390x-linux-gnu-gcc
    unpack "$target/reference" s390x
    libraries=$root/usr/lib/s390x-linux-gnu
    echo '== s390x: random calls to both libraries'
    echo '# not run under qemu: verdicts of filter programs, which it does not hand out, and libnetfilter_log,'
    echo '# whose handles it does not open'
    count env CTRS_DIFF_EMULATED=1 "CTRS_DIFF_WORKER=qemu-s390x-static -L $root $target/$triple/release/differential" \
        "CTRS_DIFF_LIBRARY=$target/$triple/stage/lib/libctrs.so" "CTRS_DIFF_REFERENCE=$libraries" \
        "$target/release/differential" libnetfilter_conntrack libnetfilter_cttimeout libnetfilter_cthelper
}

"$CARGO" build "${differential[@]}"
[ $# -gt 0 ] || set -- i386 s390x
for processor; do "$processor"; done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
