# shellcheck shell=bash
# ulogd and its signals: HUP, after which it writes to new files; TERM, while packets wait.

part_signals() {
    local name
    loggers "$lab" nflog/stop <<'END'
hup group=1 netlink_qthreshold=1
waiting group=2 netlink_qthreshold=1000 netlink_qtimeout=60000
END
    loggers "$lab" nflog/settings <<'END'
single group=3 netlink_qthreshold=1000 netlink_qtimeout=60000
END
    logging signals.nft
    traffic "$lab" timeless
    reopened hup
    traffic "$lab" udp
    no_logging
    names=(hup)
    stop_loggers
    for name in json.old json logemu.old logemu; do
        compare_logs hup cat "$name"
    done
    compare_logs hup without_clock log
    ended_while_waiting
    used
}

# reopened NAME: files renamed, and HUP for both sides.
reopened() {
    local acting dir
    until_quiet
    for acting in ref ctrs; do
        dir=$work/daemons/$acting/$1
        mv "$dir/json" "$dir/json.old"
        mv "$dir/logemu" "$dir/logemu.old"
        kill -HUP "$(pid_of "$1")"
        wait_until "new files of $1 on $acting" test -e "$dir/json" -a -e "$dir/logemu"
    done
}

# The kernel holds packets of both groups until they are unbound. With the reference they then come in
# the midst of the end: in front of two outputs ulogd dies of it. With the candidate it never does, and
# writes nothing of them.
ended_while_waiting() {
    local acting name
    waiting 2 3 >"$work/ref"
    waiting 52 53 >"$work/ctrs"
    compare 'packets wait on both sides' "$work/ref" "$work/ctrs"
    expect 'packets wait' 2 "$(grep -c '^[1-9]' "$work/ref" || true)"
    for name in waiting single; do
        compare_logs "$name" cat json
        cp "$work/ctrs" "$work/$name.before"
    done
    acting=ctrs
    for name in waiting single; do
        end "$name" TERM
        compare "$name: nothing is written after the end" "$work/$name.before" "$work/daemons/ctrs/$name/json"
    done
    acting=ref
    end single TERM
    kill -TERM "$(pid_of waiting)"
    reap waiting 2>/dev/null || true
    for name in waiting single; do
        compare_logs "$name" without_clock log
    done
}

# waiting GROUP...: how many packets the kernel holds for each.
waiting() {
    local group
    for group; do
        on "$lab" awk -v group="$group" '$1 == group { print $3 }' /proc/net/netfilter/nfnetlink_log
    done
}
