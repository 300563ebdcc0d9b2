# shellcheck shell=bash
# Routers with conntrackd, and what it says.

# configure NAME TEMPLATE HERE THERE [MORE]: write the configuration of one daemon;
# MORE is a file with lines for its General section.
configure() {
    local dir=$work/daemons/$acting/$1 confs=$here/conntrackd
    rm -rf "$dir"
    mkdir -p "$dir"
    sed -e "/@MULTICAST@/{r $confs/multicast.conf" -e 'd}' -e "/@UDP@/{r $confs/udp.conf" -e 'd}' \
        -e "/@TCP@/{r $confs/tcp.conf" -e 'd}' -e "/@MORE@/{r ${5:-/dev/null}" -e 'd}' \
        -e "/@GENERAL@/{r $confs/general.conf" -e 'd}' "$confs/$2.conf" |
        sed -e "s|@HERE@|$3|; s|@THERE@|$4|; s|@DIR@|$dir|" >"$dir/conf"
}

# start_daemon NAME NS: start it, wait until it answers, and check what it runs on.
start_daemon() {
    daemon_configured "$1" "$2"
    daemon_ready "$1" "$2"
}

daemon_configured() {
    daemon "$1" "$2" -C "$work/daemons/$acting/$1/conf"
}

daemon_ready() {
    wait_until "start of $1 on $acting" answers "$1" "$2"
    check_maps "$acting" "$(pid_of "$1")"
}

answers() {
    ctl "$1" "$2" -s >/dev/null
}

# ctl NAME NS ARGS...: talk to a running daemon.
ctl() {
    run_side "$acting" "$2" -C "$work/daemons/$acting/$1/conf" "${@:3}"
}

# router_pair NAME: a lab, and NAME-b, the router that will take over.
router_pair() {
    local ns
    lab "$1"
    namespace "$1-b"
    on "$1-b" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
        net.netfilter.nf_conntrack_tcp_loose=0
    on "$1-b" sh -c 'for key in /proc/sys/net/netfilter/nf_conntrack_*_timeout*; do
        echo 3000 >"$key"; done'
    on "$1-b" nft -f "$here/lab.nft"
    on "$1-b" nft -f "$here/conntrackd/backup.nft"
    ip -n "$1" link add sync type veth peer name sync netns "$1-b"
    ip -n "$1" addr add 10.9.0.1/24 dev sync
    ip -n "$1-b" addr add 10.9.0.2/24 dev sync
    for ns in "$1" "$1-b"; do
        ip -n "$ns" link set sync up
        on "$ns" nft -f "$here/conntrackd/sync.nft"
        on "$ns" sysctl -qw net.netfilter.nf_conntrack_timestamp=1 net.netfilter.nf_conntrack_acct=1
    done
}

# replug NAME: both cables, with the addresses and the link-layer addresses, go to the other router.
replug() {
    local net device
    for net in 1 2; do
        [ "$net" = 1 ] && device=cl || device=sv
        ip -n "$1" link set "$device" netns "$1-b"
        ip -n "$1-b" addr add "10.$net.0.1/24" dev "$device"
        ip -n "$1-b" addr add "fd00:$net::1/64" dev "$device" nodad
        ip -n "$1-b" link set "$device" up
    done
}

# kernel_table NS: by a program on the installed library, whoever is acting.
kernel_table() {
    on "$1" conntrack -L -o extended 2>/dev/null
    on "$1" conntrack -L expect -f ipv4 2>/dev/null
    on "$1" conntrack -L expect -f ipv6 2>/dev/null
}

# --- normalising -----------------------------------------------------------------------------------

# Ages and remaining times (3000 s or 180 s at first, and up to 100 s of running), ids, the ports that
# the kernel chose for source NAT, reference counts, packets (an acknowledgement may be on its way);
# caches and tables are in the order of a hash.
normal_flows() {
    sed -E -e 's/(active since|expires in) [0-9]+s/\1 Ns/g' -e 's/\buse=[0-9]+/use=N/' \
        -e 's/packets=[0-9]+ bytes=[0-9]+/packets=N bytes=N/g' \
        -e 's/^((ipv. +[0-9]+ +)?[a-z0-9]+ +[0-9]+ )(29[0-9][0-9]|3000) /\12999 /' \
        -e 's/^((ipv. +[0-9]+ +)?[a-z0-9]+ +[0-9]+ )(1[0-7][0-9]|180) /\1179 /' \
        -e 's/^(2[0-9][0-9]|300|1[0-7][0-9]|180) proto=/TIME proto=/' \
        -e 's/ delta-time=[0-9]+//; s|<timestamp>.*</timestamp>||; s|<deltatime>[0-9]+</deltatime>||' \
        -e 's|<when>.*</when>||' -e 's/(\bdport=|<dport>)5[01][0-9]{3}\b/\1NAT/g' \
        -e 's/\bid=[0-9]{6,}/id=ID/; s|<id>[0-9]{6,}<|<id>ID<|' | sort
}

# Connections that repeat a packet have a new timeout, and others still the one of the commit.
normal_live_flows() {
    normal_flows | sed -E 's/ (179|2999) ESTABLISHED/ T ESTABLISHED/' | sort
}

# What is sent over the link depends on how many changes of a flow fit between two writes, and
# updates of a cache on how many acknowledgements TCP sends.
normal_stats() {
    sed -E -e 's/[0-9]+ (Bytes|Pckts) (sent|recv)/N \1 \2/g' -e 's/ +N/ N/g' -e '/^(control|object) ->/d' \
        -e 's/(resent queue \(len=|uptime: )[0-9]+/\1N/' -e 's/active since [0-9]+s/since Ns/' \
        -e '/queue rsqueue/,/current elements/s/(elements:)\s+[0-9]+/\1 N/' \
        -e 's/(connections updated:|update OK\/failed:)\s+[0-9]+/\1 N/' \
        -e 's/(allocated queue nodes:)\s+[0-9]+/\1 N/'
}

# Besides, the other router's cache is told of some changes only, and of others more than once.
normal_far_stats() {
    normal_stats | sed -E -e '/external/,/^$/{s/(connections (created|destroyed):)\s+[0-9]+/\1 N/' \
        -e 's/((creation OK|deletion created)\/failed:)\s+[0-9]+/\1 N/' -e '}'
}
