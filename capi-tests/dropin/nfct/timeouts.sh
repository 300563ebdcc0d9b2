# shellcheck shell=bash
# Every command about timeout policies.

part_timeouts() {
    compare_commands timeouts 81
    expect 'policies that the reference lists' 6 "$(grep -c '\.tcp-all = {' "$work/ref" || true)"
    used
}
