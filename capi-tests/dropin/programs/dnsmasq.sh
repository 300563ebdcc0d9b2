# shellcheck shell=bash
# dnsmasq --conntrack: what it asks upstream carries the mark of the query's flow.

part_dnsmasq() {
    gives_up_groups dnsmasq || return 0
    use dnsmasq
    both_sides dnsmasq_queries
    compare_sides 'dnsmasq: answers' answers
    compare_sides 'dnsmasq: log' log
    compare_flows dnsmasq
    both_sides check_loaded
}

dnsmasq_queries() {
    lab dns
    on dns nft -f "$here/programs/dnsmasq.nft"
    start "$1" dns --keep-in-foreground --conf-file=/dev/null --user=root --pid-file= --conntrack \
        --no-resolv --no-hosts --cache-size=0 --log-queries --log-facility=- --bind-interfaces \
        --listen-address=10.1.0.1,fd00:1::1 --server=/4/10.2.0.2 --server=/6/fd00:2::2
    wait_until 'start of dnsmasq' listening dns udp 10.1.0.1:53
    wait_until 'start of dnsmasq' listening dns tcp '[fd00:1::1]:53'
    check_maps "$1" "$pid"
    python "$here/programs/dns.py" /run/netns/dns-client /run/netns/dns-server >"$work/$1.answers"
    flows dns >"$work/$1.flows"
    stop
    sed -Ei 's/^dnsmasq\[[0-9]+\]/dnsmasq[PID]/' "$work/$1.log"
    no_lab dns dns-client dns-server
}
