# SPDX-License-Identifier: MIT OR Apache-2.0
# What scripts have in common that run programs against the kernel in a namespace of its own. They set
# CTRS_STAGE and module, the name of the pkg-config file below it, and end with finish.

. "${BASH_SOURCE[0]%/*}/counts.bash"

pc=$(find "$CTRS_STAGE/" -name "$module.pc" 2>/dev/null | head -n 1)
[ -n "$pc" ] || { echo "no $module.pc below $CTRS_STAGE"; exit 1; }
export PKG_CONFIG_PATH=${pc%/*}
read -ra flags <<<"$(pkg-config --cflags --libs "$module")"
libdir=$(pkg-config --variable=libdir "$module")

# kernel ARGUMENTS...: the distribution's conntrack on the distribution's library.
kernel() {
	env -u LD_LIBRARY_PATH conntrack "$@" 2>/dev/null
}

# says PATTERN COMMAND...: the command succeeds and its output, standard error included, matches.
says() {
	local pattern=$1 output
	shift
	output=$("$@" 2>&1) || { echo "exit status $?: $output"; return 1; }
	echo "$output"
	grep -Eq -- "$pattern" <<<"$output"
}

# refuses PATTERN COMMAND...: the command fails, and says why.
refuses() {
	local pattern=$1 output
	shift
	output=$("$@" 2>&1) && { echo "succeeded: $output"; return 1; }
	echo "$output"
	grep -Eq -- "$pattern" <<<"$output"
}

# counts NUMBER COMMAND...: the command succeeds and prints so many lines on standard output.
counts() {
	local wanted=$1 output
	shift
	output=$("$@" 2>/dev/null) || return 1
	echo "$output"
	[ "$(grep -c . <<<"$output")" = "$wanted" ]
}

# bound GROUP: a socket has bound a group of logged packets, or does in time.
bound() {
	for _ in {1..1500}; do
		grep -q "^ *$1 " /proc/net/netfilter/nfnetlink_log && return
		sleep 0.02
	done
	return 1
}

# read_packets OPTIONS...: tcpdump on a file. When root runs it, it becomes another user, of whom the namespace of
# an ordinary user has none: there it runs as nobody, to whom the kernel gives the file all the same.
read_packets() {
	local as=()
	! grep -q ' 1$' /proc/self/uid_map || as=(unshare --user)
	"${as[@]}" tcpdump "$@"
}

# subscribed PID: waits until the process listens to events.
subscribed() {
	for _ in {1..300}; do
		awk -v pid="$1" '$2 == 12 && $3 == pid && $4 !~ /^0+$/ { found = 1 } END { exit !found }' \
			/proc/net/netlink && return
		sleep 0.1
	done
	return 1
}
