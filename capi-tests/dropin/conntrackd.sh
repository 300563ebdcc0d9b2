#!/usr/bin/env bash
# Debian's conntrackd: two routers that tell each other about flows, failover, filters, statistics.
#
#   [FAST=1] conntrackd.sh [PART...]     parts: sync resync filter stats overrun (default: all)

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=daemons.bash
. "$here/daemons.bash"
program=conntrackd

enter_private "$@"

# shellcheck source=conntrackd/common.sh
. "$here/conntrackd/common.sh"
for part in sync resync filter stats overrun; do
    # shellcheck source=/dev/null
    . "$here/conntrackd/$part.sh"
done
parts=("$@")
[ $# -gt 0 ] || parts=(sync resync filter stats overrun)
run_parts conntrackd "${parts[@]}"
finish
