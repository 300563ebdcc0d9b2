#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Counts the flows that end, and their bytes, until NUMBER have ended: ./ended.sh NUMBER
# Where more come than fit the buffer, conntrack warns, and has missed them.
ctrs-run conntrack -E -e DESTROY | head -n "$1" | awk '
	{ for (i = 1; i <= NF; i++) if ($i ~ /^bytes=/) bytes += substr($i, 7) }
	END { printf "%d flows ended, %d bytes\n", NR, bytes }'
