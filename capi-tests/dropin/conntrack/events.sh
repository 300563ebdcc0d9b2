# shellcheck shell=bash disable=SC2154,SC2034 # variables shared with lib.sh
# Hearing: -E with every output and filter, both libraries listening to the same events.

part_events() {
    local args switches
    lab events
    for switches in 1 0; do
        on events sysctl -qw "net.netfilter.nf_conntrack_acct=$switches" \
            "net.netfilter.nf_conntrack_timestamp=$switches"
        while read -r args; do
            # shellcheck disable=SC2086
            listen events $args
        done < <(listeners_of "$switches")
        all_listening
        events_of_traffic events
        events_of_commands events
        if [ "$switches" = 1 ]; then stop_listeners INT; else stop_listeners TERM; fi
    done
    no_lab events events-client events-server
}

# All of them where events carry most, every fifth where they carry less.
listeners_of() {
    if [ "$1" = 1 ]; then
        cat "$here/conntrack/listeners.txt"
    else
        sed -n '1~5p' "$here/conntrack/listeners.txt"
    fi
}

# Packets open, change and close flows; some run out of time (a listing reaps those).
events_of_traffic() {
    traffic "$1" tcp udp nat other ftp ftp-data
    on "$1" sysctl -qw net.netfilter.nf_conntrack_udp_timeout=1
    traffic "$1" tftp
    sleep 1.1
    run_ref "$1" -L >"$work/said" 2>&1
    on "$1" sysctl -qw net.netfilter.nf_conntrack_udp_timeout=3000
}

# Commands create, change and delete flows.
events_of_commands() {
    local args
    while read -r args; do
        # shellcheck disable=SC2086
        run_ref "$1" $args >"$work/said" 2>&1 || cat "$work/said"
    done <<'END'
-I -p tcp -s 10.0.1.1 -d 10.0.2.1 --sport 1 --dport 80 -t 3000 --state ESTABLISHED -u SEEN_REPLY
-I -p udp -s fd00::1 -d fd00::2 --sport 1 --dport 53 -t 3000 -m 3 --label-add alpha,top
-I -p tcp -s 10.0.1.1 -d 10.0.2.1 --sport 2 --dport 80 -t 3000 --state SYN_SENT -n 10.9.9.9:5
-I -p udp -s 10.0.1.1 -d 10.0.2.1 --sport 3 --dport 80 -t 3000 -w 5
-U -p tcp -s 10.0.1.1 -d 10.0.2.1 --sport 1 --dport 80 -m 1 -t 6000
-U -p udp -s fd00::1 --label-add beta
-D -p tcp -s 10.0.1.1 -d 10.0.2.1 --sport 1 --dport 80
-D -f ipv6 -p udp
-F
END
}
