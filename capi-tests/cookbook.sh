#!/bin/bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Runs what docs/cookbook shows: each task by a C program, by a Rust program and by a shell script, against the kernel in a
# network namespace of its own. The three have to give the same answer, and the right one.
#
#   cookbook.sh [PART...]    those of cookbook/, as look
#
#   CTRS_STAGE    prefix of an installation of ctrs with the drop-in libraries (required)
set -u
PATH=$PATH:/usr/sbin:/sbin # where ordinary users do not look
: "${CTRS_STAGE:?is the prefix ctrs was installed under}"
module=ctrs
root=$(cd "$(dirname "$0")/.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}

if [ "${1-}" != --inside ]; then
	"$root/capi-tests/deps.sh" check || exit
	# As the suite of Rust has built them.
	"${CARGO:-cargo}" build --quiet --manifest-path "$root/Cargo.toml" --features capi --examples || exit
	user=()
	[ "$(id -u)" = 0 ] || user=(unshare --user --map-root-user)
	CTRS_ROOT=$(id -u) exec "${user[@]}" unshare --net "$0" --inside "$@"
fi
shift
[ $# -gt 0 ] || set -- look inspect change watch packets

. "$root/capi-tests/checks.bash"
export PATH=$CTRS_STAGE/bin:$PATH

# The C programs: those that run here, and nothing else has to compile.
programs='talkers new-json kill mark nat-list nat-log zones list-json batch-load lookup ended dropped nflog-pcap timeout
	expectations netns diagnose stats create'
for name in $programs; do
	check "cc $name.c" cc "$root/examples-c/$name.c" -o "$work/$name" "${flags[@]}"
done

# c, rust, shell NAME ARGUMENTS...: one of the twins.
c() {
	local name=$1
	shift
	LD_LIBRARY_PATH=$libdir "$work/$name" "$@"
}

rust() {
	local name=${1//-/_}
	shift
	"$target/debug/examples/$name" "$@"
}

shell() {
	local name=$1
	shift
	"$root/examples-sh/$name.sh" "$@" 2>>"$work/errors"
}

# Those that are run and compared.
languages='c rust shell'

# each NAME ARGUMENTS... [-- ARGUMENTS...]: all three, each after `prepare`; the shell may have arguments of its own.
# What they write is in $work/LANGUAGE then, and what they leave in $work/LANGUAGE.table. They read $input.
each() {
	local name=$1 language common=()
	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		common+=("$1")
		shift
	done
	if [ $# -gt 0 ]; then
		shift
	else
		set -- "${common[@]}"
	fi
	for language in $languages; do
		if [ "$language" = shell ]; then
			check "shell: $name $*" unresized one shell "$name" "$@"
		else
			check "$language: $name ${common[*]}" unresized one "$language" "$name" "${common[@]}"
		fi
	done
}

one() {
	local status
	prepare
	"$@" >"$work/$1" <"${input:-/dev/null}"
	status=$?
	table >"$work/$1.table"
	return $status
}

# unresized COMMAND...: again, if the machine's hash table was resized meanwhile: lists are not whole then, which the
# programs of C and Rust say in so many words, also when it has its old size again. No other failure is tried again.
unresized() {
	local buckets=/proc/sys/net/netfilter/nf_conntrack_buckets before status
	for _ in {1..20}; do
		before=$(cat $buckets)
		"$@" 2>"$work/said"
		status=$?
		cat "$work/said" >&2
		[ "$(cat $buckets)" = "$before" ] && ! grep -Eq 'list (them )?again|do it again' "$work/said" && break
	done
	return $status
}

prepare() { :; }

# table: what the flow table has, without what changes from one moment to the next.
table() {
	kernel -L | sed -E 's/^([a-z]+ +[0-9]+) [0-9]+ /\1 /; s/ use=[0-9]+//' | sort
}

# agree TASK PATTERN: all have written the same, and a line of it is as it should be.
agree() {
	local language
	for language in $languages; do
		check "$1: $language says what C says" diff "$work/c" "$work/$language"
	done
	check "$1: and it is right" grep -Exq -- "$2" "$work/c"
}

# leave TASK NUMBER PATTERN: all have left the same so many flows, and one is as it should be.
leave() {
	local language
	for language in $languages; do
		check "$1: $language leaves what C leaves" diff "$work/c.table" "$work/$language.table"
	done
	check "$1: so many are left" counts "$2" cat "$work/c.table"
	check "$1: and they are right" grep -Eq -- "$3" "$work/c.table"
}

# in_all COMMAND...: what the twins have written becomes what COMMAND makes of it.
in_all() {
	local language
	for language in $languages; do
		"$@" <"$work/$language" >"$work/log.$language" && mv "$work/log.$language" "$work/$language"
	done
}

# listen LANGUAGE NAME ARGUMENTS...: starts it, and waits until it hears: events, or with `group` packets.
listen() {
	rm -f "$work/$1"
	setsid bash -c 'exec >"$0" && "$@"' "$work/$1" run "$@" &
	pid=$!
	if [ -n "${group-}" ]; then
		check "$1: $2 binds its group" bound "$group"
	else
		check "$1: $2 listens" hears
	fi
}

# run LANGUAGE NAME ARGUMENTS...: as a process of its own.
run() {
	"$@"
}
export -f run c rust shell
export libdir work target root

# hears: somebody listens to events here.
hears() {
	for _ in {1..1000}; do
		awk '$2 == 12 && $4 !~ /^0+$/ { found = 1 } END { exit !found }' /proc/net/netlink && return
		sleep 0.02
	done
	return 1
}

# written NUMBER LANGUAGE: it has written so many lines, or does in time.
written() {
	for _ in {1..1000}; do
		[ "$(wc -l <"$work/$2")" -ge "$1" ] && return
		sleep 0.02
	done
	cat "$work/$2"
	return 1
}

# finished: what listens has ended of itself, or does in time, and is content.
finished() {
	for _ in {1..3000}; do
		[ -d "/proc/$pid" ] && ! grep -q '^State:.Z' "/proc/$pid/status" || { wait "$pid"; return; }
		sleep 0.02
	done
	kill -KILL -- "-$pid"
	return 1
}

# stop: ends what listens, with all that a script has started.
stop() {
	kill -TERM -- "-$pid" 2>"$work/log"
	wait "$pid"
}

# flow PORT SERVER_PORT [ARGUMENTS...]: a connection of 10.0.0.1 to 10.0.0.2.
flow() {
	local from=$1 to=$2
	shift 2
	kernel -I -p tcp -s 10.0.0.1 -d 10.0.0.2 --sport "$from" --dport "$to" --state ESTABLISHED -t 600 "$@" >"$work/log"
}

# send FROM TO NUMBER [ANSWERED]: datagrams of 100 bytes; the first is answered if that is said.
send() {
	python3 - "$@" <<-'END'
		import socket, sys
		sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
		for end, port in zip(sockets, sys.argv[1:3]):
		    end.bind(("127.0.0.1", int(port)))
		client, server = sockets
		for number in range(int(sys.argv[3])):
		    try:
		        client.sendto(bytes(100), server.getsockname())
		    except PermissionError: # it was dropped
		        pass
		    if len(sys.argv) > 4 and number == 0:
		        server.sendto(server.recvfrom(100)[0], client.getsockname())
		        client.recv(100)
	END
}

for part; do
	kernel -F
	echo 0 >/proc/sys/net/netfilter/nf_conntrack_acct
	prepare() { :; }
	. "$root/capi-tests/cookbook/$part.bash"
done
finish
