#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Who began the most flows: ./talkers.sh [NUMBER]
ctrs-run conntrack -L |
	sed 's/^[^=]*src=\([^ ]*\).*/\1/' | sort | uniq -c | sort -rn | head -n "${1:-10}"
