# shellcheck shell=bash
# ulogd's options for the kernel: thresholds, timeouts, buffers, families, and what is refused.

part_settings() {
    local acting name options
    settings=()
    while read -r name options; do
        settings+=("$name")
        for acting in ref ctrs; do
            configured_logger "$name" "$lab" nflog/settings "${options// /\\n}"
            [[ $name == *-refused ]] || logger_ready "$name"
        done
    done < <(settings_table)
    names=()
    for name in "${settings[@]}"; do
        [[ $name == *-refused ]] || names+=("$name")
    done
    logging settings.nft
    traffic "$lab" udp
    packets routed
    no_logging
    wait_until 'the last batch' drained
    stop_loggers
    for name in "${names[@]}"; do
        compare_logs "$name" cat json
        compare_logs "$name" without_clock log
    done
    for name in "${settings[@]}"; do
        [[ $name != *-refused ]] || refused "$name"
    done
    for acting in ref ctrs; do
        default_logger
    done
    compare_logs kernel without_our_clock json
    compare_logs kernel without_clock log
    only_if_full && without_privileges
    used
}

# default_logger: the daemon of the acting side makes itself the kernel's own logger, of which there is
# one, in group 0: it is told of packets that connection tracking takes for invalid.
default_logger() {
    on "$lab" conntrack -F >"$work/said" 2>&1
    on "$lab" sysctl -qw net.netfilter.nf_log.{2,7,10}=NONE
    configured_logger kernel "$lab" nflog/settings 'group=0\nnetlink_qthreshold=1'
    logger_ready kernel
    expect "the kernel's loggers on $acting" 'nfnetlink_log nfnetlink_log nfnetlink_log' \
        "$(on "$lab" sysctl -n net.netfilter.nf_log.{2,7,10} | xargs)"
    on "$lab" sysctl -qw net.netfilter.nf_conntrack_log_invalid=255
    packets routed
    on "$lab" sysctl -qw net.netfilter.nf_conntrack_log_invalid=0
    names=(kernel)
    until_quiet
    end kernel TERM
}

# Whoever has given up his rights can still read, and end; not unbind.
without_privileges() {
    gives_up_groups 'ulogd -u' || return 0
    arguments=(-u nobody)
    loggers "$lab" nflog/settings <<<'nobody group=10 netlink_qthreshold=1'
    arguments=()
    logging settings.nft
    packets routed
    no_logging
    stop_loggers
    compare_logs nobody cat json
    compare_logs nobody without_clock log
}

settings_table() {
    local lines=1000
    only_if_full || lines=4
    sed -e '/^#/d' -e 's/;//' "$here/nflog/settings.txt" | head -n "$lines"
}

# refused NAME: it ends by itself, alike on both sides.
refused() {
    local acting code
    for acting in ref ctrs; do
        code=0
        reap "$1" || code=$?
        echo "exit $code" >>"$work/daemons/$acting/$1/log"
    done
    compare_logs "$1" without_group log
}

without_group() {
    without_clock | sed -E 's/(group )5?([0-9]+)$/\1\2/'
}
