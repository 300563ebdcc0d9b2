# SPDX-License-Identifier: MIT OR Apache-2.0
# docs/cookbook/inspect.md: what is around the table.

for port in {1..8}; do flow "$port" 80; done

each stats
check 'statistics: the counters of Linux in Rust' grep -Eq '^CPU [0-9]+: [0-9]+ insert$' "$work/rust"
check 'statistics: those of C' grep -Eq '^CPU [0-9]+: [0-9]+ flows created by requests$' "$work/c"
check 'statistics: those of the shell' grep -Eq '^cpu=[0-9]+ .* insert=[0-9]+' "$work/shell"
in_all head -n 1
agree 'statistics' '8 flows here, [0-9]+ at most everywhere'

unshare -n sleep 60 &
there=$!
for _ in {1..300}; do
	[ "$(readlink "/proc/$there/ns/net")" != "$(readlink /proc/self/ns/net)" ] && break
	sleep 0.1
done
nsenter -t "$there" -n conntrack -I -p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1 --dport 2 --state ESTABLISHED -t 600 2>"$work/log"
each netns "$there"
agree 'another namespace' '1 flows'
kill "$there"
wait "$there" 2>"$work/log"

counting=/proc/sys/net/netfilter/nf_conntrack_acct
echo 0 >$counting
each diagnose
in_all sed -nE 's/^(The table holds [0-9]+ of at most [0-9]+ flows).*/\1/p; s/.*(nf_conntrack_acct) (is|=) ([0-9]).*/\1 \3/p'
in_all sort
agree 'diagnosis' 'nf_conntrack_acct 0'
check 'diagnosis of the table' grep -Eq 'The table holds 8 of at most [0-9]+' "$work/c"
echo 1 >$counting
