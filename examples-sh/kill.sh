#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Deletes the flows that have anything to do with an address, translated or not: ./kill.sh ADDRESS
for end in --orig-src --orig-dst --reply-src --reply-dst; do
	ctrs-run conntrack -D "$end" "$1"
done | wc -l | sed 's/$/ deleted, 0 gone before/'
