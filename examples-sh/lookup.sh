#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Tells the flow of packets, of lines as "6 10.0.0.1 1000 10.0.0.2 80", which are protocol, source and
# destination. It asks the kernel each time, for there is no copy of the table: ./lookup.sh
while read -r protocol src sport dst dport; do
	flow=$(ctrs-run conntrack -L -p "$protocol" -s "$src" -d "$dst" --sport "$sport" --dport "$dport" |
		sed -n 's/.*\(mark=[0-9]*\).*/original \1/p')
	[ -n "$flow" ] || flow=$(ctrs-run conntrack -L -p "$protocol" --reply-src "$src" --reply-dst "$dst" \
		--reply-port-src "$sport" --reply-port-dst "$dport" | sed -n 's/.*\(mark=[0-9]*\).*/reply \1/p')
	echo "${flow:-no flow}" | tr '=' ' '
done
