# SPDX-License-Identifier: MIT OR Apache-2.0
# What of the tests runs for $triple, which $runner runs: all but what not-run.tsv says. For scripts at the top.
here=capi-tests/targets

rows() {
    grep -v '^#' "$here/$1"
}

# excluded SUITE: what of a suite does not run for $triple, a pattern a line.
excluded() {
    local where=emulated
    [[ $runner == qemu-* ]] || where=native
    rows not-run.tsv | awk -F '\t' -v suite="$1" -v where="all $where ${triple%%-*}" \
        '$1 == suite && index(" " where " ", " " $3 " ") { print $2 }'
}

# left SUITE NAME...: those of the names that run.
left() {
    local name pattern patterns
    mapfile -t patterns < <(excluded "$1")
    shift
    for name; do
        for pattern in "${patterns[@]}"; do
            # shellcheck disable=SC2053 # a pattern
            [[ $name != $pattern ]] || continue 2
        done
        printf '%s\n' "$name"
    done
}

# skips SUITE: the same for tests of Rust, by parts of their names or, with --exact, by the whole.
skips() {
    local name
    for name in $(excluded "$1"); do
        printf '%s\n' --skip "$name"
    done
}
