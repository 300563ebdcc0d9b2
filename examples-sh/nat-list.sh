#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Lists what NAT makes of flows: ./nat-list.sh
ctrs-run conntrack -L --any-nat |
	sed -E 's/^[a-z]+ +([0-9]+) .*src=(.*) dst=(.*) sport=(.*) dport=([0-9]*) .*src=(.*) dst=(.*) sport=(.*) dport=([0-9]*) .*/protocol \1 \2 \4 > \3 \5 as \7 \9 > \6 \8/'
