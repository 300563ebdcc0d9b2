# shellcheck shell=bash
# squid: the mark of the flow to the server is put on the client's (qos_flows), a mark is set on the
# client's flow (mark_client_connection), and read from it (clientside_mark).

part_squid() {
    gives_up_groups squid || return 0
    use squid
    both_sides squid_requests
    compare_sides 'squid: answers' answers
    compare_sides 'squid: log' log
    compare_flows squid
    both_sides check_loaded
}

squid_requests() {
    lab web
    on web nft -f "$here/programs/squid.nft"
    start "$1" web -N -f "$here/programs/squid.conf" -d 1
    wait_until 'start of squid' listening web tcp 10.1.0.1:3128
    wait_until 'start of squid' listening web tcp '[fd00:1::1]:3128'
    check_maps "$1" "$pid"
    python "$here/programs/web.py" /run/netns/web-client /run/netns/web-server >"$work/$1.answers"
    flows web >"$work/$1.flows"
    stop KILL
    sed -Ei -e 's/^[0-9/]+ [0-9:]+\| //' -e 's/^(Process ID) .*/\1/' "$work/$1.log"
    no_lab web web-client web-server
}
