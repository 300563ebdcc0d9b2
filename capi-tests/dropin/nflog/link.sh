# shellcheck shell=bash
# ulogd and what is below IP: frames of a device and of a bridge, with and without VLAN tags, and ARP.

part_link() {
    local file
    loggers "$lab" nflog/link <<<link
    logging link.nft
    packets link bridged
    no_logging
    stop_loggers
    for file in logemu oprint json; do
        compare_logs link without_arp "$file"
    done
    for file in 'ulogd-pkt*.xml' logemu-out json-out log; do
        compare_logs link without_arp_and_clock "$file"
    done
    used
}

# What ulogd shows as addresses of ARP is where in its memory they are.
without_arp() {
    sed -E -e '/PROTO=ARP/ s/(SRC|DST)=[0-9.]+/\1=PLACE/g' \
        -e 's/(arp\.[sd]addr(\.str)?"?(=|: "?))[0-9.]+/\1PLACE/g'
}

without_arp_and_clock() {
    without_arp | without_our_clock
}
