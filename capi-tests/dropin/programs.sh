#!/usr/bin/env bash
# Programs that use the library for one thing each, on both libraries.
#
#   programs.sh [PART...]      parts: the files of programs/ (default: all)

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=programs/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/programs/lib.sh"

enter_private "$@"

parts=("$@")
[ $# -gt 0 ] || parts=(dnsmasq squid iptstate flowtop oidentd connlabel)
for part in "${parts[@]}"; do
    [ -e "$here/programs/$part.sh" ] || die "no part $part"
    # shellcheck source=/dev/null
    . "$here/programs/$part.sh"
    before=$passed/$failed
    start=$SECONDS
    "part_$part"
    printf '# %s: %d passed, %d failed, %d s\n' "$part" \
        $((passed - ${before%/*})) $((failed - ${before#*/})) $((SECONDS - start))
done
tally
