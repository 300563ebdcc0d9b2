# shellcheck shell=bash
# Debian's libipulog, which is built on the library, under a program that reads packets with it.

part_ipulog() {
    local acting
    cc -Wall -Wextra -Werror -o "$work/ipulog" "$here/nflog/ipulog.c" -lnetfilter_log_libipulog
    use "$work/ipulog" libnetfilter_log.so.1
    for acting in ref ctrs; do
        [ "$acting" = ref ] && group=6 || group=7
        daemon ipulog "$lab" "$group" 24
        wait_until "start of libipulog on $acting" grep -q ready "$work/daemons/$acting/ipulog/stdout"
        check_maps "$acting" "$(pid_of ipulog)"
    done
    on "$lab" nft -f "$here/nflog/ipulog.nft"
    traffic "$lab" udp
    no_logging
    for acting in ref ctrs; do
        reap ipulog || fail "end of libipulog on $acting: $?"
    done
    expect 'libipulog: packets' 24 "$(grep -c ^hook "$work/daemons/ref/ipulog/stdout")"
    compare_logs ipulog without_batches 'std*'
    used
}

# It says where it is in a batch, whose ends are the kernel's choice.
without_batches() {
    grep -v -x -e first -e next
}
