# shellcheck shell=bash disable=SC2154,SC2034 # variables shared with lib.sh
# Changing: -I, -A, -U, -D, -F, each read back; and counters set to zero.

part_change() {
    namespace change
    on change nft -f "$here/labels.nft"
    play changes change
    no_lab change
    lab counters
    on counters sysctl -qw net.netfilter.nf_conntrack_acct=1
    play zeroing counters
    no_lab counters counters-client counters-server
}

changes() {
    steps_of "$1" "$here/conntrack/changes.txt"
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
