# SPDX-License-Identifier: MIT OR Apache-2.0
# docs/cookbook/look.md: what the table holds.

flow 1 22
flow 2 22 --src-nat 192.0.2.1:4000
flow 3 80 --dst-nat 10.9.0.9:8080
kernel -I -p tcp -s 10.0.0.7 -d 10.0.0.2 --sport 4 --dport 22 --state SYN_RECV -t 600 >"$work/log"
kernel -I -p tcp -s 10.0.0.7 -d 10.0.0.2 --sport 5 --dport 22 --state SYN_SENT -t 600 >"$work/log"
kernel -I -p tcp -s 10.0.0.7 -d 10.0.0.3 --sport 5 --dport 80 --state SYN_RECV -t 600 >"$work/log"
kernel -I -p tcp -s 10.0.0.7 -d 10.0.0.3 --sport 6 --dport 80 --state ESTABLISHED -t 600 -w 7 >"$work/log"
kernel -I -p udp -s fd00::1 -d fd00::2 --sport 53 --dport 54 -t 600 -w 7 >"$work/log"

each talkers
agree 'most flows' '      4 10\.0\.0\.7'
each talkers 1
check 'most flows, the first' diff <(echo '      4 10.0.0.7') "$work/c"
agree 'most flows, the first' '      4 10\.0\.0\.7'
matching() {
	diff <(c talkers 9 'dport 80') <(rust talkers 9 'dport 80')
}
check 'most flows, of those that match' unresized matching

each zones
agree 'zones' '      2 zone 7'
check 'zones, the others' grep -x '      6 zone 0' "$work/c"

each nat-list
in_all sort
agree 'NAT' 'protocol 6 10\.0\.0\.1 2 > 10\.0\.0\.2 22 as 192\.0\.2\.1 4000 > 10\.0\.0\.2 22'
check 'NAT, of destinations too' grep -x 'protocol 6 10.0.0.1 3 > 10.0.0.2 80 as 10.0.0.1 3 > 10.9.0.9 8080' "$work/c"
check 'NAT, and nothing else' counts 2 cat "$work/c"

behind='snat and tcp and reply dst 192.0.2.1 and reply dport 4000'
behind() {
	c nat-list "$behind" | sed -E 's/^protocol 6 (.*) > (.*) as .*/\1 \2/' >"$work/c"
	rust nat-list "$behind" | sed -E 's/^protocol 6 (.*) > (.*) as .*/\1 \2/' >"$work/rust"
	shell behind-port 192.0.2.1 4000 |
		sed -E 's/^tcp +6 .* src=(.*) dst=(.*) sport=(.*) dport=([0-9]*) .*src=.*/\1 \3 \2 \4/' >"$work/shell"
}
unresized behind
agree 'behind a port' '10\.0\.0\.1 2 10\.0\.0\.2 22'
check 'behind a port, one' counts 1 cat "$work/c"
python3 -c 'import socket, time
server = socket.create_server(("127.0.0.1", 7)); time.sleep(30)' &
server=$!
ip link set lo up
for _ in {1..300}; do
	ss -Hltn 'sport = :7' | grep -q . && break
	sleep 0.1
done
check 'behind a port, the process' grep -q "pid=$server," <(ss -Hltnp 'sport = :7')
kill "$server"
wait "$server"

servers() {
	jq -r '.original | "\(.dst) \(.dport)"' | sort | uniq -c | sort -rn
}
half='tcp and tcp state {syn_sent, syn_recv}'
half_open() {
	c list-json "$half" | servers >"$work/c"
	rust list-json "$half" | servers >"$work/rust"
	shell half-open >"$work/shell"
}
unresized half_open
agree 'half open' '      2 10\.0\.0\.2 22'
check 'half open, of all servers' counts 2 cat "$work/c"
