# shellcheck shell=bash
# Every command about helpers, and what each sends.

part_helpers() {
    compare_commands helpers 27
    used
}
