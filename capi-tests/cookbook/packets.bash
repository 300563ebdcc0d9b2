# SPDX-License-Identifier: MIT OR Apache-2.0
# docs/cookbook/packets.md: packets and their flows.

flow 1 22 -m 42
flow 2 22 --src-nat 192.0.2.1:4000 -m 43
cat >"$work/packets" <<-'END'
	6 10.0.0.1 1 10.0.0.2 22
	6 10.0.0.2 22 192.0.2.1 4000
	6 10.0.0.1 9 10.0.0.2 22
END
input=$work/packets
each lookup
input=
agree 'lookup' 'reply mark 43'
check 'lookup, all three' diff <(printf '%s\n' 'original mark 42' 'reply mark 43' 'no flow') "$work/c"

ip link set lo up
nft 'add table inet cookbook; add chain inet cookbook out { type filter hook output priority 0; };
	add rule inet cookbook out udp dport 7 ct state established log group 5 prefix "drop " drop;
	add rule inet cookbook out udp dport 9 log group 5 prefix "drop " drop;
	'

if [ "$CTRS_ROOT" != 0 ]; then
	echo 'SKIP: packets by the shell: tcpdump becomes another user'
	languages='c rust'
fi
for language in $languages; do
	kernel -F
	group=5 listen "$language" dropped 5 2
	send 40007 7 2 answered
	send 40009 9 1
	check "$language: dropped ends" finished
done
in_all sed 's/^drop //'
agree 'dropped packets' 'protocol 17 127\.0\.0\.1 40007 > 127\.0\.0\.1 7 mark 0'
check 'dropped packets, one without a flow' grep -qx 'no flow' "$work/c"

for language in $languages; do
	group=5 listen "$language" nflog-pcap 5 "$work/$language.pcap" 3
	send 40009 9 3
	check "$language: nflog-pcap ends" finished
	read_packets -tnr "$work/$language.pcap" >"$work/$language" 2>"$work/log"
done
agree 'files of packets' 'IP 127\.0\.0\.1\.40009 > 127\.0\.0\.1\.9: UDP, length 100'
check 'files of packets, three' counts 3 cat "$work/c"
