#!/bin/bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Shows ctrs at work: C programs built on it list and watch real flows through a router of its own,
# and the distribution's conntrack, running on ctrs, lists the same ones.
#
#   CTRS_STAGE       prefix of an installation of ctrs
#   CTRS_COMPAT_DIR  directory of its libnetfilter_conntrack.so.3, default CTRS_STAGE/lib/ctrs/compat
#
# Everything happens in namespaces of its own (a user namespace too, when not root), which are gone
# when it ends. Exit status 0: all listings agree.
set -euo pipefail
: "${CTRS_STAGE:?is the prefix ctrs was installed under}"
compat=${CTRS_COMPAT_DIR:-$CTRS_STAGE/lib/ctrs/compat}
here=$(cd "$(dirname "$0")" && pwd)
export PATH=$PATH:/usr/sbin:/sbin

if [ "${1-}" != --inside ]; then
	"$here/deps.sh" demo
	user=()
	[ "$(id -u)" = 0 ] || user=(--map-root-user)
	exec unshare "${user[@]}" --net --mount --pid --fork --kill-child --mount-proc "$0" --inside
fi

title() {
	printf '\n== %s\n' "$*"
}

# --- build -----------------------------------------------------------------------------------------

mount -t tmpfs demo /run # where ip keeps the names of namespaces: these are seen here only
work=/run/demo
mkdir "$work"
client=ctrs-client-$$ server=ctrs-server-$$
clean_up() {
	trap - EXIT
	ip netns del "$client" 2>/dev/null || true
	ip netns del "$server" 2>/dev/null || true
	rm -rf "$work"
}
trap clean_up EXIT
trap 'echo "the demo failed at line $LINENO: $BASH_COMMAND" >&2' ERR
trap 'exit 130' INT TERM HUP

title "C programs, built with cc and pkg-config alone"
pc=$(find "$CTRS_STAGE/" -name ctrs.pc | head -n 1)
[ -n "$pc" ] || { echo "no ctrs.pc below $CTRS_STAGE: make stage" >&2; exit 2; }
export PKG_CONFIG_PATH=${pc%/*}
libdir=$(pkg-config --variable=libdir ctrs)
for source in "$here"/../examples-c/*.c; do
	name=$(basename "$source" .c)
	# shellcheck disable=SC2046 # a list of flags
	cc "$source" -o "$work/$name" $(pkg-config --cflags --libs ctrs)
	printf 'cc %s.c -o %s $(pkg-config --cflags --libs ctrs)\n' "$name" "$name"
done

example() {
	local name=$1
	shift
	LD_LIBRARY_PATH=$libdir "$work/$name" "$@"
}

# The distribution's conntrack on ctrs, and on its own library.
on_ctrs() {
	LD_LIBRARY_PATH=$compat conntrack "$@" 2>/dev/null
}

on_its_own() {
	env -u LD_LIBRARY_PATH conntrack "$@" 2>/dev/null
}

# loads NEEDLE PROGRAM DIRECTORY: says which file the loader takes for a library, and insists.
loads() {
	LD_LIBRARY_PATH=$3 ldd "$2" | grep -F "$1 => $3/" | sed "s|^[[:space:]]*|$(basename "$2"): |"
}

loads libctrs.so.0 "$work/list" "$libdir"
loads libnetfilter_conntrack.so.3 "$(command -v conntrack)" "$compat"

# --- a client, a router (this namespace) and a server ------------------------------------------------

title "A client, a router and a server in network namespaces of their own"
ip link set lo up
for side in 1:"$client" 2:"$server"; do
	name=${side#*:} number=${side%%:*}
	ip netns add "$name"
	ip link add "to$number" type veth peer name eth0 netns "$name"
	ip addr add "10.0.$number.1/24" dev "to$number"
	ip addr add "fd00:$number::1/64" dev "to$number" nodad
	ip link set "to$number" up
	ip -n "$name" link set lo up
	ip -n "$name" addr add "10.0.$number.2/24" dev eth0
	ip -n "$name" addr add "fd00:$number::2/64" dev eth0 nodad
	ip -n "$name" link set eth0 up
	ip -n "$name" route add default via "10.0.$number.1"
	ip -n "$name" route add default via "fd00:$number::1"
done
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
echo 1 >/proc/sys/net/netfilter/nf_conntrack_acct
nft -f - <<'END'
table ip nat {
	chain in { type nat hook prerouting priority dstnat;
		ip daddr 10.0.1.1 tcp dport 80 dnat to 10.0.2.2:8080; }
	chain out { type nat hook postrouting priority srcnat;
		ip daddr 10.0.2.2 tcp dport 8081 snat to 10.0.2.1:40000; }
}
table inet filter {
	chain forward { type filter hook forward priority filter;
		ct state new tcp dport 8081 ct mark set 42; }
}
END
echo "10.0.1.2, fd00:1::2 -- 10.0.1.1 [router, NAT] 10.0.2.1 -- 10.0.2.2, fd00:2::2"

cat >"$work/traffic.py" <<'END'
"""Server: echoes on TCP and UDP. Client: opens one flow of each kind and waits for a line."""
import selectors, socket, sys, threading

def server():
    ready = selectors.DefaultSelector()
    for family, any_address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        for port in (8080, 8081):
            s = socket.socket(family, socket.SOCK_STREAM)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            s.bind((any_address, port))
            s.listen()
            ready.register(s, selectors.EVENT_READ, "listen")
        s = socket.socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET6:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        s.bind((any_address, 5300))
        ready.register(s, selectors.EVENT_READ, "udp")
    print("ready", flush=True)
    while True:
        for key, _ in ready.select():
            if key.data == "listen":
                ready.register(key.fileobj.accept()[0], selectors.EVENT_READ, "tcp")
            elif key.data == "udp":
                data, peer = key.fileobj.recvfrom(2000)
                key.fileobj.sendto(data, peer)
            else:
                data = key.fileobj.recv(2000)
                if data:
                    key.fileobj.send(data)
                else:
                    ready.unregister(key.fileobj)
                    key.fileobj.close()

def client():
    tcp, udp, four, six = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.AF_INET, socket.AF_INET6
    flows = []
    for family, kind, address in (
            (four, tcp, ("10.0.2.2", 8080)), (four, udp, ("10.0.2.2", 5300)),
            (six, tcp, ("fd00:2::2", 8080)), (six, udp, ("fd00:2::2", 5300)),
            (four, tcp, ("10.0.1.1", 80)), (four, tcp, ("10.0.2.2", 8081))):
        s = socket.socket(family, kind)
        s.settimeout(5)
        s.connect(address)
        for _ in range(2):
            s.send(b"hello")
            assert s.recv(100) == b"hello"
        flows.append(s)
    print("ready", flush=True)
    sys.stdin.readline()
    for s in flows:
        s.close()

threading.Timer(60, lambda: __import__("os")._exit(1)).start() # never longer than this
server() if sys.argv[1] == "server" else client()
__import__("os")._exit(0)
END

# --- traffic -----------------------------------------------------------------------------------------

# wait_for COMMAND...: until it succeeds, five seconds at most.
wait_for() {
	for _ in $(seq 100); do
		"$@" && return
		sleep 0.05
	done
	echo "gave up waiting for: $*" >&2
	return 1
}

ip netns exec "$server" python3 "$work/traffic.py" server >"$work/server" &
wait_for grep -q ready "$work/server"
LD_LIBRARY_PATH=$libdir "$work/events" >"$work/events.out" 2>&1 &
events=$!
wait_for awk -v pid="$events" '$2 == 12 && $3 == pid && $4 !~ /^0+$/ { found = 1 } END { exit !found }' \
	/proc/net/netlink
mkfifo "$work/go"
ip netns exec "$client" python3 "$work/traffic.py" client >"$work/client" <"$work/go" &
talk=$!
exec 3>"$work/go"
ip netns exec "$client" ping -q -c 1 10.0.2.2 >/dev/null
ip netns exec "$client" ping -q -c 1 fd00:2::2 >/dev/null
wait_for grep -q ready "$work/client"
sleep 0.3 # for delayed acknowledgements: from here on the counters stand still

# Lines without what changes from one moment to the next: timeouts and reference counts.
steady() {
	sed -E 's/^([a-z0-9]+ +[0-9]+) [0-9]+ /\1 /; s/ use=[0-9]+//' | sort
}

title "The C program ./list: TCP, UDP and ICMP, IPv4 and IPv6, with and without NAT"
example list 2>"$work/count" | tee "$work/list.out"
cat "$work/count"
title "The distribution's conntrack -L, on ctrs"
on_ctrs -L | tee "$work/conntrack.out"

failed=0
# same WHAT FILE FILE: says whether two listings show the same flows.
same() {
	if diff <(steady <"$2") <(steady <"$3") >"$work/diff"; then
		echo "the same flows: $1"
	else
		echo "NOT THE SAME: $1"
		cat "$work/diff"
		failed=1
	fi
}

title "Compared"
on_its_own -L >"$work/reference.out"
same "./list and conntrack on ctrs" "$work/list.out" "$work/conntrack.out"
same "conntrack on ctrs and on the library it came with" "$work/conntrack.out" "$work/reference.out"
[ "$(grep -c . "$work/list.out")" -ge 8 ] || { echo "flows are missing"; failed=1; }

title "./get, ./update-mark, ./dump-by-mark and ./dump-by-status"
port=$(sed -n 's/.*dst=10.0.2.2 sport=\([0-9]*\) dport=8080 .*src=10.0.2.2 dst=10.0.1.2 .*/\1/p' "$work/list.out" | head -n 1)
example update-mark 10.0.1.2 "$port" 10.0.2.2 8080 7
example get 10.0.1.2 "$port" 10.0.2.2 8080 | tee "$work/get.out"
grep -q 'mark=7' "$work/get.out" || { echo "the mark is not there"; failed=1; }
echo "mark 42:"
example dump-by-mark 42
echo "destination NAT:"
example dump-by-status dst_nat

# --- the end of the flows ------------------------------------------------------------------------------

echo >&3
wait "$talk"
sleep 0.3 # for the last packets of the closing connections, which would make new flows
example flush
sleep 0.3
kill -INT "$events"
wait "$events"
title "What the C program ./events saw meanwhile"
cat "$work/events.out"
for kind in NEW UPDATE DESTROY; do
	printf '%s: %s\n' "$kind" "$(grep -c "\[$kind\]" "$work/events.out")"
	grep -q "\[$kind\]" "$work/events.out" || { echo "no $kind event came"; failed=1; }
done
left=$(on_its_own -L)
[ -z "$left" ] || { echo "still there: $left"; failed=1; }

title "$([ "$failed" = 0 ] && echo "All listings agree." || echo "Something differs: see above.")"
exit "$failed"
