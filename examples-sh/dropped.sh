#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Prints the packets of UDP that rules log to a group, with the mark of the flow that each belongs to:
# ./dropped.sh GROUP NUMBER
tcpdump -lqtni "nflog:$1" -c "$2" | tr -d : | while read -r _ from _ to _; do
	flow=$(ctrs-run conntrack -G -p udp -s "${from%.*}" --sport "${from##*.}" -d "${to%.*}" --dport "${to##*.}" |
		sed -n 's/^[a-z]* *\([0-9]*\) .*src=\(.*\) dst=\(.*\) sport=\([0-9]*\) dport=\([0-9]*\) .*src=.*mark=\([0-9]*\).*/protocol \1 \2 \4 > \3 \5 mark \6/p')
	echo "${flow:-no flow}"
done
