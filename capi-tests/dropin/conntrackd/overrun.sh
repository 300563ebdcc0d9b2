# shellcheck shell=bash
# Events that overrun the socket: noticed, and made up for by reading the kernel's table again.

part_overrun() {
    local acting
    namespace overrun
    burst_file 4000
    cat >"$work/small.conf" <<'END'
	NetlinkBufferSize 4096
	NetlinkBufferSizeMaxGrowth 16384
	NetlinkOverrunResync 1
END
    cat >"$work/reliable.conf" <<'END'
	NetlinkBufferSize 4096
	NetlinkEventsReliable yes
	NetlinkOverrunResync no
END
    for acting in ref ctrs; do
        configure small stats - - "$work/small.conf"
        configure reliable stats - - "$work/reliable.conf"
        start_daemon small overrun
        start_daemon reliable overrun
    done
    signal_both STOP small
    burst overrun
    signal_both CONT small
    wait_for_flows small 4000
    signal_both STOP small
    on overrun conntrack -F >"$work/said" 2>&1
    signal_both CONT small
    wait_for_flows small 0
    if grep -q 4294967295 /proc/self/uid_map; then
        wait_for_flows reliable 0
    else
        skip 'reliable events after an overrun: only root of the host gets them'
    fi
    for acting in ref ctrs; do
        expect "$acting noticed the overrun" yes "$(overruns)"
        end small TERM
        end reliable TERM
        # How often it overran, and so whether the size has come to its end, is of the moment.
        grep -o '\[\(notice\|ERROR\|warning\)\] [a-z ]*' "$work/daemons/$acting/small/log" |
            grep -v 'cannot be doubled further' | sort -u >"$work/$acting"
    done
    compare 'what the log says about it' "$work/ref" "$work/ctrs"
    no_lab overrun
}

# wait_for_flows NAME N: both daemons end up with N flows, and say the same of each.
wait_for_flows() {
    local acting
    for acting in ref ctrs; do
        wait_until "$2 flows in the cache of $1 on $acting" has_flows "$1" "$2"
        ctl "$1" overrun -i | normal_flows >"$work/$acting"
    done
    compare "$2 flows after an overrun: $1" "$work/ref" "$work/ctrs"
}

has_flows() {
    [ "$(ctl "$1" overrun -i | wc -l)" = "$2" ]
}

overruns() {
    ctl small overrun -s runtime | awk '/netlink overrun/ { print ($3 > 0 ? "yes" : "no") }'
}
