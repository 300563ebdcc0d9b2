# SPDX-License-Identifier: MIT OR Apache-2.0
# What scripts of tests have in common: $work, a folder that is gone when they end, and how many tests have passed
# and failed. They end with finish.

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

# check DESCRIPTION COMMAND...: one test, passed when the command succeeds. What it said is in $work/log.
check() {
	local what=$1
	shift
	if "$@" >"$work/log" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL: $what"
		sed 's/^/    /' "$work/log"
	fi
}

# expect DESCRIPTION WANTED FOUND: one test, passed when both are the same.
expect() {
	check "$1" diff <(printf '%s\n' "$2") <(printf '%s\n' "$3")
}

finish() {
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ]
	exit
}
