#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Compiles the library and all tests for other processors, those of processors.tsv, and runs them on some: under
# qemu what needs no kernel, on i686 with the one that is here. What does not run is in not-run.tsv, with the
# reason; a new test runs.
#
#   targets/check.sh [TRIPLE...]     all, or those
#
# `deps.sh targets` has installed what this takes. Optimised a little, for an emulator is slow.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
. capi-tests/root.bash
. capi-tests/originals.bash
CARGO=${CARGO:-cargo}
. capi-tests/targets/not-run.bash
tests=(--manifest-path capi-tests/Cargo.toml --no-default-features)
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
export CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_PROFILE_DEV_DEBUG=0 CARGO_INCREMENTAL=0
export CTRS_MIRROR_RUNS=${CTRS_MIRROR_RUNS:-200} CTRS_DIFF_CALLS=${CTRS_DIFF_CALLS:-50000}
summary=()
faults=0

# step NAME COMMAND...: runs it, and adds up what its lines say of tests.
step() {
    local name=$1 log=$logs/$triple-${1// /-} begin=$SECONDS status passed failed
    shift
    "$@" >"$log" 2>&1
    status=$?
    read -r passed failed < <(sed -nE 's/^(test result: [a-zA-Z]+\. )?([0-9]+) passed[;,] ([0-9]+) failed.*/\2 \3/p' \
        "$log" | awk '{ passed += $1; failed += $2 } END { print passed + 0, failed + 0 }')
    [ "$status" = 0 ] || {
        faults=$((faults + 1))
        tail -n 80 "$log"
    }
    printf '== %s: %s: %s, %d passed, %d failed, %d s\n' "$triple" "$name" \
        "$([ "$status" = 0 ] && echo "done" || echo FAILED)" "$passed" "$failed" "$((SECONDS - begin))"
    numbers+=("$passed")
    [ "$status" = 0 ]
}

# The library as Rust and C have it, and every test.
compile() {
    "$CARGO" check --quiet "${std[@]}" --features capi --all-targets --target "$triple" &&
        "$CARGO" check --quiet "${std[@]}" "${tests[@]}" --all-targets --target "$triple"
}

library() {
    make --no-print-directory stage "CARGO_BUILD_TARGET=$triple" "CARGO_FLAGS=${std[*]}" \
        "CROSS_COMPILE=$prefix"
}

unit_tests() {
    local skip
    mapfile -t skip < <(skips unit)
    "$CARGO" test "${std[@]}" --features capi --lib --target "$triple" -- "${skip[@]}"
}

rust_tests() {
    local names=() skip file chosen
    for file in capi-tests/tests/*.rs; do
        file=${file##*/}
        names+=("${file%.rs}")
    done
    mapfile -t chosen < <(left rust "${names[@]}")
    mapfile -t skip < <(skips test)
    # shellcheck disable=SC2046 # two words for each
    "$CARGO" test "${std[@]}" "${tests[@]}" --target "$triple" --no-fail-fast --lib --bins \
        $(printf -- '--test %s ' "${chosen[@]}") -- --exact "${skip[@]}"
}

c_tests() {
    local names=() file
    for file in capi-tests/c/*.c capi-tests/c/*.cpp; do
        file=${file##*/}
        names+=("${file%.*}")
    done
    mapfile -t names < <(left c "${names[@]}")
    CC=${prefix}gcc CXX=${prefix}g++ RUNNER=$runner CTRS_STAGE=$CARGO_TARGET_DIR/$triple/stage \
        capi-tests/c/run.sh "${names[@]}"
}

# What broken copies are made of, and what runs programs where it is found: Debian's libraries, and where none
# of those do, ctrs itself.
references() {
    if [ "$debian" = - ]; then
        reference=$CARGO_TARGET_DIR/$triple/stage/lib/libctrs.so
        run="${runner%% *} -E LD_LIBRARY_PATH=${reference%/*} ${runner#* }"
        return
    fi
    unpack "$target/reference" "$debian" || return
    reference=$(echo "$root"/usr/lib/*-linux-gnu*)
    run=$runner:$reference
    [[ $runner != qemu-* ]] || run="${runner%-L *}-L $root"
}

# The random calls tell broken copies of the references from them.
self_test() {
    local reference run compared
    "$CARGO" build "${std[@]}" "${tests[@]}" --target "$triple" --bin differential && references || return
    run+=" $CARGO_TARGET_DIR/$triple/debug/differential"
    [[ $runner != qemu-* ]] || run="env CTRS_DIFF_EMULATED=1 $run"
    mapfile -t compared < <(left differential libnetfilter_{conntrack,log,cttimeout,cthelper})
    # shellcheck disable=SC2086 # words
    CC=${prefix}gcc CTRS_DIFF_REFERENCE=$reference CTRS_DIFF_WORKER=$run $run --self-test "${compared[@]}"
}

# processor TRIPLE DEBIAN PREFIX RUNNER STD
processor() {
    triple=$1 debian=$2 prefix=$3 runner=$4
    local name=${1//-/_} numbers=() std=()
    export CARGO_TARGET_DIR=$target
    unset RUSTC_BOOTSTRAP
    if [ "$5" = source ]; then
        # A folder of its own: what a stable compiler builds with this set is not what others find.
        std=("-Zbuild-std=std,panic_unwind")
        export RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$target/built-std
    fi
    [ "$prefix" = - ] || export "CARGO_TARGET_${name^^}_LINKER=${prefix}gcc" "CARGO_TARGET_${name^^}_RUNNER=$runner"
    step compile compile
    if [ "$prefix" != - ]; then
        step library library && step 'unit tests' unit_tests
        step 'goldens, corpus and other tests' rust_tests
        step 'C programs' c_tests
        step 'self-test of the random calls' self_test
        summary+=("$triple ${numbers[*]}")
    fi
}

# Each line of not-run.tsv is about something that there is.
stale() {
    local suite what rest there
    while IFS=$'\t' read -r suite what rest; do
        case $suite in
        unit) there=${what%%::tests::*} there=${there%::} there=$(compgen -G "src/${there//:://}*") ;;
        rust) there=$(compgen -G "capi-tests/tests/$what.rs") ;;
        test) there=$(grep -l "fn $what" capi-tests/tests/*.rs) ;;
        differential) there=$(grep -l "\"$what\"" capi-tests/src/libraries.rs) ;;
        c) there=$(compgen -G "capi-tests/c/$what.c*") ;;
        *) there= ;;
        esac
        [ -n "$there" ] || echo "not-run.tsv: no $suite $what"
    done < <(rows not-run.tsv)
}

[ -z "$(stale)" ] || { stale; exit 1; }
logs=$target/targets
rm -rf "$logs"
mkdir -p "$logs"
while IFS=$'\t' read -ru3 -a row; do
    [ $# = 0 ] || [[ " $* " == *" ${row[0]} "* ]] || continue
    processor "${row[@]}"
done 3< <(rows processors.tsv)
printf '\n%-32s %s\n' 'passed' 'compile library unit Rust C self-test'
printf '%s\n' "${summary[@]}"
printf 'did not run, and why (not-run.tsv, and what tests say):\n'
rows not-run.tsv
grep -ho 'SKIP: .*' "$logs"/* | sort -u
printf '%d steps failed, in %d s; their output is in %s\n' "$faults" "$SECONDS" "$logs"
[ "$faults" = 0 ]
