# shellcheck shell=bash
# What the scenarios of logged packets share, on top of daemons.bash and ulogd/common.sh.
#
# Group N of a configuration or a rule is that of the reference; the candidate has group 5N (50 + 1 is 51, 510 goes with 10).

lab=packets

# packet_lab: client, router and server as always, and a bridge of the router between both.
packet_lab() {
    local side
    lab "$lab"
    ip -n "$lab" link add bridge type bridge mcast_snooping 0
    ip -n "$lab" link set bridge up
    for side in client server; do
        ip -n "$lab" link add "to-$side" master bridge type veth peer name bridged netns "$lab-$side"
        ip -n "$lab" link set "to-$side" up
        ip -n "$lab-$side" link set bridged up
    done
    ip -n "$lab-client" addr add 10.3.0.2/24 dev bridged
    ip -n "$lab-server" addr add 10.3.0.3/24 dev bridged
    ip -n "$lab-client" addr add fd00:3::2/64 dev bridged nodad
    ip -n "$lab-server" addr add fd00:3::3/64 dev bridged nodad
    sleep infinity | traffic "$lab" stamps hold >"$work/stamps" &
    wait_until 'time stamps' grep -q ready "$work/stamps"
}

# use PROGRAM LIBRARY...: what is run from here on, and what it must have of its side.
use() {
    program=$1
    libraries=("${@:2}")
    linked=
    find_files
    rm -f "$work/loaded/"*
}

# used: all runs of the program since then had the library of their side.
used() {
    check_loaded ref
    check_loaded ctrs
    [ -z "${KEEP:-}" ] || cp -a "$work/daemons" "$KEEP/$(date +%s%N)"
    rm -rf "$work/loaded/"* "$work/daemons"
}

# Group 0 is that of the kernel itself.
of_side() {
    [ "$acting" = ref ] || echo '/[=:] *0$/! s/^\( *[a-z_]*group *[=:] *\)\([0-9]*\)$/\15\2/'
}

# logging FILE: from here on the rules of FILE log. All are there at once, and are gone at once:
# whatever passes by itself is logged for both sides or for none.
logging() {
    sed -E '/^#/d; s/(log .*group )([0-9]+)(.*)/\1\2\3 \15\2\3/' \
        "$here/nflog/$1" >"$work/rules"
    on "$lab" nft -f "$work/rules"
}

# packets WHAT...: see nflog/packets.py.
packets() {
    python "$here/nflog/packets.py" "/run/netns/$lab-client" "/run/netns/$lab-server" "/run/netns/$lab" "$@"
}

no_logging() {
    local family
    for family in inet arp bridge netdev; do
        on "$lab" nft delete table "$family" logs 2>/dev/null || true
    done
}

# drained: has the kernel sent all that it held for a batch?
drained() {
    on "$lab" awk '$3 > 0 { held = 1 } END { exit held }' /proc/net/netfilter/nfnetlink_log
}

# A packet logged for two groups has two places in the count of them all, one after the other.
without_place() {
    awk 'match($0, /oob\.seq\.global"?(=|: )[0-9]+/) {
            place = substr($0, RSTART, RLENGTH)
            number = place
            sub(/.*[= ]/, "", number)
            sub(/[0-9]+$/, int((number + 1) / 2), place)
            $0 = substr($0, 1, RSTART - 1) place substr($0, RSTART + RLENGTH)
        } 1'
}

# What ulogd takes from its own clock: where it prints a time of its own, and for packets on their way
# out, which the kernel does not stamp.
without_our_clock() {
    without_clock | without_place |
        sed -E -e 's/(oob\.time\.u?sec"?(=|: ))[0-9]+/\1TIME/g' -e 's/ulogd\[[0-9]+\]/ulogd/'
}
