#!/usr/bin/env bash
# A flow table, saved as lines of JSON, passed through jq, flushed and restored, goes on as it was: real
# connections between a client and a server, through a router that drops what it does not know.
#
#   CTRS_STAGE    prefix of an installation of ctrs (required)
: "${CTRS_STAGE:?is the prefix ctrs was installed under}"
CTRS_COMPAT_DIR=${CTRS_COMPAT_DIR:-$CTRS_STAGE/lib/ctrs/compat}
# shellcheck source=../dropin/lib.sh
. "$(dirname "$0")/../dropin/lib.sh"
enter_private "$@"

lab table
# Nothing gets through that is not of a flow the router knows, or the first packet of one.
on table nft -f - <<'END'
table inet strict {
	chain forward {
		type filter hook forward priority filter;
		ct state invalid drop
		tcp flags & (syn|ack) != syn ct state new drop
		udp dport != { 8001, 8002, 8003, 8004, 9001, 9005, 9007, 9008 } ct state new drop
	}
}
table inet late {
	chain raw {
		type filter hook prerouting priority raw + 10;
		tcp sport 40050 ct original zone set 6
	}
}
END
on table sysctl -qw net.netfilter.nf_conntrack_tcp_be_liberal=0 net.netfilter.nf_conntrack_tcp_loose=0 \
    net.netfilter.nf_conntrack_acct=1
code=0
LD_LIBRARY_PATH=$CTRS_STAGE/lib python "$(dirname "$0")/restore.py" "/run/netns/table" \
    "/run/netns/table-client" "/run/netns/table-server" || code=$?
exit "$code"
