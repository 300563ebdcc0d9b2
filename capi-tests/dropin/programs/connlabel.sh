# shellcheck shell=bash
# iptables -m connlabel: labels by name, from /etc/xtables/connlabel.conf, set on flows and matched.

part_connlabel() {
    local tool tools=(iptables-nft)
    [ -n "${FAST:-}" ] || tools+=(iptables-legacy ip6tables-nft)
    for tool in "${tools[@]}"; do
        use "$tool"
        both_sides connlabel_rules
        compare_sides "$tool: what it says" said
        compare_sides "$tool: labels of the flows" labels
        both_sides check_loaded
    done
    use iptables-restore
    both_sides connlabel_maps
    both_sides check_loaded
}

# connlabel_rules SIDE: the rules of connlabel.txt, one by one, then traffic.
connlabel_rules() {
    local args code
    lab labels
    while read -r args; do
        code=0
        printf '$ %s\n' "$args"
        # shellcheck disable=SC2086
        run_side "$1" labels $args 2>&1 </dev/null || code=$?
        printf 'exit %s\n' "$code"
    done <"$here/programs/connlabel.txt" >"$work/$1.said"
    connlabel_unreadable "$1" >>"$work/$1.said" 2>&1
    traffic labels udp
    run_side "$1" labels -t mangle -nvL PREROUTING >>"$work/$1.said"
    on labels conntrack -L -f "$(connlabel_family)" -p udp -o labels 2>/dev/null |
        sed -nE 's/.* dport=([0-9]+) \S* ?src.* (labels=.*)/\1 \2/p' | sort >"$work/$1.labels"
    no_lab labels labels-client labels-server
}

connlabel_family() {
    case $program in ip6*) echo ipv6 ;; *) echo ipv4 ;; esac
}

# connlabel_unreadable SIDE: with no file of names, and with one of nonsense.
connlabel_unreadable() {
    local conf=/etc/xtables/connlabel.conf
    mv "$conf" "$conf.away"
    run_side "$1" labels -A INPUT -m connlabel --label alpha </dev/null || printf 'exit %s\n' $?
    run_side "$1" labels -A INPUT -m connlabel --label 40 </dev/null || printf 'exit %s\n' $?
    echo 'no label at all' >"$conf"
    run_side "$1" labels -A INPUT -m connlabel --label alpha </dev/null || printf 'exit %s\n' $?
    mv "$conf.away" "$conf"
}

# connlabel_maps SIDE: the program has read one rule and waits for more; which library is that with?
connlabel_maps() {
    namespace labels
    mkfifo "$work/$1.rules"
    side_command "$1" labels
    "${cmd[@]}" <"$work/$1.rules" &
    pid=$!
    exec {rules}>"$work/$1.rules"
    printf '%s\n' '*mangle' '-A PREROUTING -m connlabel --label top --set' >&"$rules"
    wait_until 'the extension' grep -q libxt_connlabel "/proc/$pid/maps"
    check_maps "$1" "$pid"
    echo COMMIT >&"$rules"
    exec {rules}>&-
    wait "$pid" || fail "iptables-restore on $1: $?"
    expect "iptables-restore: the rule ($1)" 1 \
        "$(on labels iptables -t mangle -S | grep -c -- '-m connlabel --label "top" --set' || true)"
    rm "$work/$1.rules"
    no_lab labels
}
