# shellcheck shell=bash
# ulogd, stopped, and more packets than its socket can hold: what it says of that, and what it still gets.

part_overrun() {
    local name acting
    loggers "$lab" nflog/settings <<'END'
losing group=1 netlink_qthreshold=1 netlink_socket_buffer_size=4096 netlink_socket_buffer_maxsize=100000 seq_local=1
END
    logging overrun.nft
    signal_both STOP losing
    packets burst
    signal_both CONT losing
    until_quiet
    traffic "$lab" udp
    no_logging
    stop_loggers
    compare_logs losing cat json
    compare_logs losing without_clock log
    expect 'the overrun is noticed' 1 "$(grep -c 'losing events' "$work/ctrs" || true)"
    used
}
