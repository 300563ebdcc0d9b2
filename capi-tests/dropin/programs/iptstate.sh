# shellcheck shell=bash
# iptstate: its table, printed once and on a live screen, and the deletion of a state.

part_iptstate() {
    use iptstate
    iptstate_tables
    both_sides iptstate_deletes
    compare_sides 'iptstate: flows after the deletions' flows
    both_sides check_loaded
}

iptstate_tables() {
    local python
    lab states
    on states sysctl -qw net.netfilter.nf_conntrack_acct=1
    hold states tcp udp nat other
    python=$(python -c 'import sys; print(sys.executable)')
    wrap=("$python" "$here/programs/on_terminal.py" 200 150)
    iptstate_single states
    wrap=()
    both_sides iptstate_screen states -C -t
    screens_agree 'iptstate: live screen' 'Total States: 45 -- TCP: 18 UDP: 18 ICMP: 3 Other: 6' \
        '^10\.1\.0\.2:40001 +10\.2\.0\.2:8001 +tcp +ESTABLISHED ' '^fd00:1::2 .* icmp6 +128/0'
    traffic states ftp
    screens_agree 'iptstate: new states appear' 'TCP: 20' ':21 +tcp'
    both_sides keys q
    release
    no_lab states states-client states-server
}

# Runs that print the table and end; on a terminal, for its width is that of the table.
iptstate_single() {
    local side args list=$here/programs/iptstate.txt
    while read -r args; do
        for side in ref ctrs; do
            # shellcheck disable=SC2086
            capture "$work/$side" "$side" "$1" --single $args </dev/null
            hide_clock "$work/$side"
        done
        compare_if_enough + "iptstate --single $args"
    done < <(if [ -n "${FAST:-}" ]; then sed -n '1~4p' "$list"; else cat "$list"; fi)
}

# iptstate_screen SIDE NS ARGS...
iptstate_screen() {
    screen_start "$1" "$2" --rate 1 "${@:3}"
    wait_until "screen of iptstate ($1)" screen_has "$1" 'Source +Destination'
    check_maps "$1" "$pid"
}

iptstate_deletes() {
    lab states
    hold states tcp udp
    iptstate_delete "$1" '10.1.0.2:40001 -> 10.2.0.2:8001' -D 8001 -s 10.1.0.2
    iptstate_delete "$1" 'fd00:1::2:40008 -> fd00:2::2:9008' -D 9008 -s fd00:1::2
    flows states >"$work/$1.flows"
    expect "iptstate: flows left ($1)" 22 "$(wc -l <"$work/$1.flows")"
    release
    no_lab states states-client states-server
}

# iptstate_delete SIDE STATE FILTER...: delete the one state that the filter leaves on the screen.
iptstate_delete() {
    iptstate_screen "$1" states --totals "${@:3}"
    wait_until "state $2 on the screen" screen_has "$1" "${2%% *} +${2##* }"
    keys "$1" x
    wait_until "question about $2" screen_has "$1" "Deleting state: $2 -- Are you sure"
    keys "$1" y Enter
    wait_until "deletion of $2" screen_lacks "$1" "${2%% *} +${2##* }"
    keys "$1" q
    wait_until 'end of iptstate' ended
}
