# shellcheck shell=bash
# pmacct's uacctd: sums in memory, asked for by pmacct, and in files; a group that is taken.

part_uacctd() {
    local acting
    use uacctd libnetfilter_log.so.1
    for acting in ref ctrs; do
        accountant sums
        wait_until "start of uacctd on $acting" both_started
        check_maps "$acting" "$(pid_of sums)"
        accountant taken
    done
    logging uacctd.nft
    traffic "$lab" udp other ftp
    packets routed bridged
    no_logging
    until_quiet
    for acting in ref ctrs; do
        memory >"$work/daemons/$acting/sums/memory"
    done
    compare_logs sums cat memory
    signal_both INT sums
    for acting in ref ctrs; do
        reap sums || fail "end of uacctd on $acting: $?"
        wait_until "files of $acting" test -s "$work/daemons/$acting/sums/packets"
    done
    compare_logs sums cat sums
    compare_logs sums without_pacing packets
    compare_logs sums without_pids 'std*'
    refused_accountant
    used
}

# accountant NAME: the program on the acting side.
accountant() {
    local dir=$work/daemons/$acting/$1
    mkdir -p "$dir"
    sed "s|@DIR@|$dir|" "$here/nflog/uacctd.conf" | sed "$(of_side)" >"$dir/conf"
    daemon "$1" "$lab" -f "$dir/conf"
}

both_started() {
    local said=$work/daemons/$acting/sums
    grep -q 'connected Netlink NFLOG' "$said/"std* && grep -q 'waiting for data' "$said/"std*
}

# The second one for a group ends by itself.
refused_accountant() {
    local acting code
    for acting in ref ctrs; do
        code=0
        reap taken || code=$?
        echo "exit $code" >>"$work/daemons/$acting/taken/stdout"
    done
    compare_logs taken without_plugins 'std*'
}

# memory: what pmacct is told by the acting side, with its own order.
memory() {
    on "$lab" pmacct -s -O csv -p "$work/daemons/$acting/sums/table" | sort
}

# The time of a TCP segment is not the kernel's: see outputs.nft.
without_pacing() {
    sort | sed -E '/,tcp,/ s/,[^,]*(,[0-9]+,[0-9]+)$/,TIME\1/'
}

# What its plugins come to say, when their core ends at once, is chance.
without_plugins() {
    without_pids | grep -v -e child -e '( [a-z]*/[mp]'
}

without_pids() {
    sed -E -e 's|/daemons/[a-z]+/|/|; s/PID: [0-9]+/PID/' -e '/group/ s/5([0-9])/\1/' -e 's/ET: [0-9]+/ET/' | sort
}
