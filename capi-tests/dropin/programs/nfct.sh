# shellcheck shell=bash
# nfct, which does without the library: its timeout policies, beside flows that
# conntrack lists with it.

part_nfct() {
    both_sides nfct_timeouts
    compare_sides 'nfct timeout: what it says' said
    compare_sides 'nfct timeout: flows' flows
    expect 'nfct timeout: the policy reached the flow' 1 \
        "$(grep -c '^tcp 6 69.. ' "$work/ref.flows")"
}

# nfct_timeouts SIDE
nfct_timeouts() {
    local args
    use nfct
    lab policy
    while read -r args; do
        # shellcheck disable=SC2086
        nfct_says "$1" $args
    done <"$here/programs/nfct.txt" >"$work/$1.said"
    nfct_loads_nothing "$1"
    on policy iptables -t raw -A PREROUTING -p tcp --dport 8001 -j CT --timeout slow
    hold policy tcp
    use conntrack
    run_side "$1" policy -L -p tcp --dport 8001 --state ESTABLISHED 2>&1 |
        sed -E 's/ +/ /g; s/ (69|29)[0-9]{2} / \1.. /' | sort >"$work/$1.flows"
    check_loaded "$1"
    release
    no_lab policy policy-client policy-server
}

# nfct_says SIDE ARGS...
nfct_says() {
    local code=0
    printf '$ nfct %s\n' "${*:2}"
    run_side "$1" policy "${@:2}" 2>&1 || code=$?
    printf 'exit %s\n' "$code"
}

nfct_loads_nothing() {
    expect "nfct on $1: runs" "$(wc -l <"$here/programs/nfct.txt")" \
        "$(grep -l 'initialize program: nfct$' "$work/loaded/$1".* | wc -l)"
    expect "nfct on $1: does not load the library" '' \
        "$(grep -h "calling init: .*${library%.so*}\." "$work/loaded/$1".* || true)"
}
