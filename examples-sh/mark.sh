#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Marks the flows of IPv4 to a port of TCP, those bits that are in MASK: ./mark.sh PORT MARK MASK
ctrs-run conntrack -U -s 0.0.0.0/0 -p tcp --dport "$1" -m "$2/$3" 2>&1 >/dev/null |
	sed 's/^.*: \([0-9]*\) flow entries have been updated.*/\1 marked/'
