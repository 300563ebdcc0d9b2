#!/usr/bin/env bash
# All tests, after the library was staged at CTRS_STAGE. Every suite runs; any failure fails, and so
# does a test that did not run, which says so in a line with SKIP. CTRS_USER=1 only names those.
set -uo pipefail
cd "$(dirname "$0")/.."

: "${CTRS_STAGE:?the staged install: run make check}"
export CTRS_STAGE
export CTRS_COMPAT_DIR=$CTRS_STAGE/lib/ctrs/compat
export CTRS_LIB=$CTRS_STAGE/lib/libctrs.so
CARGO=${CARGO:-cargo}

passed=0
failed=()
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

suite() {
    local name=$1
    shift
    local begin=$SECONDS
    printf '== %s: %s\n' "$name" "$*"
    "$@" 2>&1 | tee "$logs/$name"
    if [ "${PIPESTATUS[0]}" = 0 ]; then
        passed=$((passed + 1))
        printf '== %s: passed in %d s\n' "$name" "$((SECONDS - begin))"
    else
        failed+=("$name")
        printf '== %s: FAILED after %d s\n' "$name" "$((SECONDS - begin))"
    fi
}

tests=(--manifest-path capi-tests/Cargo.toml)
suite "rust" env CTRS_MIRROR_RUNS=100000 "$CARGO" test --features capi --all-targets --no-fail-fast
suite "rust documentation" "$CARGO" test --features capi --doc
suite "rust, what a C user relies on" "$CARGO" test "${tests[@]}" --all-targets --no-fail-fast
suite "reproducible build" capi-tests/reproducible.sh
suite "install" capi-tests/install.sh
suite "build systems" capi-tests/systems.sh
suite "C" capi-tests/c/run.sh
suite "C under valgrind" env VALGRIND=1 capi-tests/c/run.sh
suite "C with sanitizers" env SANITIZE=1 capi-tests/c/run.sh
suite "C, built against the original" env DROPIN=1 capi-tests/c/run.sh
suite "JSON, saved and restored" capi-tests/json/restore.sh
suite "examples" examples-c/check.sh
suite "cookbook" env CARGO="$CARGO" capi-tests/cookbook.sh
suite "services" capi-tests/services.sh
suite "examples in other languages" bindings/check.sh
suite "goldens, asked of the original" capi-tests/goldens/record.py
# As it was built for the tests, with the library as it is installed.
suite "differential" env CTRS_DIFF_LIBRARY="$CTRS_LIB" "$CARGO" run --quiet "${tests[@]}" --bin differential
# Its seed is printed; CTRS_CHURN_SEED has it begin with the same.
apart=()
[ "$(id -u)" = 0 ] || apart=(unshare --user --map-root-user)
suite "mirrors while flows come and go" "${apart[@]}" "$CARGO" run --quiet "${tests[@]}" --bin mirror churn
suite "drop-in" env FAST=1 PATIENCE=400 capi-tests/dropin/run
suite "drop-in, a library of empty answers" capi-tests/dropin/selftest empty

printf '%d passed, %d failed\n' "$passed" "${#failed[@]}"
[ ${#failed[@]} = 0 ] || printf 'failed: %s\n' "${failed[@]}"
skipped=$(cd "$logs" && grep -E '\bSKIP: |[1-9][0-9]* ignored' -- * | sed 's/SKIP: //; s/:/: /' | sort -u)
if [ -n "$skipped" ]; then
    printf 'did not run:\n%s\n' "$skipped"
fi
[ ${#failed[@]} = 0 ] || exit 1
[ -z "$skipped" ] || [ -n "${CTRS_USER:-}" ] || {
    printf 'a test that did not run is a failure, but for make check-user\n'
    exit 1
}
