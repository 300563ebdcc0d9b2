#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Compiles the library and all tests for other processors, and runs on some what needs no kernel of theirs:
# those of processors.tsv. What does not run there is in not-run.tsv, with the reason; a new test runs.
#
#   targets/check.sh [TRIPLE...]     all, or those
#
# `deps.sh targets` has installed what this takes. Optimised a little, for an emulator is slow.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
CARGO=${CARGO:-cargo}
. capi-tests/targets/not-run.bash
tests=(--manifest-path capi-tests/Cargo.toml --no-default-features)
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
export CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_PROFILE_DEV_DEBUG=0 CARGO_INCREMENTAL=0
export CTRS_MIRROR_RUNS=${CTRS_MIRROR_RUNS:-200}
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
    CC=${prefix}gcc RUNNER=$runner CTRS_STAGE=$CARGO_TARGET_DIR/$triple/stage \
        capi-tests/c/run.sh "${names[@]}"
}

# processor TRIPLE ARCHITECTURE PREFIX RUNNER STD
processor() {
    triple=$1 prefix=$3 runner=$4
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
        differential) there=$(grep -le "$what" capi-tests/src/bin/differential.rs) ;;
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
printf '\n%-32s %s\n' 'passed' 'compile library unit Rust C'
printf '%s\n' "${summary[@]}"
printf 'did not run, and why (not-run.tsv):\n'
rows not-run.tsv
printf '%d steps failed, in %d s; their output is in %s\n' "$faults" "$SECONDS" "$logs"
[ "$faults" = 0 ]
