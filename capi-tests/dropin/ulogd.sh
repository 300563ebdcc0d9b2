#!/usr/bin/env bash
# Debian's ulogd with its connection tracking input: what it logs, on both libraries.
#
#   [FAST=1] ulogd.sh [PART...]     parts: outputs filter dump poll overrun (default: all)

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=daemons.bash
. "$here/daemons.bash"
program=ulogd

# The program loads the library with its plugin.
linked=$(echo /usr/lib/*/ulogd/ulogd_inpflow_NFCT.so)

enter_private "$@"
small_hash='hash_buckets=256\nhash_max_entries=8192' # the default size takes seconds to set up

# shellcheck source=ulogd/common.sh
. "$here/ulogd/common.sh"
# shellcheck source=ulogd/parts.sh
. "$here/ulogd/parts.sh"
parts=("$@")
[ $# -gt 0 ] || parts=(outputs filter dump poll overrun)
run_parts ulogd "${parts[@]}"
finish
