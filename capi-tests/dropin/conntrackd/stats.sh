# shellcheck shell=bash
# No other router: flows that end go to a file.

part_stats() {
    printf '\tPollSecs 1\n' >"$work/poll.conf"
    printf '\tNetlinkEventsReliable yes\n' >"$work/reliable.conf"
    : >"$work/events.conf"
    statistics_of before events reliable -- tcp udp nat other ftp
    # A poll loses the flows of zones, and finds them again with the next one. What it sees of flows
    # that come and go depends on when it looks.
    only_if_full || return 0
    statistics_of after poll -- tcp nat other
}

# statistics_of WHEN NAME... -- FLOW...: daemons started before or after the traffic.
statistics_of() {
    local names=() acting name ended when=$1
    shift
    while [ "$1" != -- ]; do
        names+=("$1")
        shift
    done
    lab stats
    on stats sysctl -qw net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_conntrack_timestamp=1
    [ "$when" = after ] || start_collectors
    traffic stats "${@:2}"
    [ "$when" = before ] || start_collectors
    sleep 1.2 # the interval of a poll
    compare_collectors
    ended=$(on stats conntrack -L 2>/dev/null | wc -l)
    on stats conntrack -F >"$work/said" 2>&1
    sleep 1.2
    compare_collectors
    for name in "${names[@]}"; do
        compare_ended "$name"
    done
    no_lab stats stats-client stats-server
}

start_collectors() {
    for acting in ref ctrs; do
        for name in "${names[@]}"; do
            configure "$name" stats - - "$work/$name.conf"
            start_daemon "$name" stats
        done
    done
}

# compare_collectors: what each says to every question.
compare_collectors() {
    local question
    for name in "${names[@]}"; do
        for question in '-i' '-i -x' '-s' '-s cache' '-s runtime' '-s ct' '-s expect' '-s network'; do
            for acting in ref ctrs; do
                # shellcheck disable=SC2086
                ctl "$name" stats $question >"$work/$acting.stdout" 2>"$work/$acting.stderr" || true
                normal_statistics <"$work/$acting.stdout" >"$work/$acting"
                cat "$work/$acting.stderr" >>"$work/$acting"
            done
            compare_if_enough - "statistics, $name: $question"
        done
    done
}

# How often a poll read each flow depends on when it began.
normal_statistics() {
    if [ "$name" = poll ]; then
        normal_flows | normal_stats
    else
        sed -E 's/active since [0-9]+s/active since Ns/' | sort
    fi
}

# compare_ended NAME: what it wrote into the file, without the date.
compare_ended() {
    for acting in ref ctrs; do
        end "$1" TERM
        cut -f 2- "$work/daemons/$acting/$1/stats" | normal_statistics >"$work/$acting"
    done
    cp "$work/ref" "$work/ref.stdout"
    compare "log of the ended: $1" "$work/ref" "$work/ctrs"
    expect "$1: all that ended is in the log" yes \
        "$([ "$(wc -l <"$work/ref")" -ge "$ended" ] && echo yes)"
}
