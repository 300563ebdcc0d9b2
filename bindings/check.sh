#!/bin/bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Builds the programs of docs/ffi.md and runs each against the kernel, in a network namespace of its own.
#
#   CTRS_STAGE    prefix of an installation of ctrs (required)
set -u
PATH=$PATH:/usr/sbin:/sbin # where ordinary users do not look
: "${CTRS_STAGE:?is the prefix ctrs was installed under}"
module=ctrs

if [ "${1-}" != --inside ]; then
	"$(dirname "$0")/../capi-tests/deps.sh" check || exit
	user=()
	[ "$(id -u)" = 0 ] || user=(unshare --user --map-root-user)
	exec "${user[@]}" unshare --net "$0" --inside
fi

here=$(cd "$(dirname "$0")" && pwd)
. "$here/../capi-tests/checks.bash"
export LD_LIBRARY_PATH=$libdir

# Go without the network, and with its cache beside the installation.
export GOFLAGS='-mod=mod -buildvcs=false' GOPROXY=off GOENV=off GOTOOLCHAIN=local GOPATH=$work/go
GOCACHE=$(realpath -m "$CTRS_STAGE/../go-cache")
export GOCACHE
check "go vet" sh -c "cd '$here/go' && test -z \"\$(gofmt -l .)\" && go vet"
check "go build" sh -c "cd '$here/go' && go build -o '$work/flows-go'"
for compiler in g++ clang++; do
	for standard in c++11 c++20; do
		check "$compiler -std=$standard" "$compiler" -std="$standard" -Wall -Wextra -Wpedantic -Werror \
			"$here/cpp/flows.cpp" -o "$work/flows-cpp" "${flags[@]}"
	done
done
check "a program that makes flows" cc "$here/../examples-c/batch-load.c" -o "$work/load" "${flags[@]}"
check "flows" "$work/load" 3000

# try LANGUAGE COMMAND...: the three things that each program does.
try() {
	local language=$1
	shift
	check "$language lists all" says '^3000 flows' "$@" list
	check "$language reads what is in a record" says '^port 53 3000$' "$@" list
	check "$language deletes by expression" says '^1 matched, 1 deleted$' "$@" delete 'udp and sport 1007'
	check "$language has deleted it" says '^2999$' kernel -C
	check "$language deletes nothing else" says '^0 matched, 0 deleted$' "$@" delete 'udp and sport 1007'
	kernel -I -p udp -s 10.1.0.0 -d 10.2.0.1 --sport 1007 --dport 53 -t 600 >"$work/log"
	check "$language says what is wrong in an expression" refuses 'byte 12' "$@" delete 'udp and port'

	watch "$@" watch 2
	kernel -I -p tcp -s 10.0.0.3 -d 10.0.0.4 --sport 7 --dport 8 --state SYN_SENT -t 60 >"$work/log"
	kernel -D -p tcp -s 10.0.0.3 >"$work/log"
	check "$language ends after two events" wait "$pid"
	check "$language tells both" jq -se 'map([.event, .original.sport]) == [["new", 7], ["destroy", 7]]' "$work/out"
	watch "$@" watch
	kill -INT "$pid"
	check "$language ends by Ctrl-C" ended "$pid"
	check "$language without CAP_NET_ADMIN says what to do" refuses 'CAP_NET_ADMIN.*root' \
		setpriv --bounding-set=-net_admin --inh-caps=-net_admin "$@" list
	check "$language explains itself" refuses 'list [|] watch' "$@"
}

# watch COMMAND...: starts it, with the interrupt that a shell takes from what runs behind it.
watch() {
	env --default-signal=INT "$@" >"$work/out" 2>"$work/errors" &
	pid=$!
	check "$* subscribes" subscribed "$pid"
}

# ended PID: it ends, in time.
ended() {
	for _ in {1..300}; do
		[ -d "/proc/$1" ] && ! grep -q '^State:.Z' "/proc/$1/status" || return 0
		sleep 0.1
	done
	kill -KILL "$1"
	return 1
}

python=(/usr/bin/python3 "$here/python/flows.py")
try Python "${python[@]}"
try LuaJIT luajit "$here/luajit/flows.lua"
try Go "$work/flows-go"
try C++ "$work/flows-cpp"

# Logged packets.
ip link set lo up
nft 'add table inet logged; add chain inet logged out { type filter hook output priority 0; };
	add rule inet logged out udp dport 7 log group 5 prefix "seven "'
/usr/bin/python3 "$here/python/packets.py" 5 3 >"$work/out" 2>"$work/errors" &
pid=$!
check "Python binds a group" bound 5
for left in 3 2 1; do printf packet >/dev/udp/127.0.0.1/7; done
check "Python ends after three packets" wait "$pid"
check "Python prints them" says '^seven  127.0.0.1 127.0.0.1 34 bytes$' cat "$work/out"
check "three lines" test "$(wc -l <"$work/out")" = 3

# Events and a mirror, by records. Flows report, though nobody listens when they begin.
echo 1 >/proc/sys/net/netfilter/nf_conntrack_events
live=(/usr/bin/python3 "$here/python/live.py")
flow=(-p tcp -s 10.0.0.3 -d 10.0.0.4 --sport 7 --dport 8)
watch "${live[@]}" events 2
kernel -I "${flow[@]}" --state SYN_SENT -t 60 >"$work/log"
kernel -D "${flow[@]}" >"$work/log"
check "Python ends after two records" ended "$pid"
check "Python reads the first" says '^new 6 10.0.0.3 7 10.0.0.4 8 mark 0$' cat "$work/out"
check "Python reads the second" says '^destroy 6 10.0.0.3 7 10.0.0.4 8 mark 0$' cat "$work/out"
kernel -I "${flow[@]}" --state SYN_SENT -t 60 >"$work/log"
watch "${live[@]}" mirror 'tcp and mark 0' 3
for _ in {1..300}; do grep -q ^settled "$work/out" && break; sleep 0.1; done
kernel -U "${flow[@]}" -m 5 >"$work/log"
kernel -U "${flow[@]}" -m 0 >"$work/log"
check "Python ends after three changes" ended "$pid"
check "Python mirrors what is there, what leaves and what enters" \
	says '^[+] 6 .*mark 0 settled: 1 flows are kept - 6 .*mark 0 [+] 6 .*mark 0 $' tr '\n' ' ' <"$work/out"
watch "${live[@]}" mirror
kill -INT "$pid"
check "Python's mirror ends by Ctrl-C" ended "$pid"
check "Python's mirror explains" refuses 'CAP_NET_ADMIN' \
	setpriv --bounding-set=-net_admin --inh-caps=-net_admin "${live[@]}" mirror
check "Python's mirror says what is wrong in an expression" refuses 'byte 4' "${live[@]}" mirror 'port'
kernel -D "${flow[@]}" >"$work/log"

# A callback that raises.
"${python[@]}" watch >/dev/full 2>"$work/errors" &
pid=$!
subscribed "$pid"
kernel -I -p tcp -s 10.0.0.3 -d 10.0.0.4 --sport 7 --dport 8 --state SYN_SENT -t 60 >"$work/log"
check "Python ends when its callback raises" ended "$pid"
check "Python says what was raised" grep 'No space left' "$work/errors"
finish
