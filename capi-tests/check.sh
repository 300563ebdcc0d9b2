#!/usr/bin/env bash
# All tests, after the library was staged at CTRS_STAGE. Every suite runs; any failure fails.
set -uo pipefail
cd "$(dirname "$0")/.."

: "${CTRS_STAGE:?the staged install: run make check}"
export CTRS_STAGE
export CTRS_COMPAT_DIR=$CTRS_STAGE/lib/ctrs/compat
export CTRS_LIB=$CTRS_STAGE/lib/libctrs.so
CARGO=${CARGO:-cargo}

passed=0
failed=()

suite() {
    local name=$1
    shift
    local begin=$SECONDS
    printf '== %s: %s\n' "$name" "$*"
    if "$@"; then
        passed=$((passed + 1))
        printf '== %s: passed in %d s\n' "$name" "$((SECONDS - begin))"
    else
        failed+=("$name")
        printf '== %s: FAILED after %d s\n' "$name" "$((SECONDS - begin))"
    fi
}

# The kernel is part of what is tested: a skip is a failure.
no_skips() {
    local log
    log=$(mktemp)
    "$@" 2>&1 | tee "$log"
    local status=${PIPESTATUS[0]}
    if grep -qE 'SKIPPED|[1-9][0-9]* skipped' "$log"; then
        echo "a test was skipped" >&2
        status=1
    fi
    rm -f "$log"
    return "$status"
}

suite "rust" no_skips "$CARGO" test --workspace --all-targets --no-fail-fast
suite "rust documentation" "$CARGO" test --doc
suite "reproducible build" capi-tests/reproducible.sh
suite "C" capi-tests/c/run.sh
suite "C under valgrind" env VALGRIND=1 capi-tests/c/run.sh
suite "C with sanitizers" env SANITIZE=1 capi-tests/c/run.sh
suite "C, built against the original" env DROPIN=1 capi-tests/c/run.sh
suite "examples" examples-c/check.sh
suite "differential" no_skips "$CARGO" run --quiet --release -p capi-tests --bin differential
suite "drop-in" env FAST=1 PATIENCE=240 capi-tests/dropin/run

printf '%d passed, %d failed\n' "$passed" "${#failed[@]}"
if [ "${#failed[@]}" -gt 0 ]; then
    printf 'failed: %s\n' "${failed[@]}"
    exit 1
fi
