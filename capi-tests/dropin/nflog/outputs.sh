# shellcheck shell=bash
# ulogd, one for each side, with a stack for every output that needs no server.

part_outputs() {
    local acting file
    private_dev
    start_syslog
    for acting in ref ctrs; do
        new_databases outputs
    done
    loggers "$lab" nflog/outputs <<<outputs
    logging outputs.nft
    traffic "$lab" tcp udp other ftp
    packets routed owned
    no_logging
    on "$lab" conntrack -F >"$work/said" 2>&1
    stop_loggers
    for acting in ref ctrs; do
        readable outputs
    done
    for file in logemu oprint.txt json pcap.txt sqlite.txt dbi.txt; do
        compare_logs outputs without_place "$file"
    done
    for file in syslog gprint xml.txt logemu-tcp logemu-marked json-local logemu-local nacct \
        logemu-flows log; do
        compare_logs outputs without_our_clock "$file"
    done
    used
}

# private_dev: a /dev of our own, with what programs need of the host's.
private_dev() {
    local name
    mkdir -p "$work/dev"
    for name in null zero full random urandom; do
        : >"$work/dev/$name"
        mount --bind "/dev/$name" "$work/dev/$name"
    done
    ln -s /proc/self/fd "$work/dev/fd"
    mount --rbind "$work/dev" /dev
}

start_syslog() {
    python "$here/nflog/syslog.py" /dev/log "$work/syslog" &
    wait_until 'the system log' test -S /dev/log
}

# new_databases NAME: empty ones for a daemon of the acting side.
new_databases() {
    local file
    for file in sqlite dbi; do
        mkdir -p "$work/daemons/$acting/$1"
        database "$work/daemons/$acting/$1/$file" "$(grep -v '^#' "$here/nflog/outputs.sql")"
    done
}

# database FILE STATEMENT: what it answers, a row a line.
database() {
    python - "$@" <<'END'
import sqlite3, sys
base = sqlite3.connect(sys.argv[1])
for row in base.execute(sys.argv[2]):
    print(row)
base.commit()
END
}

# readable NAME: as text, what a daemon of the acting side wrote in other forms or to other places.
readable() {
    local dir=$work/daemons/$acting/$1
    grep -F "[$(cat "$dir/pid")]: " "$work/syslog" >"$dir/syslog" || true
    without_six "$dir/oprint" >"$dir/oprint.txt"
    od -An -v -tx1 -w16 "$dir/pcap" >"$dir/pcap.txt"
    database "$dir/sqlite" 'SELECT * FROM packets' >"$dir/sqlite.txt"
    database "$dir/dbi" 'SELECT * FROM packets' >"$dir/dbi.txt"
    cat "$dir/"ulogd-pkt*.xml >"$dir/xml.txt" || true
}

# without_six FILE: IP2HBIN takes an address for IPv4 if that fits, and for a place in memory if not.
without_six() {
    awk '/^oob.family=/ { six = /=10$/ } six && /^ip.h[sd]addr=/ { sub(/=.*/, "=PLACE") } 1' "$1"
}
