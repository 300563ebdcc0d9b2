# SPDX-License-Identifier: MIT OR Apache-2.0
# docs/cookbook/watch.md: what happens to flows.

ip link set lo up
nft 'add table inet watched; add chain inet watched out { type filter hook output priority 0; };
	add rule inet watched out ct state new'

for language in $languages; do
	listen "$language" new-json 2
	flow 1 22
	kernel -U -p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1 --dport 22 -m 5 >"$work/log"
	kernel -I -p udp -s fd00::1 -d fd00::2 --sport 53 --dport 54 -t 600 >"$work/log"
	check "$language: new-json writes two" written 2 "$language"
	flow 2 22 # which the shell's conntrack needs to see that nobody reads on
	stop
	kernel -F
done
in_all jq -c '[.event, .original.src, .original.dport]'
agree 'new flows' '\["new","fd00::1",54\]'
check 'new flows, and nothing else' counts 2 cat "$work/c"

# What was said of a translation: C and Rust say what is there first.
for language in $languages; do
	lines=0
	[ "$language" = shell ] || lines=1
	listen "$language" nat-log
	check "$language: nat-log knows the table" written "$lines" "$language"
	flow 1 22
	flow 2 22 --src-nat 192.0.2.1:4000
	kernel -D -p tcp --sport 2 >"$work/log"
	check "$language: nat-log writes both" written $((lines + 2)) "$language"
	stop
	kernel -F
done
in_all sed -nE 's/^[^ ]+ ([+-]) protocol 6 (.*) is (.*) to (.*) zone 0 id [0-9]+$/\1 \2 \3 \4/p
	s/^\[.*\[(NEW|DESTROY)\] tcp .*src=(.*) dst=(.*) sport=(.*) dport=.*src=(.*) dst=(.*) sport=([0-9]*) dport=([0-9]*) .*/\1 \2 \4 \6 \8 \5 \7/p'
in_all sed 's/^NEW/+/; s/^DESTROY/-/'
agree 'NAT log' '\+ 10\.0\.0\.1 2 192\.0\.2\.1 4000 10\.0\.0\.2 22'
check 'NAT log, the end' grep -qx -- '- 10.0.0.1 2 192.0.2.1 4000 10.0.0.2 22' "$work/c"

# end_flows NUMBER: so many that carried nothing, and one that carried 300 bytes and their headers.
end_flows() {
	c batch-load "$1" >"$work/log"
	send 40011 11 3
	kernel -F
}

echo 1 >/proc/sys/net/netfilter/nf_conntrack_acct
for language in $languages; do
	kernel -F
	listen "$language" ended 101
	end_flows 100
	if [ "$language" = shell ]; then
		check "shell: ended counts all" written 1 shell
		flow 1 22 # which its conntrack needs to see that nobody reads on
		kernel -F
	fi
	check "$language: ended ends" finished
done
agree 'ends of flows' '101 flows ended, 384 bytes'

# More than fit the buffer, while nobody reads. The shell has nothing against that.
for language in c rust; do
	listen "$language" ended 1001
	kill -STOP -- "-$pid"
	end_flows 1000
	kill -CONT -- "-$pid"
	check "$language: ended, overrun, ends" finished
	check "$language: ended, overrun, misses nothing" grep -qx '1001 flows ended, 384 bytes' "$work/$language"
done
