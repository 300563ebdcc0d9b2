# shellcheck shell=bash
# Caches that are flushed, asked for, sent again, and read again from the kernel.

part_resync() {
    only_if_full || return 0
    both_sides scenario_resync ftfw
    both_sides scenario_resync notrack
}

# scenario_resync MODE: every command, and what each cache holds after it.
scenario_resync() {
    # shellcheck disable=SC2034 # replica reads it
    local lab=$acting mode=$1
    router_pair "$lab"
    configure a "$1" 10.9.0.1 10.9.0.2
    configure b "$1" 10.9.0.2 10.9.0.1
    start_daemon a "$lab"
    traffic "$lab" tcp udp ftp
    start_daemon b "$lab-b"
    wait_until "the late router's news" replicated 26
    caches 'the other router comes late'
    command_and_caches b -f external
    command_and_caches b -n
    command_and_caches b -f
    command_and_caches a -B
    on "$lab" conntrack -I -p tcp -s 10.7.0.1 -d 10.7.0.2 --sport 7 --dport 8 -t 3000 \
        --state ESTABLISHED -u ASSURED,SEEN_REPLY -m 5 >"$work/said.$acting" 2>&1
    caches 'an entry made by hand'
    command_and_caches a -f internal
    command_and_caches a -R
    command_and_caches a '-R expect'
    command_and_caches a '-F expect'
    command_and_caches a -F
    command_and_caches a -R
    traffic "$lab" udp
    { kill -9 "$(pid_of b)" && wait "$(pid_of b)"; } 2>/dev/null || true
    rm -f "$work/daemons/$acting/b/"{lock,ctl}
    daemon_configured b "$lab-b"
    daemon_ready b "$lab-b"
    command_and_caches b -n
    end a INT
    end b TERM
    no_lab "$lab" "$lab-b" "$lab-client" "$lab-server"
}

# command_and_caches ROUTER COMMAND
command_and_caches() {
    local ns=$lab
    [ "$1" = a ] || ns=$lab-b
    # shellcheck disable=SC2086
    record - "$1 $2" cat ctl "$1" "$ns" $2
    caches "after $1 $2"
}

caches() {
    steady known
    record - "$1" normal_flows known
    record - "$1: a -s cache" normal_stats ctl a "$lab" -s cache
}
