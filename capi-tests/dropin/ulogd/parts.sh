# shellcheck shell=bash
# The parts of ulogd.sh.

# Times that the logger may have taken itself: it does so where the kernel gives none.
without_times() {
    without_clock | sed -E 's/(flow\.(start|end)\.u?sec"?)(=|: )[0-9]+/\1\3TIME/g'
}

part_outputs() {
    lab outputs
    on outputs sysctl -qw net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_conntrack_timestamp=1
    loggers outputs ulogd/outputs < <(
        printf 'plain hash_enable=0\nhash hash_enable=1 %s\n' "${small_hash/\\n/ }"
        printf 'ends hash_enable=0 event_mask=0x00000004\n'
        ! only_if_full || printf '%s\n' 'news hash_enable=0 event_mask=0x00000001' \
            'changes hash_enable=0 event_mask=0x00000002' 'reliable hash_enable=0 reliable=1' \
            "changes-hash hash_enable=1 event_mask=0x00000006 ${small_hash/\\n/ }" \
            'buffer hash_enable=0 netlink_socket_buffer_size=400000'
    )
    traffic outputs tcp udp nat other ftp
    on outputs conntrack -F >"$work/said" 2>&1
    stop_loggers
    local name file filter lines
    for name in "${names[@]}"; do
        filter=without_times lines=+
        [ "$name" != changes ] || lines=- # it knows no output for changes
        [ "$name" != ends ] || filter=without_clock
        for file in logemu gprint oprint json 'ulogd-flow-*.xml' log; do
            compare_logs "$name" "$filter" "$file" "$lines"
        done
    done
    no_lab outputs outputs-client outputs-server
}

# filter_table: the lines of filters.txt, the first three only if FAST=1.
filter_table() {
    local lines=1000
    only_if_full || lines=3
    sed -e '/^#/d' -e 's/ *; */;/g' "$here/ulogd/filters.txt" | head -n "$lines"
}

part_filter() {
    local name compared logged options
    lab filter
    loggers filter ulogd/flows < <(
        printf 'none hash_enable=0\n'
        filter_table | while IFS=';' read -r name compared logged options; do
            printf '%s hash_enable=0 %s\n' "$name" "$options"
        done
    )
    traffic filter tcp udp nat other
    on filter conntrack -F >"$work/said" 2>&1
    stop_loggers
    compare_logs none without_clock logemu
    cp "$work/ctrs" "$work/all"
    while IFS=';' read -r name compared logged options; do
        check_filter "$name" "$compared" "$logged"
    done < <(filter_table)
    no_lab filter filter-client filter-server
}

# check_filter NAME COMPARED LOGGED: see filters.txt.
check_filter() {
    local side sides=(ref ctrs) family=.
    case $2 in
    ours) sides=(ctrs) ;;
    4) family='ORIG: SRC=[0-9]*\.' ;;
    6) family='ORIG: SRC=[0-9a-f]*:' ;;
    esac
    grep -E "$3" "$work/all" >"$work/intent" || true
    for side in "${sides[@]}"; do
        without_clock <"$work/daemons/$side/$1/logemu" >"$work/logged"
        grep "$family" "$work/logged" >"$work/considered" || true
        compare "filter $1 on $side: $(wc -l <"$work/intent") lines" "$work/intent" "$work/considered"
    done
}

part_dump() {
    both_sides scenario_dump
}

# scenario_dump: SIGUSR2 logs what is in the table, and sets the counters to zero. The flows are few
# enough for one datagram: the kernel loses the counters of an entry that does not fit any more.
scenario_dump() {
    local lab=$acting
    lab "$lab"
    on "$lab" sysctl -qw net.netfilter.nf_conntrack_acct=1
    configured_logger dump "$lab" ulogd/outputs "hash_enable=1\\n$small_hash"
    logger_ready dump
    traffic "$lab" timeless
    kill -USR2 "$(pid_of dump)"
    until_quiet
    traffic "$lab" timeless
    kill -USR2 "$(pid_of dump)"
    until_quiet
    on "$lab" conntrack -F >"$work/said.$acting" 2>&1
    until_quiet
    end dump TERM
    local file
    for file in logemu gprint oprint json 'ulogd-flow-*.xml' log; do
        # shellcheck disable=SC2086
        record + "$file" without_choices cat "$work/daemons/$acting/dump/"$file
    done
    no_lab "$lab" "$lab-client" "$lab-server"
}

# Besides, ids, ports of source NAT, and the order in which the kernel lists entries.
without_choices() {
    without_times | sed -E -e 's/(ct\.id"?(=|: ))[0-9]+/\1ID/; s|<id>[0-9]+<|<id>ID<|' \
        -e 's/(DPT=|dport"?(=|: )|<dport>)5[01][0-9]{3}\b/\1NAT/g' \
        -e 's|<timeout>(29[0-9]{2}\|3000)<|<timeout>2999<|' | sort
}

part_poll() {
    only_if_full || return 0
    lab poll
    on poll sysctl -qw net.netfilter.nf_conntrack_acct=1
    loggers poll ulogd/outputs <<<"poll hash_enable=1 pollinterval=1 ${small_hash/\\n/ }"
    traffic poll tcp udp nat other
    sleep 2.5
    on poll conntrack -F >"$work/said" 2>&1
    sleep 2.5
    stop_loggers
    for file in logemu gprint oprint json 'ulogd-flow-*.xml' log; do
        compare_logs poll without_choices "$file" -
    done
    no_lab poll poll-client poll-server
}

# Events that overrun the socket are noticed, and the table is read instead.
part_overrun() {
    local side
    only_if_full || return 0
    namespace overrun
    burst_file 4000
    loggers overrun ulogd/flows <<<"small hash_enable=1 hash_max_entries=8192 netlink_socket_buffer_size=4096 \
netlink_socket_buffer_maxsize=100000 netlink_resync_timeout=1"
    signal_both STOP small
    burst overrun
    signal_both CONT small
    sleep 2.5
    signal_both STOP small
    on overrun conntrack -F >"$work/said" 2>&1
    signal_both CONT small
    sleep 2.5
    stop_loggers
    for side in ref ctrs; do
        { grep -o 'ORIG: .*' "$work/daemons/$side/small/logemu" || true; } | sort -u >"$work/$side"
        grep -o '> .*' "$work/daemons/$side/small/log" | sed 's/size to .*//' | sort -u >"$work/log.$side"
    done
    cp "$work/ref" "$work/ref.stdout"
    compare_if_enough 4000 'every flow is logged, despite an overrun'
    compare 'what the log says about the overrun' "$work/log.ref" "$work/log.ctrs"
    expect 'the overrun is noticed' 1 "$(grep -c 'losing events' "$work/log.ctrs")"
    no_lab overrun
}
