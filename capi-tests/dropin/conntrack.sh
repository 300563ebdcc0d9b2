#!/usr/bin/env bash
# Debian's conntrack: what it lists, changes, hears and refuses, on both libraries.
#
#   conntrack.sh [PART...]      parts: list change events expect errors bulk (default: all)

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

enter_private "$@"

parts=("$@")
[ $# -gt 0 ] || parts=(list change events expect errors bulk)
for part in "${parts[@]}"; do
    [ -e "$here/conntrack/$part.sh" ] || die "no part $part"
    # shellcheck source=/dev/null
    . "$here/conntrack/$part.sh"
    before=$passed/$failed
    start=$SECONDS
    "part_$part"
    printf '# conntrack %s: %d passed, %d failed, %d s\n' "$part" \
        $((passed - ${before%/*})) $((failed - ${before#*/})) $((SECONDS - start))
done
finish
