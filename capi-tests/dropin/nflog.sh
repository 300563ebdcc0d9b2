#!/usr/bin/env bash
# Debian's programs that read logged packets: ulogd with its NFLOG input, pmacct's uacctd, and
# libipulog, on both libraries.
#
#   [FAST=1] nflog.sh [PART...]     parts: outputs link settings signals overrun uacctd ipulog
#
# Each packet is logged twice, for one group of each side: both see the same packets, with the times
# and marks that the kernel gave them. See nflog/common.sh.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=daemons.bash
. "$here/daemons.bash"
program=ulogd
library=libnetfilter_log.so.1
libraries=("$library" libnetfilter_conntrack.so.3)
linked=$(echo /usr/lib/*/ulogd/ulogd_inppkt_NFLOG.so)

enter_private "$@"
# shellcheck source=ulogd/common.sh
. "$here/ulogd/common.sh"
# shellcheck source=nflog/common.sh
. "$here/nflog/common.sh"
parts=("$@")
[ $# -gt 0 ] || parts=(outputs link settings signals overrun uacctd ipulog)
for part in "${parts[@]}"; do
    [ -e "$here/nflog/$part.sh" ] || die "no part $part"
    # shellcheck source=/dev/null
    . "$here/nflog/$part.sh"
done
packet_lab
run_parts nflog "${parts[@]}"
tally
