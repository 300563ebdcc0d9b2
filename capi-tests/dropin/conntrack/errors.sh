# shellcheck shell=bash disable=SC2154,SC2034 # variables shared with lib.sh
# Refusals: wrong commands, no privilege, no label names: the same words and the same exit status.

part_errors() {
    local args
    namespace errors
    on errors nft -f "$here/labels.nft"
    run_ref errors -I -p udp -s 10.0.1.1 -d 10.0.2.1 --sport 1 --dport 53 -t 3000 \
        --label-add alpha,top >"$work/said" 2>&1
    while read -r args; do
        # shellcheck disable=SC2086
        same - errors $args
    done <"$here/conntrack/errors.txt"
    expect 'entries after all refusals' 1 "$(run_ref errors -C)"
    unprivileged
    label_files
    no_lab errors
}

# Without CAP_NET_ADMIN.
unprivileged() {
    local args
    wrap=(setpriv --bounding-set=-all --inh-caps=-all)
    while read -r args; do
        # shellcheck disable=SC2086
        same - errors $args
    done <<'END'
-L
-L -f ipv6
-L -o xml
-L expect
-L expect -o xml
-L dying
-G -p udp -s 10.0.1.1 -d 10.0.2.1 --sport 1 --dport 53
-C
-C expect
-S
-F
-F expect
-D -p udp
-U -p udp -s 10.0.1.1 -m 5
-I -p udp -s 10.0.1.1 -d 10.0.2.1 --sport 2 --dport 53 -t 60
-G expect -p tcp -s 10.0.0.1 -d 10.0.0.2 --orig-port-src 1 --orig-port-dst 2 --reply-port-src 2 --reply-port-dst 1
-E
-E expect
END
    wrap=()
}

# The names of labels: none, odd, and many.
label_files() {
    local names=/etc/xtables/connlabel.conf
    cp "$names" "$work/names"
    rm "$names"
    label_commands
    : >"$names"
    label_commands
    printf '%s\n' '# comment' '' '1 first' '1 second' '2' 'three 3' '0x7f hex' '128 beyond' \
        ' 5  spaced ' '6 two words' '7 a-very-long-name-for-a-label-that-goes-on-and-on' \
        '-1 negative' '127 top # remark' '1 alpha' >"$names"
    label_commands
    cp "$work/names" "$names"
}

label_commands() {
    local args
    while read -r args; do
        # shellcheck disable=SC2086
        same - errors $args
    done <<'END'
-L -o labels
-L -o labels,xml
-L -l alpha
-L -l top
-L -l first
-L -l 1
-L -o extended,labels -l top
-U -p udp -s 10.0.9.9 --label-add alpha
-D -l second
END
}
