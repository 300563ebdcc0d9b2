# shellcheck shell=bash disable=SC2154,SC2034 # variables shared with lib.sh
# Reading: -L in every format, -L with filters, -G, -C, -S, on live flows and on a written table.

part_list() {
    list_live
    list_written
}

# --- flows of real traffic, with accounting and timestamps -------------------------------------------

list_live() {
    lab live
    on live sysctl -qw net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_conntrack_timestamp=1
    hold_traffic live tcp udp nat other ftp
    list_formats live
    local args
    while read -r args; do
        # shellcheck disable=SC2086
        same + live $args
    done <<'END'
-L -n
-L -g
-L -j
-L -n 10.2.0.1
-L -g 10.2.0.2
-L -j 10.2.0.2 -o extended
-L -f ipv6 -n
-L -f ipv6 -g fd00:2::2
-L -f ipv6 -j -o xml
-L -w 5
-L -f ipv6 --zone 5 -o extended
-L --orig-zone 6
-L -l alpha -o labels
-L -l beta,top -o labels,xml
-L -l beta -l top
-L -m 0x77
-L -u ASSURED
-L -u SEEN_REPLY -o extended
-L -p tcp --state TIME_WAIT
-L -p tcp --state CLOSE_WAIT
-G -p tcp -s 10.1.0.2 -d 10.2.0.2 --sport 40001 --dport 8001
-G -p tcp -s 10.1.0.2 -d 10.1.0.1 --sport 40003 --dport 8003 -o xml,id,ktimestamp
-G -p tcp -s fd00:1::2 -d fd00:2::2 --sport 40001 --dport 8001 -o extended,id
-G -p icmp -s 10.1.0.2 -d 10.2.0.2 --icmp-type 8 --icmp-code 0 --icmp-id 4660 -o ktimestamp
-G -p icmpv6 -s fd00:1::2 -d fd00:2::2 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 17185
-G -p sctp -s 10.1.0.2 -d 10.2.0.2 --sport 40040 --dport 9040 -o extended
-G -p udplite -s 10.1.0.2 -d 10.2.0.2 --sport 40030 --dport 9030
-G -p gre -s 10.1.0.2 -d 10.2.0.2 --srckey 0 --dstkey 77
-C
-S
-L expect
-L expect -o xml
END
    release_traffic
    no_lab live live-client live-server
}

# list_formats NS: every set of output flags (with FAST=1: every single flag, and all of them).
list_formats() {
    local family output
    for family in ipv4 ipv6; do
        same + "$1" -L -f "$family"
        same + "$1" -L -f "$family" -o save
        same - "$1" -L dying -f "$family"
        same - "$1" -L unconfirmed -f "$family"
        for output in $(flag_sets extended id timestamp ktimestamp labels xml userspace); do
            same + "$1" -L -f "$family" -o "$output"
        done
    done
}

# flag_sets FLAG...: the non-empty subsets, comma-separated.
flag_sets() {
    local -a flags=("$@")
    local bits i set all=$(((1 << $#) - 1))
    for ((bits = 1; bits <= all; bits++)); do
        [ -z "${FAST:-}" ] || [ $((bits & (bits - 1))) = 0 ] || [ $((bits % 12)) = 7 ] || continue
        set=
        for i in "${!flags[@]}"; do
            [ $((bits >> i & 1)) = 0 ] || set+=,${flags[i]}
        done
        printf '%s\n' "${set#,}"
    done
}

# --- a table written by -I, without accounting: filters with known answers ---------------------------

list_written() {
    namespace written
    on written nft -f "$here/labels.nft"
    written_entries | while read -r args; do
        # shellcheck disable=SC2086
        run_ref written -I $args >"$work/said" 2>&1 || cat "$work/said"
    done
    expect 'entries written' 47 "$(run_ref written -C)"
    list_formats written
    written_filters
    no_lab written
}

# Entries as arguments of -I; addresses and ports say what they are for.
written_entries() {
    local state port=1000
    for state in NONE SYN_SENT SYN_RECV ESTABLISHED FIN_WAIT CLOSE_WAIT LAST_ACK TIME_WAIT CLOSE \
        LISTEN; do
        port=$((port + 1))
        printf -- '-p tcp -s 10.0.1.1 -d 10.0.2.1 --sport %s --dport 80 -t 3000 --state %s\n' \
            "$port" "$state"
        printf -- '-p tcp -s fd00::1 -d fd00::2 --sport %s --dport 80 -t 3000 --state %s\n' \
            "$port" "$state"
    done
    for state in NONE CLOSED COOKIE_WAIT COOKIE_ECHOED ESTABLISHED SHUTDOWN_SENT SHUTDOWN_RECD \
        SHUTDOWN_ACK_SENT; do
        port=$((port + 1))
        printf -- '-p sctp -s 10.0.1.1 -d 10.0.2.1 --sport %s --dport 90 -t 3000 --state %s %s\n' \
            "$port" "$state" '--orig-vtag 11 --reply-vtag 22'
    done
    cat <<'END'
-p udp -s 10.0.1.2 -d 10.0.2.2 --sport 1 --dport 53 -t 3000 -m 1
-p udp -s 10.0.1.2 -d 10.0.2.2 --sport 2 --dport 53 -t 3000 -m 0x80000001
-p udp -s 10.0.1.3 -d 10.0.2.3 --sport 3 --dport 65535 -t 3000 -m 4294967295
-p udp -s 10.0.1.3 -d 10.0.2.3 --sport 4 --dport 53 -t 6000 -u SEEN_REPLY
-p udp -s 10.0.1.3 -d 10.0.2.3 --sport 5 --dport 53 -t 6000 -u SEEN_REPLY,ASSURED
-p udp -s 10.0.1.3 -d 10.0.2.3 --sport 6 --dport 53 -t 6000 -u FIXED_TIMEOUT
-p udp -s 10.0.1.4 -d 10.0.2.4 --sport 7 --dport 53 -t 3000 --zone 7
-p udp -s 10.0.1.4 -d 10.0.2.4 --sport 8 --dport 53 -t 3000 --orig-zone 8
-p udp -s 10.0.1.4 -d 10.0.2.4 --sport 9 --dport 53 -t 3000 --reply-zone 9
-p udp -s 10.0.1.5 -d 10.0.2.5 --sport 10 --dport 53 -t 3000 --label-add alpha
-p udp -s fd00::5 -d fd00::6 --sport 11 --dport 53 -t 3000 --label-add alpha,beta,top
-p udplite -s 10.0.1.6 -d 10.0.2.6 --sport 12 --dport 13 -t 3000
-p gre -s 10.0.1.6 -d 10.0.2.6 --srckey 0x10 --dstkey 32 -t 3000
-p icmp -s 10.0.1.6 -d 10.0.2.6 --icmp-type 8 --icmp-code 0 --icmp-id 300 -t 3000
-p icmpv6 -s fd00::6 -d fd00::7 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 301 -t 3000
-p 50 -s 10.0.1.6 -d 10.0.2.6 -t 3000
-p tcp -s 10.0.1.7 -d 10.0.2.7 --sport 21 --dport 80 -t 3000 --state ESTABLISHED --src-nat 10.9.9.9
-p tcp -s 10.0.1.7 -d 10.0.2.7 --sport 22 --dport 80 -t 3000 --state ESTABLISHED --dst-nat 10.8.8.8
-p udp -s fd00::7 -d fd00::8 --sport 23 --dport 80 -t 3000 --src-nat fd00:9::9
END
}

# The number of lines each filter must list (headers and footers of XML count), then the filter.
written_filters() {
    local lines args
    while read -r lines args; do
        # shellcheck disable=SC2086
        same "$lines" written $args
    done <"$here/conntrack/filters.txt"
}

# --- traffic that stays ------------------------------------------------------------------------------

# hold_traffic LAB WHAT...: run it and keep its sockets open until release_traffic.
hold_traffic() {
    mkfifo "$work/hold"
    traffic "$@" hold <"$work/hold" >"$work/held" &
    held=$!
    exec {hold_fd}>"$work/hold"
    wait_until 'traffic' grep -q ready "$work/held"
}

release_traffic() {
    exec {hold_fd}>&-
    wait "$held"
    rm "$work/hold"
}
