# shellcheck shell=bash
# No other router: flows that end go to a file.

part_stats() {
    local acting what
    lab stats
    on stats sysctl -qw net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_conntrack_timestamp=1
    printf '\tPollSecs 1\n' >"$work/poll.conf"
    printf '\tNetlinkEventsReliable yes\n' >"$work/reliable.conf"
    for acting in ref ctrs; do
        configure events stats - -
        configure reliable stats - - "$work/reliable.conf"
        configure poll stats - - "$work/poll.conf"
        for what in events reliable poll; do
            start_daemon "$what" stats
        done
    done
    traffic stats tcp udp nat other ftp
    sleep 1.2 # the interval of the poll
    compare_daemons events reliable poll
    on stats conntrack -F >"$work/said" 2>&1
    sleep 1.2
    compare_daemons events reliable poll
    for acting in ref ctrs; do
        for what in events reliable poll; do
            end "$what" TERM
            sed -E 's/^\[[^]]*\]/[TIME]/' "$work/daemons/$acting/$what/stats" | sort >"$work/$acting.$what"
        done
    done
    expect 'flows in the log of the ended' 49 "$(wc -l <"$work/ref.events")"
    for what in events reliable poll; do
        compare "log of the ended: $what" "$work/ref.$what" "$work/ctrs.$what"
    done
    no_lab stats stats-client stats-server
}

# compare_daemons NAME...: what each says to every question.
compare_daemons() {
    local acting name question
    for name; do
        for question in '-i' '-i -x' '-s' '-s cache' '-s runtime' '-s ct' '-s expect' '-s network'; do
            for acting in ref ctrs; do
                # shellcheck disable=SC2086
                ctl "$name" stats $question >"$work/$acting.stdout" 2>"$work/$acting.stderr" || true
                "normal_$name" <"$work/$acting.stdout" >"$work/$acting"
                cat "$work/$acting.stderr" >>"$work/$acting"
            done
            compare_if_enough - "statistics, $name: $question"
        done
    done
}

normal_events() {
    normal_flows
}

normal_reliable() {
    normal_flows
}

# How often a flow was read depends on when the poll began.
normal_poll() {
    normal_flows | normal_stats
}
