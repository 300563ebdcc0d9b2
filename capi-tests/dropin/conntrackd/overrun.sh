# shellcheck shell=bash
# Events that overrun the socket: noticed, and made up for by reading the kernel's table again.

part_overrun() {
    local acting
    namespace overrun
    burst 4000 >"$work/burst"
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
    on overrun conntrack -R "$work/burst" >"$work/said" 2>&1 || fail 'the burst'
    signal_both CONT small
    wait_for_flows small 4000
    signal_both STOP small
    on overrun conntrack -F >"$work/said" 2>&1
    signal_both CONT small
    wait_for_flows small 0
    wait_for_flows reliable 0
    for acting in ref ctrs; do
        expect "$acting noticed the overrun" yes "$(overruns)"
        end small TERM
        end reliable TERM
        grep -o '\[\(notice\|ERROR\|warning\)\] [a-z ]*' "$work/daemons/$acting/small/log" | sort -u >"$work/$acting"
    done
    compare 'what the log says about it' "$work/ref" "$work/ctrs"
    no_lab overrun
}

# burst N: commands that make N entries.
burst() {
    local i
    for ((i = 0; i < $1; i++)); do
        printf -- '-I -p udp -s 10.3.%d.%d -d 10.4.0.1 --sport 53 --dport 53 -t 3000\n' $((i / 250)) $((i % 250))
    done
}

signal_both() {
    local acting
    for acting in ref ctrs; do
        kill "-$1" "$(pid_of "$2")"
    done
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
