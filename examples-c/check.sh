#!/bin/bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Builds every example with every compiler and language version and runs each against the kernel, in a network namespace of its own; what they change is read back with other tools.
#
#   CTRS_STAGE    prefix of an installation of ctrs (required)
#   CTRS_MODULE   pkg-config module, default ctrs
#   CTRS_SONAME   library the programs must load, default libctrs.so.0
set -u
PATH=$PATH:/usr/sbin:/sbin # where ordinary users do not look
: "${CTRS_STAGE:?is the prefix ctrs was installed under}"
module=${CTRS_MODULE:-ctrs}
soname=${CTRS_SONAME:-libctrs.so.0}

if [ "${1-}" != --inside ]; then
	"$(dirname "$0")/../capi-tests/deps.sh" check || exit
	user=()
	[ "$(id -u)" = 0 ] || user=(unshare --user --map-root-user)
	exec "${user[@]}" unshare --net "$0" --inside
fi

here=$(cd "$(dirname "$0")" && pwd)
. "$here/../capi-tests/checks.bash"

# compile COMPILER STANDARD ARGUMENTS...: without a warning.
compile() {
	local compiler=$1 standard=$2
	shift 2
	# clang says that bool is younger than this, of the original's headers too.
	[[ $standard != *89 ]] || set -- -Wno-c99-extensions "$@"
	"$compiler" -std="$standard" -Wall -Wextra -Wpedantic -Werror "$@" "${compile_flags[@]}"
}

# build COMPILER STANDARD [-x c++] SOURCE: a program.
build() {
	compile "$@" -o "$work/other" -x none "${flags[@]}"
}
read -ra compile_flags <<<"$(pkg-config --cflags "$module")"

sources=("$here"/*.c)
for compiler in gcc clang; do
	for standard in c89 gnu89 c99 c11 c17 c2x; do
		check "$compiler -std=$standard" compile "$compiler" "$standard" -fsyntax-only "${sources[@]}"
	done
done
for compiler in g++ clang++; do
	for standard in c++98 c++11 c++14 c++17 c++20; do
		check "$compiler -std=$standard" compile "$compiler" "$standard" -fsyntax-only -x c++ "${sources[@]}"
	done
done

examples=$(cd "$here" && ls ./*.c)
for source in $examples; do
	source=$here/${source#./}
	name=$(basename "$source" .c)
	check "$name.c has under 100 lines" test "$(wc -l <"$source")" -lt 100
	check "clang $name.c" build clang c89 "$source"
	check "g++ $name.c" build g++ c++98 -x c++ "$source"
	# What a reader of the README types.
	check "cc $name.c" cc "$source" -o "$work/$name" "${flags[@]}"
	check "$name loads $soname from $CTRS_STAGE" \
		sh -c "LD_LIBRARY_PATH=$libdir ldd $work/$name | grep -F '$soname => $libdir/'"
done

run() {
	local name=$1
	shift
	LD_LIBRARY_PATH=$libdir "$work/$name" "$@"
}

# Lines without what changes from one moment to the next.
steady() {
	sed -E 's/^([a-z0-9]+ +[0-9]+) [0-9]+ /\1 /; s/ use=[0-9]+//' | sort
}

same_list() {
	diff <(run list 2>/dev/null | steady) <(kernel -L | steady)
}

in_proc() {
	grep -Eq -- "$1" /proc/net/nf_conntrack
}

client=(10.0.0.1 1000 10.0.0.2 80)
check "an empty list" says '^0 flows$' run list
check "create a plain flow" run create plain "${client[@]}"
check "create a flow with source NAT" run create snat 10.0.0.1 1001 10.0.0.2 80 192.168.9.9 4000
check "create a flow with destination NAT" run create dnat 10.0.0.1 1002 10.0.0.2 80 192.168.9.8 8080
check "the plain flow is there" says 'ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=1000 dport=80 .*src=10.0.0.2 dst=10.0.0.1 sport=80 dport=1000' \
	kernel -L
check "its source is translated" says 'sport=1001 .*src=10.0.0.2 dst=192.168.9.9 sport=80 dport=4000' kernel -L --src-nat
check "its destination is translated" says 'sport=1002 .*src=192.168.9.8 dst=10.0.0.1 sport=8080 dport=1002' kernel -L --dst-nat
check "/proc shows the flow" in_proc 'tcp +6 [0-9]+ ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=1000 dport=80 '
check "an IPv6 flow, from outside" kernel -I -p udp -s fd00::1 -d fd00::2 --sport 53 --dport 54 -t 600
check "list counts four" says '^4 flows$' run list
check "list shows what conntrack -L shows" same_list
check "create refuses what exists" refuses 'delete it first' run create plain "${client[@]}"

check "stats counts what is there" says '^4 flows here, [0-9]+ at most' run stats
check "stats counts what was created" says '^CPU [0-9]+: [0-9]+ flows created by requests$' run stats

check "stats says what is in the way of events" says '^The table holds 4 of at most ' run stats

# json FILTER: list-json prints objects of which jq makes this, one a line.
json() {
	run list-json "${@:2}" | jq -c "$1"
}

check "list-json lists four objects" counts 4 json .
check "list-json names what it lists" says '^\["udp","fd00::1",54\]$' json '.original | [.protocol, .src, .dport]'
check "list-json lists what matches" says '^1001$' json .original.sport 'tcp and snat'
check "list-json lists nothing else" counts 1 json . 'tcp and snat'
check "list-json points at what is wrong" refuses 'byte 4' run list-json 'tcp an snat'

check "sum counts what there is" says '^4 flows, 0 bytes$' run sum
check "sum counts what matches" says '^1 flows, 0 bytes$' run sum 'tcp and snat'
check "sum says what is wrong in an expression" refuses 'byte 4' run sum 'tcp an snat'

check "get finds the flow" says '^tcp .* sport=1000 dport=80 ' run get "${client[@]}"
check "get of nothing says so" refuses 'no such flow' run get 10.0.0.1 9 10.0.0.2 80
check "update-mark" run update-mark "${client[@]}" 0x2a
check "the mark is set" says 'sport=1000 .*mark=42' kernel -G -p tcp -s 10.0.0.1 --sport 1000 -d 10.0.0.2 --dport 80
check "update-mark of nothing says so" refuses 'no such flow' run update-mark 10.0.0.1 9 10.0.0.2 80 1
check "dump-by-mark finds the one" counts 1 run dump-by-mark 42
check "dump-by-mark shows it" says ' sport=1000 .*mark=42' run dump-by-mark 0x2a
check "dump-by-mark with a mask" counts 1 run dump-by-mark 2 2
check "dump-by-mark finds the others" counts 3 run dump-by-mark 0
check "dump-by-status finds the source NAT" says 'sport=1001 ' run dump-by-status src_nat
check "dump-by-status finds one source NAT" counts 1 run dump-by-status src_nat
check "dump-by-status finds one destination NAT" counts 1 run dump-by-status dst_nat
check "dump-by-status finds those without" counts 3 run dump-by-status '!src_nat'
check "dump-by-status of an unknown name" refuses usage run dump-by-status nonsense

counting=/proc/sys/net/netfilter/nf_conntrack_acct
echo 0 >$counting
check "diagnose counts flows" says '^The table holds 4 of at most ' run diagnose
check "diagnose says what is not counted" says '^nf_conntrack_acct is 0: flows have no counters; sysctl' run diagnose
echo 1 >$counting
check "diagnose is content with what was changed" sh -c '! grep nf_conntrack_acct "$0"' <(run diagnose)
check "diagnose of no namespace says so" refuses 'no network namespace' run diagnose /no/such

check "delete" run delete "${client[@]}"
check "the flow is gone" refuses '' kernel -G -p tcp -s 10.0.0.1 --sport 1000 -d 10.0.0.2 --dport 80
check "delete of nothing says so" refuses 'no such flow' run delete "${client[@]}"
check "delete-by-address deletes what the address began" says '^2 deleted$' run delete-by-address 10.0.0.1
check "the IPv6 flow is left" says '^udp .*src=fd00::1 ' kernel -L -f ipv6
check "and it alone" says '^1 flows$' run list
check "delete-by-address of nothing deletes nothing" says '^0 deleted$' run delete-by-address 10.0.0.2
check "flush" run flush
check "nothing is left" says '^$' kernel -L
check "/proc is empty" sh -c '! grep -q . /proc/net/nf_conntrack'

check "batch-load makes flows, more than a batch" says '^1200 created, 0 refused$' run batch-load 1200
check "they are there" says '^1200$' kernel -C
check "batch-load says of each that is there already" refuses '^3: cannot create the flow: .* belongs to another flow' \
	run batch-load 3
run list-json 'sport 7 or sport 1100' >"$work/saved"
kernel -F
echo '{"mark":1}' >>"$work/saved"
echo 'no JSON' >>"$work/saved"
check "batch-load says which line it cannot read" refuses '^4: ' run batch-load <"$work/saved"
check "batch-load creates the others" counts 2 run list-json 'udp and dport 53'
check "batch-load counts what it cannot create" refuses '^0 created, 4 refused$' run batch-load <"$work/saved"
kernel -F

# A listener that is to be told of every end, and has no room for it.
python3 - <<-'END' &
	import socket, time
	listener = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
	listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
	listener.setsockopt(270, 4, 1)
	listener.setsockopt(270, 5, 1)
	listener.bind((0, 4))
	time.sleep(30)
END
listener=$!
subscribed "$listener"
run batch-load 30 >"$work/log"
kernel -F
check "list-json lists flows that have ended" grep -q '"dying"' <(run list-json all dying)
check "and no others" counts 0 json 'select(.status | index("dying") | not)' all dying
check "the table has none of them" says '^0 flows$' run list
kill "$listener"
wait "$listener"

# What one flow that is busy and one that is not look like from outside.
ip link set lo up
nft 'add table ip top; add chain ip top out { type filter hook output priority 0; }; add rule ip top out ct state new'
python3 - <<-'END' &
	import socket, time
	pairs = [[socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)] for _ in range(2)]
	for number, (client, server) in enumerate(pairs):
	    server.bind(("127.0.0.1", 7002 + 2 * number))
	    client.bind(("127.0.0.1", 7001 + 2 * number))
	for _ in range(25):
	    pairs[0][0].sendto(bytes(972), ("127.0.0.1", 7002))
	    pairs[1][0].sendto(bytes(72), ("127.0.0.1", 7004))
	    time.sleep(0.1)
END
run top 1 >"$work/top.out" 2>&1
check "top shows the busiest flow first" grep -E '^ +[0-9]{4,5}  17 127.0.0.1 7001 > 127.0.0.1 7002$' <(sed -n 3p "$work/top.out")
check "top shows the other flow" grep -E '^ +[0-9]{3,4}  17 127.0.0.1 7003 > 127.0.0.1 7004$' <(sed -n 4p "$work/top.out")
check "top shows each flow once" test "$(wc -l <"$work/top.out")" = 4
wait
run flush

for port in 1 2 3; do run create plain 10.0.0.1 $port 10.0.0.2 80; done
check "kill -n says what it would delete" says '^2 flows match$' run kill -n 'sport 1-2'
check "and deletes nothing" says '^3 flows$' run list
check "kill deletes it" says '^2 deleted, 0 gone before$' run kill 'sport 1-2'
check "and nothing else" says ' sport=3 dport=80 ' run list
check "kill points at what is wrong" refuses '^ +\^ ' run kill 'tcp and dprt 80'
check "kill deletes all if told to" says '^1 deleted' run kill all

# A flow with room for labels, by a rule that uses one.
nft 'add table ip labels; add chain ip labels out { type filter hook output priority 0; }; add rule ip labels out ct label set 5'
echo '5 web' >"$work/labels"
flow() {
	LABELS=$work/labels run flow "${client[@]}" "$@"
}
run create plain "${client[@]}"
check "flow prints one" says ' sport=1000 dport=80 .*mark=0 ' flow
check "flow marks it under a mask" says ' mark=66 ' flow mark 0x142 0xff
check "and leaves the other bits" says ' mark=322 ' flow mark 0x100 0x100
check "flow sets a label by its name" says ' labels=web$' flow set web
check "flow clears it" sh -c 'grep mark= "$0" | grep -v labels' <(flow clear web)
check "flow says which label there is not" refuses 'no label has this name' flow set wbe
check "flow deletes it, and says what it was" says ' mark=322 ' flow delete
check "flow says that it is gone" refuses 'cannot get the flow: no such flow' flow delete
check "flow explains itself" refuses '^usage: ' flow mark 1

check "expectations of none" says '^$' run expectations
run create plain 10.0.0.1 1000 10.0.0.2 21
run list-json 'dport 21' | jq -c '.helper = {"name": "ftp"}' >"$work/master"
kernel -F
if run batch-load <"$work/master" >/dev/null 2>&1; then # where there is nf_conntrack_ftp
	kernel -I expect -p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1000 --dport 21 -t 60 \
		--mask-src 255.255.255.255 --mask-dst 255.255.255.255 --mask-port-src 0 --mask-port-dst 65535 \
		--tuple-src 10.0.0.2 --tuple-dst 10.0.0.1 --tuple-port-src 0 --tuple-port-dst 2021
	check "expectations lists what there is" says \
		'^ftp expects protocol [0-9]+ from 10.0.0.2 to 10.0.0.1 port [0-9]+, for [0-9]+ seconds$' run expectations
fi
kernel -F

listen() {
	LD_LIBRARY_PATH=$libdir "$work/watch" "$@" >"$work/watch.out" 2>&1 &
	pid=$!
	check "watch $* subscribes" subscribed "$pid"
}

# lose ARGUMENT...: what runs behind does not read while batch-load makes flows.
lose() {
	kill -STOP "$pid"
	run batch-load "$@" >/dev/null
	kill -CONT "$pid"
}
# written PATTERN NAME: in the end what the example writes matches.
written() {
	for ((tries = 600; tries > 0; tries--)); do
		grep -Eq -- "$1" "$work/$2.out" && return
		sleep 0.05
	done
	cat "$work/$2.out"
	return 1
}

listen 'dport 8' 1
for port in 7 8; do run create plain 10.0.0.3 7 10.0.0.4 $port; done
check "watch ends when nothing has come" wait "$pid"
check "watch prints what matches, and nothing else" \
	says '^\{.*"event": *"new".*"dport": *8[,}]' cat "$work/watch.out"
check "one line" test "$(wc -l <"$work/watch.out")" = 1
listen all 0 /proc/self/ns/net
kill -INT "$pid"
check "an interrupt ends watch" wait "$pid"
listen 'udp or dport 8'
lose 2000
check "watch says how many events were lost" written '^\{"event":"lost","count":[1-9][0-9]*\}$' watch
run create plain 10.0.0.3 11 10.0.0.4 8
check "and goes on" written '"sport": *11[,}]' watch
check "none is neither told nor counted" test "$(($(grep -c '"dport": *53' "$work/watch.out") + \
	$(sed -n 's/.*"count":\([0-9]*\).*/\1/p' "$work/watch.out")))" = 2000
kill -TERM "$pid"
check "watch ends by a signal" wait "$pid"
run flush
check "watch of no namespace says so" refuses 'no network namespace' run watch all 1 /no/such
check "watch says what is wrong in an expression" refuses 'byte 4' run watch 'tcp an snat'
run flush

mirror() {
	LD_LIBRARY_PATH=$libdir "$work/$1" "${@:2}" >"$work/$1.out" 2>&1 &
	pid=$!
	check "$1 subscribes" subscribed "$pid"
	check "$1 is settled" written '=' "$1"
}

run create plain 10.0.0.3 7 10.0.0.4 8
run create snat 10.0.0.3 7 10.0.0.5 80 192.0.2.1 4000
mirror mirror 'dport 80 or dport 8 or udp'
check "mirror begins with what is there" written '^= 2 flows' mirror
run create plain 10.0.0.3 9 10.0.0.4 8
check "mirror prints who talks to whom" written '^\+ protocol 6 10.0.0.3 port 9 > 10.0.0.4 port 8$' mirror
kernel -D -p tcp --sport 9 >/dev/null
check "mirror prints what ends" written '^- protocol 6 10.0.0.3 port 9 > 10.0.0.4 port 8' mirror
lose 9000
check "mirror says where events were lost" written '^\? [1-9][0-9]* events were lost$' mirror
run create plain 10.0.0.3 12 10.0.0.4 8
check "and goes on" written '^\+ protocol 6 10.0.0.3 port 12 > 10.0.0.4 port 8$' mirror
kill -INT "$pid"
check "an interrupt ends mirror" wait "$pid"
kernel -D -p tcp --sport 12 >/dev/null
kernel -D -p udp >/dev/null
check "mirror ends when nothing has happened" says '^= 2 flows' run mirror all 1
check "mirror says what is wrong in an expression" refuses 'byte 4' run mirror 'tcp an snat'
mirror nat-log
time='[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z'
check "nat-log begins with what is there" written "^$time \\+~ protocol 6 10.0.0.3 7 is 192.0.2.1 4000 to 10.0.0.5 80 zone 0 id [0-9]+" nat-log
run create snat 10.0.0.3 8 10.0.0.5 80 192.0.2.1 4001
check "nat-log says who has an address" written "^$time \\+ .* 10.0.0.3 8 is 192.0.2.1 4001 to" nat-log
kernel -D -p tcp --sport 8 >/dev/null
kernel -I -p icmp -s 10.0.0.3 -d 10.0.0.5 --icmp-type 8 --icmp-code 0 --icmp-id 77 -n 192.0.2.2 -t 60 >/dev/null
check "nat-log has ids of ICMP" written "^$time \\+ protocol 1 10.0.0.3 77 is 192.0.2.2 77 to 10.0.0.5 77 zone 0" nat-log
for zone in '--zone 5' '--orig-zone 6'; do # shellcheck disable=SC2086 # two words
	kernel -I -p udp -s 10.0.0.3 -d 10.0.0.5 --sport 9 --dport 53 -n 192.0.2.3 -t 60 $zone >/dev/null
	check "nat-log has the zone, $zone" written "^$time \\+ .* is 192.0.2.3 9 to 10.0.0.5 53 zone ${zone#* } id" nat-log
done
check "nat-log says until when" written "^$time - .* 10.0.0.3 8 is 192.0.2.1 4001 to" nat-log
kill -INT "$pid"
check "an interrupt ends nat-log" wait "$pid"
check "nat-log leaves out what is not translated" test "$(wc -l <"$work/nat-log.out")" = 7
began=$(date -u +%FT%TZ)
TZ=XYZ-9 mirror nat-log
# As the flow of port 4000, many more.
run list-json | grep '"dport":4000' | awk '{ for (i = 5001; i <= 14000; i++) { line = $0
	sub(/"sport":7,/, "\"sport\":" i ",", line); sub(/"dport":4000/, "\"dport\":" i, line); print line } }' >"$work/many"
lose <"$work/many"
check "nat-log has a line where a gap is" written "^$time \\? [1-9][0-9]* events were lost$" nat-log
run create snat 10.0.0.3 8 10.0.0.5 80 192.0.2.1 4001
check "nat-log goes on" written "^$time \\+~? .* 10.0.0.3 8 is 192.0.2.1 4001 to" nat-log
kill -INT "$pid"
check "an interrupt ends it then, too" wait "$pid"
check "nat-log has UTC, whatever the zone" sh -c "sed 's/ .*//' '$work/nat-log.out' | sort -c &&
	[ '$began' '<' \"\$(tail -n 1 '$work/nat-log.out')\" ] && [ \"\$(tail -n 1 '$work/nat-log.out')\" '<' '$(date -u +%FT%TZ) z' ]"
mirror nat-log 1
kill -TERM "$pid"
check "and what is not flushed is written in the end" wait "$pid"
run flush

watch() {
	LD_LIBRARY_PATH=$libdir "$work/events" "$@" >"$work/events.out" 2>&1 &
	pid=$!
	check "events $* subscribes" subscribed "$pid"
}

watch 3 10
check "events has $soname mapped" grep -F "$CTRS_STAGE" "/proc/$pid/maps"
check "events has $soname mapped and nothing in its place" \
	sh -c "grep -o '/.*lib.*conntrack.*\|/.*libctrs.*' /proc/$pid/maps | sort -u | grep -c . | grep -qx 1"
kernel -I -p tcp -s 10.0.0.3 -d 10.0.0.4 --sport 7 --dport 8 --state SYN_SENT -t 60 >/dev/null
kernel -U -p tcp -s 10.0.0.3 -d 10.0.0.4 --sport 7 --dport 8 --mark 5 >/dev/null
kernel -D -p tcp -s 10.0.0.3 -d 10.0.0.4 --sport 7 --dport 8 >/dev/null
check "events ends after three" wait "$pid"
check "a new flow" grep -E '^ +\[NEW\] tcp .*src=10.0.0.3 .* id=[0-9]+' "$work/events.out"
check "a changed flow" grep -E '^ +\[UPDATE\] tcp .*src=10.0.0.3 .*mark=5' "$work/events.out"
check "a flow that ended" grep -E '^ *\[DESTROY\] tcp .*src=10.0.0.3' "$work/events.out"
check "three lines" test "$(wc -l <"$work/events.out")" = 3
watch
kill -INT "$pid"
check "an interrupt ends events" wait "$pid"
watch 0 1
check "events ends after a second" wait "$pid"

# What is sent to port 7 of this host is logged.
nft 'add table inet logged; add chain inet logged out { type filter hook output priority 0; }'
nft 'add rule inet logged out udp dport 7 log group 5 prefix "seven "'
log() {
	LD_LIBRARY_PATH=$libdir "$work/$1" "${@:2}" >"$work/$1.out" 2>&1 &
	pid=$!
	check "$1 binds its group" bound 5
}
send() {
	for ((left = $1; left > 0; left--)); do printf packet >/dev/udp/127.0.0.1/7; done
}

log nflog 5 3
send 3
check "nflog ends after three packets" wait "$pid"
check "nflog prints them" counts 3 cat "$work/nflog.out"
check "nflog says what they are" says '^[0-9:]{8} seven  out lo uid 0 127.0.0.1 > 127.0.0.1 34 bytes$' cat "$work/nflog.out"
log nflog 5
check "nflog says who has a group" refuses 'group 5' run nflog 5
kill -INT "$pid"
check "an interrupt ends nflog" wait "$pid"
log nflog-pcap 5 "$work/packets" 3
send 4
check "nflog-pcap ends after three packets" wait "$pid"
check "tcpdump reads them" counts 3 read_packets -nr "$work/packets"
check "and what they are" says 'IP 127.0.0.1.[0-9]+ > 127.0.0.1.7: UDP, length 6$' read_packets -nr "$work/packets"

check "timeout makes a policy" run timeout short 6 established 600
check "timeout lists it" says '^{"name":"short","family":"ipv4","protocol":"tcp",.*"established":600,.* used by 0 rules$' \
	run timeout
check "nfct shows it" says 'ESTABLISHED = 600,$' nfct get timeout short
check "timeout says which state is none" refuses 'no state replied' run timeout short 6 replied 1
check "timeout sets defaults" run timeout - 17 unreplied 31
check "the sysctl shows it" says '^31$' cat /proc/sys/net/netfilter/nf_conntrack_udp_timeout
check "timeout deletes it" run timeout -d short
check "timeout says what is gone" refuses 'no policy of this name' run timeout -d short

for source in $examples; do
	name=$(basename "$source" .c)
	arguments=() advice='CAP_NET_ADMIN.*root'
	case $name in
	get | delete | flow) arguments=("${client[@]}") ;;
	update-mark) arguments=("${client[@]}" 1) ;;
	create) arguments=(plain "${client[@]}") ;;
	delete-by-address) arguments=(10.0.0.1) ;;
	dump-by-mark) arguments=(1) ;;
	dump-by-status) arguments=(assured) ;;
	batch-load) arguments=(2) advice='^2: .*CAP_NET_ADMIN' ;;
	kill) arguments=(all) ;;
	nflog | dropped) arguments=(5) ;;
	mark) arguments=(all 1) ;;
	netns) arguments=($$) ;;
	nflog-pcap) arguments=(5 "$work/packets") ;;
	esac
	check "$name without CAP_NET_ADMIN says what to do" refuses "$advice" \
		env LD_LIBRARY_PATH="$libdir" setpriv --bounding-set=-net_admin --inh-caps=-net_admin \
		"$work/$name" "${arguments[@]}"
done
for name in get create update-mark delete delete-by-address dump-by-mark dump-by-status kill nflog nflog-pcap mark dropped netns; do
	check "$name without arguments explains itself" refuses '^usage: ' run "$name"
done
finish
