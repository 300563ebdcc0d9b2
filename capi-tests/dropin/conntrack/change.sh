# shellcheck shell=bash disable=SC2154,SC2034 # variables shared with lib.sh
# Changing: -I, -A, -U, -D, -F, each read back; and counters set to zero.

part_change() {
    namespace change
    on change nft -f "$here/labels.nft"
    play changes change
    nat_ports change
    no_lab change
    lab counters
    on counters sysctl -qw net.netfilter.nf_conntrack_acct=1
    play zeroing counters
    no_lab counters counters-client counters-server
}

changes() {
    steps_of "$1" "$here/conntrack/changes.txt"
}

# nat_ports NS: the installed library leaves these ports out (docs/differences.md: nat-ports), which
# WITHOUT_MENDS says of the candidate too.
nat_ports() {
    [ -z "${WITHOUT_MENDS:-}" ] || return 0
    run_ctrs "$1" -I -p sctp -s 10.0.1.2 -d 10.0.2.2 --sport 1001 --dport 90 -t 3000 \
        --state ESTABLISHED --orig-vtag 1 --reply-vtag 2 -n 10.9.9.9:4000 >"$work/said" 2>&1 ||
        fail "NAT of SCTP: $(cat "$work/said")"
    run_ctrs "$1" -I -p udplite -s 10.0.1.2 -d 10.0.2.2 --sport 1001 --dport 54 -t 3000 \
        -g 10.8.8.8:4001 >"$work/said" 2>&1 || fail "NAT of UDP-Lite: $(cat "$work/said")"
    expect 'source NAT of SCTP to a port' 1 "$(table_has "$1" 'sctp .* dst=10.9.9.9 sport=90 dport=4000 ')"
    expect 'destination NAT of UDP-Lite to a port' 1 \
        "$(table_has "$1" 'udplite .* src=10.8.8.8 dst=10.0.1.2 sport=4001 dport=1001 ')"
}

# table_has NS PATTERN: in how many lines of the kernel's own list.
table_has() {
    on "$1" grep -c "$2" /proc/net/nf_conntrack || true
}

# -z reads and zeroes counters, after the same packets.
zeroing() {
    traffic "$1" udp other
    step + "$1" -L -p udp
    step 0 "$1" -L -z -p udp
    step + "$1" -L -z -f ipv6 -o xml
    step + "$1" -L -z
    step + "$1" -L
}
