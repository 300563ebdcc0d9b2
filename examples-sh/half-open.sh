#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Which servers have connections that are half open, and how many: ./half-open.sh
for state in SYN_SENT SYN_RECV; do
	ctrs-run conntrack -L -p tcp --state "$state"
done | sed 's/^[^=]*src=[^ ]* dst=\([^ ]*\) sport=[0-9]* dport=\([0-9]*\) .*/\1 \2/' | sort | uniq -c | sort -rn
