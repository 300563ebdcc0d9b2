# shellcheck shell=bash
# The parts of ulogd.sh.

# configured_logger NAME NS TEMPLATE OPTIONS: OPTIONS (lines, \n between) are those of every input.
configured_logger() {
    local dir=$work/daemons/$acting/$1
    mkdir -p "$dir"
    cat "$here/ulogd/global.conf" "$here/ulogd/$3.conf" |
        sed "s|@DIR@|$dir|; s|@PLUGINS@|$plugins|; s|@INPUT@|$4|" >"$dir/conf"
    daemon "$1" "$2" -v -c "$dir/conf"
}

logger_ready() {
    wait_until "start of $1 on $acting" grep -q 'entering main loop' "$work/daemons/$acting/$1/log"
    check_maps "$acting" "$(pid_of "$1")"
}

# loggers NS TEMPLATE FILE: for each line 'NAME OPTIONS' of FILE, a logger on both libraries.
loggers() {
    local acting name options
    names=()
    while read -r name options; do
        names+=("$name")
        for acting in ref ctrs; do
            configured_logger "$name" "$1" "$2" "${options// /\\n}"
        done
    done
    for name in "${names[@]}"; do
        for acting in ref ctrs; do
            logger_ready "$name"
        done
    done
}

# stop_loggers: once nothing more is written.
stop_loggers() {
    local name acting
    until_quiet
    for name in "${names[@]}"; do
        for acting in ref ctrs; do
            end "$name" TERM
        done
    done
}

until_quiet() {
    local before=-1 after
    for _ in {1..50}; do
        after=$(find "$work/daemons" -type f -exec cat {} + | wc -c)
        [ "$before" != "$after" ] || return 0
        before=$after
        sleep 0.3
    done
    fail 'the log does not come to rest'
}

# compare_logs NAME FILTER FILE [LINES]: LINES as in compare_if_enough; FILE is a pattern.
compare_logs() {
    local side
    for side in ref ctrs; do
        # shellcheck disable=SC2086
        cat "$work/daemons/$side/$1/"$3 >"$work/$side.stdout" 2>/dev/null || true
        "$2" <"$work/$side.stdout" >"$work/$side"
    done
    compare_if_enough "${4:-+}" "$1: $3, $(wc -l <"$work/ref.stdout") lines"
}

# The wall clock of the logger.
without_clock() {
    sed -E -e 's/^[A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} /CLOCK /' -e 's/^timestamp=[^,]*/timestamp=CLOCK/' \
        -e 's/"timestamp": "[^"]*"/"timestamp": CLOCK/' -e 's|<when>.*</when>|<when/>|' \
        -e 's/^[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} [0-9]{4}/CLOCK/'
}

# Times that the logger may have taken itself: it does so where the kernel gives none.
without_times() {
    without_clock | sed -E 's/(flow\.(start|end)\.u?sec"?)(=|: )[0-9]+/\1\3TIME/g'
}

part_outputs() {
    lab outputs
    on outputs sysctl -qw net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_conntrack_timestamp=1
    loggers outputs outputs < <(
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

part_filter() {
    lab filter
    loggers filter flows < <(
        printf '%s\n' 'none hash_enable=0' 'tcp hash_enable=0 accept_proto_filter=tcp' \
            'source4 hash_enable=0 accept_src_filter=10.1.0.0/24' \
            'both hash_enable=0 accept_dst_filter=10.2.0.2/32,fd00:2::/64'
        ! only_if_full || printf '%s\n' 'protos hash_enable=0 accept_proto_filter=udp,icmp,sctp' \
            'source6 hash_enable=0 accept_src_filter=fd00:1::/64' \
            'destination4 hash_enable=0 accept_dst_filter=10.2.0.2/32' \
            'destination6 hash_enable=0 accept_dst_filter=fd00:2::2/128' \
            'elsewhere hash_enable=0 accept_src_filter=10.99.0.0/16' \
            'combined hash_enable=0 accept_proto_filter=tcp,udp accept_src_filter=10.1.0.2/32,fd00:1::2/128 accept_dst_filter=10.2.0.0/16,fd00:1::/64' \
            "hash hash_enable=1 accept_proto_filter=tcp ${small_hash/\\n/ }"
    )
    traffic filter tcp udp nat other
    on filter conntrack -F >"$work/said" 2>&1
    stop_loggers
    local name
    for name in "${names[@]}"; do
        compare_logs "$name" without_times logemu
    done
    no_lab filter filter-client filter-server
}
part_dump() { :; }
part_poll() { :; }
part_overrun() { :; }
