# shellcheck shell=bash
# oidentd: who is behind a connection that left this router through NAT.

part_oidentd() {
    gives_up_groups oidentd || return 0
    use oidentd
    printf '%s\n' '10.1.0.2 alice UNIX' 'fd00:1::2 carol UNIX' >/etc/oidentd_masq.conf
    oidentd_both table 0 --masquerade
    oidentd_both forward 4113 --forward=4113
    [ -n "${FAST:-}" ] || oidentd_both masquerade-first 4113 --masquerade-first --forward=4113
    both_sides check_loaded
}

# oidentd would rather read /proc/net/nf_conntrack than ask the library: leave it no /proc.
without_proc='mount -t tmpfs none /proc && exec "$@"'

# oidentd_both NAME FORWARD_PORT ARGS...
oidentd_both() {
    both_sides oidentd_answers "${@:2}"
    compare_sides "oidentd: $1: answers" answers
    compare_sides "oidentd: $1: log" log
    compare "oidentd: $1: who it is" "$here/programs/oidentd/$1" "$work/ref.answers"
}

# oidentd_answers SIDE FORWARD_PORT ARGS...
oidentd_answers() {
    lab ident
    ip -n ident-client addr add 10.1.0.3/24 dev eth
    wrap=(unshare --mount sh -c "$without_proc" sh)
    start "$1" ident --foreground --nosyslog --debug --user=0 --group=0 "${@:3}"
    wrap=()
    wait_until 'start of oidentd' listening ident tcp ':113'
    check_maps "$1" "$pid"
    python "$here/programs/ident.py" /run/netns/ident-client /run/netns/ident-server "$2" \
        >"$work/$1.answers"
    stop
    sed -Ei 's/^(Connection from .*:)[0-9]+$/\1PORT/; s/\b50[0-9]{3}\b/PORT/' "$work/$1.log"
    no_lab ident ident-client ident-server
}
