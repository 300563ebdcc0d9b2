# shellcheck shell=bash
# Two routers, in each mode: the second learns the flows of the first, and takes over.

part_sync() {
    both_sides scenario_sync ftfw 46 expectations
    only_if_full || return 0
    both_sides scenario_sync alarm 46 expectations
    both_sides scenario_sync notrack 46
    both_sides scenario_sync direct 46
}

# scenario_sync MODE FLOWS [EXPECTATIONS]: FLOWS are replicated.
scenario_sync() {
    local lab=$acting mode=$1 flows=$2 to_talk from_talk
    router_pair "$lab"
    configure a "$mode" 10.9.0.1 10.9.0.2
    configure b "$mode" 10.9.0.2 10.9.0.1
    start_daemon a "$lab"
    start_daemon b "$lab-b"
    coproc talk { python "$here/conntrackd/talk.py" "/run/netns/$lab-client" "/run/netns/$lab-server"; }
    from_talk=${talk[0]} to_talk=${talk[1]}

    ask tcp udp nat other ftp choose
    wait_until "$flows replicated flows" replicated "$flows"
    news
    what_is_known 'first'
    change_flows
    wait_until 'replicated changes' changes_replicated
    news
    what_is_known 'changed'
    statistics

    take_over "${3:-}"
    # ALARM knows no requests; and conntrackd now and then repeats flows it has just freed.
    [ "$mode" = alarm ] || give_back
    end a TERM
    ctl b "$lab-b" -k
    reap b || fail "b did not end well when told with -k"
    record + 'log of a' normal_log cat "$work/daemons/$acting/a/log"
    record + 'log of b' normal_log cat "$work/daemons/$acting/b/log"
    no_lab "$lab" "$lab-b" "$lab-client" "$lab-server"
}

# ask STEP...: let the connections do something, and say what happened.
ask() {
    local line
    printf '%s\n' "$*" >&"$to_talk"
    while read -r -t 20 line <&"$from_talk"; do
        [ "$line" != "done" ] || return 0
        printf '%s\n' "$line"
    done
    return 1
}

# replica: the flows that the second router knows. Without caches, its kernel does.
replica() {
    if [ "$mode" = direct ]; then kernel_table "$lab-b"; else ctl b "$lab-b" -e; fi
}

replicated() {
    [ "$(replica | wc -l)" = "$1" ]
}

changes_replicated() {
    replicated $((flows - 1)) && replica | grep -q 'mark=7 ' && replica | grep -q 'mark=8 '
}

known() {
    local kind
    for kind in ct expect; do
        ctl a "$lab" -i "$kind"
        ctl a "$lab" -e "$kind"
        ctl b "$lab-b" -i "$kind"
        ctl b "$lab-b" -e "$kind"
    done
    kernel_table "$lab-b"
}

# news: wait until all is said. With ALARM everything is repeated within a second, maybe changed.
news() {
    [ "$mode" != alarm ] || sleep 2
    steady known
}

# what_is_known WHEN: every cache of both, as text and as XML; the kernel's tables.
what_is_known() {
    local router ns cache form
    for router in a b; do
        [ "$router" = a ] && ns=$lab || ns=$lab-b
        for cache in i e; do
            for form in '' ' -x'; do
                # shellcheck disable=SC2086
                record - "$1: $router -$cache ct$form" normal_flows ctl "$router" "$ns" "-$cache" ct $form
            done
            record - "$1: $router -$cache expect" normal_flows ctl "$router" "$ns" "-$cache" expect
        done
        record - "$1: $router kernel" normal_flows kernel_table "$ns"
    done
}

# change_flows: some end, some are changed by the administrator (with the installed library).
change_flows() {
    record 1 'an end' normal_flows on "$lab" conntrack -D -p udp --orig-port-src 40020 -f ipv6
    record 1 'a mark' normal_flows on "$lab" conntrack -U -p tcp --orig-port-src 40001 --mark 7 -f ipv4
    record 1 'a mark' normal_flows on "$lab" conntrack -U -p tcp --orig-port-src 40004 --mark 8 -f ipv6
}

statistics() {
    local what
    for what in '' network cache runtime link rsqueue process queue ct expect; do
        # shellcheck disable=SC2086
        record - "a -s $what" normal_stats ctl a "$lab" -s $what
        # shellcheck disable=SC2086
        record - "b -s $what" normal_far_stats ctl b "$lab-b" -s $what
    done
}

# take_over [EXPECTATIONS]: the cables go to the survivor. Nothing passes until it commits.
take_over() {
    replug "$lab"
    [ "$mode" = direct ] || record + 'before the commit' cat ask send
    record - 'commit' cat ctl b "$lab-b" -c
    record - 'commit of expectations' cat ctl b "$lab-b" -c expect
    wait_until 'the commit' committed
    steady kernel_table "$lab-b"
    record + 'committed' normal_live_flows kernel_table "$lab-b"
    [ "$mode" != direct ] || record + 'without a commit' cat ask send
    record + 'after the commit' cat ask go-on udp-again
    [ -z "$1" ] || record + 'expected connections' cat ask dial
    record - 'second commit' cat ctl b "$lab-b" -c
    record - 'second commit of expectations' cat ctl b "$lab-b" -c expect
    news
    record + 'committed twice' normal_flows kernel_table "$lab-b"
    record - 'flush' cat ctl b "$lab-b" -f
    record - 'resync with the kernel' cat ctl b "$lab-b" -R
    record - 'bulk send' cat ctl b "$lab-b" -B
    news
    what_is_known 'taken over'
}

committed() {
    [ "$(kernel_table "$lab-b" | wc -l)" -ge 40 ]
}

# give_back: the first router forgets its flows and asks the survivor for them.
give_back() {
    record - 'timers' cat ctl a "$lab" -t
    record - 'request' cat ctl a "$lab" -n
    wait_until 'purge' purged
    news
    what_is_known 'given back'
}

purged() {
    [ "$(kernel_table "$lab" | wc -l)" = 0 ]
}

normal_log() {
    sed -E -e 's/^\[[^]]*\] \(pid=[0-9]+\)/[TIME] (pid=N)/' \
        -e 's/taken [0-9.]+ seconds/taken T seconds/' | sort
}
