#!/usr/bin/env bash
# Debian's nfct, the policies that it makes in use, and conntrackd's helpers, on both libraries.
#
#   [FAST=1] nfct.sh [PART...]      parts: timeouts rules helpers conntrackd (default: all)

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=daemons.bash
. "$here/daemons.bash"
program=nfct
library=libnetfilter_cttimeout.so.1
libraries=("$library" libnetfilter_cthelper.so.0)

enter_private "$@"
parts=("$@")
[ $# -gt 0 ] || parts=(timeouts rules helpers conntrackd)
for part in "${parts[@]}"; do
    [ -e "$here/nfct/$part.sh" ] || die "no part $part"
    # shellcheck source=/dev/null
    . "$here/nfct/$part.sh"
done
# shellcheck source=nfct/common.sh
. "$here/nfct/common.sh"
run_parts nfct "${parts[@]}"
tally
