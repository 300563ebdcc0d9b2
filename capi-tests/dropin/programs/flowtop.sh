# shellcheck shell=bash
# flowtop: flows that were there, flows that come and flows that go, on a live screen.

part_flowtop() {
    use flowtop
    lab flows
    on flows sysctl -qw net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_conntrack_timestamp=1
    hold flows tcp udp nat other
    if [ -z "${FAST:-}" ]; then
        flowtop_screens 'IPv4 TCP' -4T
        flowtop_screens 'IPv6 UDP' -6U
        flowtop_screens 'all' -46UTDISs -b
    fi
    flowtop_events
    release
    both_sides check_loaded
    no_lab flows flows-client flows-server
}

# flowtop_screens NAME ARGS...
flowtop_screens() {
    both_sides flowtop_screen "${@:2}"
    screens_agree "flowtop: $1" 'netfilter flows'
    both_sides keys q
    wait_until 'end of flowtop' ended
}

flowtop_screen() {
    screen_start "$1" flows --no-dns --no-geoip --interval 1 "${@:2}"
    wait_until "events of flowtop ($1)" subscribed "$pid"
    wait_until "screen of flowtop ($1)" screen_has "$1" 'netfilter flows'
    check_maps "$1" "$pid"
}

flowtop_events() {
    both_sides flowtop_screen -46UTDISs
    screens_agree 'flowtop: start' 'flows\(43\)' 'ESTABLISHED .* 40001'
    traffic flows ftp
    screens_agree 'flowtop: a flow comes' 'flows\(45\)' ' 40021 '
    on flows conntrack -D -f ipv4 -p tcp --sport 40001 >/dev/null 2>&1
    screens_agree 'flowtop: a flow goes' 'flows\(44\)'
    both_sides keys q
}
