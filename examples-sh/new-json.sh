#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Prints new flows of TCP and UDP as JSON, one object a line, for ever or NUMBER of them: ./new-json.sh [NUMBER]
ctrs-run conntrack -E -e NEW |
	jq --unbuffered -cR 'capture("(?<protocol>[a-z]+) +[0-9]+ .*?src=(?<src>\\S+) dst=(?<dst>\\S+) " +
		"sport=(?<sport>\\d+) dport=(?<dport>\\d+)") |
		{event: "new", original: (.sport |= tonumber | .dport |= tonumber)}' |
	head -n "${1:--0}"
