# shellcheck shell=bash
# Policies that rules of iptables use, of both kinds and both families, and flows that have their timeouts.

part_rules() {
    both_sides rules_and_flows
    expect 'flows with the timeout of their policy' 7 \
        "$(cat "$work/record/ref/"*.stdout | grep -cE ' (70|71|40|41|42|43|49|50)\.\. .*src=' || true)"
    used
}

rules_and_flows() {
    local lab=$acting tool held
    lab "$lab"
    record + 'policies' cat commands "$lab" "$here/nfct/policies.txt"
    record + 'rules' cat rules "$lab"
    record + 'policies in use' cat commands "$lab" "$here/nfct/in-use.txt"
    exec {held}> >(traffic "$lab" tcp udp other hold >"$work/$lab.held")
    wait_until "traffic on $acting" grep -q ready "$work/$lab.held"
    record + 'flows' cat timeouts "$lab"
    exec {held}>&-
    for tool in iptables-nft iptables-legacy ip6tables-nft ip6tables-legacy; do
        on "$lab" "$tool" -t raw -F
    done
    on "$lab" nft -f "$here/nfct/rules.nft"
    record + 'policies nobody uses' cat commands "$lab" "$here/nfct/afterwards.txt"
    no_lab "$lab" "$lab-client" "$lab-server"
}

# rules NS: each of rules.txt, and what was said of it.
rules() {
    local code
    while read -r rule; do
        code=0
        # shellcheck disable=SC2086
        on "$1" $rule 2>&1 || code=$?
        printf 'exit %s: %s\n' "$code" "$rule"
    done <"$here/nfct/rules.txt"
}

# timeouts NS: the flows with their timeouts, up to a hundred seconds of running time. The lab has 3000
# for every state without a policy.
timeouts() {
    on "$1" conntrack -L -o extended 2>/dev/null |
        sed -E -e 's/\b3000\b/2999/; s/  +/ /g; s/^(\S+ +\S+ +\S+ +\S+ )([0-9]*)[0-9]{2} /\1\2.. /' \
            -e 's/\bid=[0-9]+/id=ID/g; s/ use=.*//' | sort
}
