# shellcheck shell=bash
# Drop-in tests: an unmodified program runs once on the installed library (the reference) and once
# on the candidate, and must show its user the same thing. Sourced by the scenario scripts.
#
#   CTRS_COMPAT_DIR  directory with the candidate libraries
#   VERBOSE=1        name the checks that pass, too
#   UNTIL_FAILURE=1  end with the first check that fails
#   WAIT=60          seconds to wait for what should happen at once
#
# A scenario calls `enter_private "$@"` first, and `finish` last.

set -Eeuo pipefail
exec {complaints}>&2
trap 'printf "error: %s line %s: %s\n" "${FUNCNAME[*]}" "$LINENO" "$BASH_COMMAND" >&"$complaints"' ERR

PATH=$PATH:/usr/sbin:/sbin # where ordinary users do not look
export PYTHONDONTWRITEBYTECODE=1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=/run/dropin     # on a tmpfs of the private mount namespace: nothing of it outlives the test
program=conntrack
library=libnetfilter_conntrack.so.3
libraries=() # those that the program is expected to use, if not that one alone
declare -A files=() # where each of them is, by side
linked= # what says which of them the loader would take: the program, or a plugin of it
passed=0
failed=0
skipped=0
cmd=()
wrap=() # a command to start the program with

# shellcheck source-path=SCRIPTDIR source=listeners.bash
. "$here/listeners.bash"

die() {
    printf 'error: %s\n' "$*" >&2
    exit 2
}

# --- the private world ---------------------------------------------------------------------------

# Start the calling script again in mount, network and process namespaces of its own (and a user
# namespace when not root). When it ends, however it ends, they and all their processes are gone.
enter_private() {
    if [ "${DROPIN_INSIDE:-}" != "$0" ]; then
        check_requirements
        local user=()
        [ "$(id -u)" = 0 ] || user=(--map-root-user)
        DROPIN_INSIDE=$0 exec unshare "${user[@]}" --mount --net --pid --fork --kill-child \
            --mount-proc bash "$0" "$@"
    fi
    trap 'exit 130' INT TERM HUP
    mount -t tmpfs dropin /run
    mkdir -p /run/netns "$work/logs" "$work/loaded"
    private_etc
    find_files
    reference=${files[ref $library]}
}

# find_files: where the libraries of both sides are.
find_files() {
    local name
    [ ${#libraries[@]} -gt 0 ] || libraries=("$library")
    for name in "${libraries[@]}"; do
        [ -z "${files[ref $name]:-}" ] || continue
        files[ref $name]=$(loader_path "$name")
        files[ctrs $name]=$(realpath "$CTRS_COMPAT_DIR/$name")
        printf '# reference: %s\n# candidate: %s\n' "${files[ref $name]}" "${files[ctrs $name]}"
        ! cmp -s "${files[ref $name]}" "${files[ctrs $name]}" || printf '# note: both are the same library\n'
    done
}

check_requirements() {
    [ -n "${CTRS_COMPAT_DIR:-}" ] || die 'CTRS_COMPAT_DIR must name the directory of the candidate'
    CTRS_COMPAT_DIR=$(realpath "$CTRS_COMPAT_DIR")
    export CTRS_COMPAT_DIR
    local name
    for name in "$library" "${libraries[@]}"; do
        [ -e "$CTRS_COMPAT_DIR/$name" ] || die "no $name in $CTRS_COMPAT_DIR"
    done
    "$here/../deps.sh" check || exit 2
}

# A private /etc, so that the label names are ours whatever the host has.
private_etc() {
    cp -a /etc "$work/etc" 2>/dev/null || true
    mkdir -p "$work/etc/xtables"
    printf '%s\n' '0 zero' '1 alpha' '2 beta' '40 far' '127 top' >"$work/etc/xtables/connlabel.conf"
    cp "$work/etc/xtables/connlabel.conf" "$work/etc/connlabel.conf"
    mount --bind "$work/etc" /etc
}

# loader_path LIBRARY: the file that the loader gives the program when nobody interferes.
loader_path() {
    env -u LD_LIBRARY_PATH ldd "${linked:-$(command -v "$program")}" |
        awk -v lib="$1" '$1 == lib { print $3 }' | xargs realpath
}

# The pyenv-like wrappers some machines have first in PATH are slow: prefer the system's.
python() {
    if [ -x /usr/bin/python3 ]; then /usr/bin/python3 "$@"; else python3 "$@"; fi
}

# --- running a program on one of the two libraries -------------------------------------------------

# on NS COMMAND...: run a command in a network namespace.
on() {
    nsenter --net="/run/netns/$1" "${@:2}"
}

# side_command SIDE NS ARGS...: leave in `cmd` what runs the program on library SIDE (ref, ctrs).
# The loader writes down which libraries it took, for check_loaded.
side_command() {
    local side=$1 ns=$2 path=()
    [ "$side" = ref ] || path=("LD_LIBRARY_PATH=$CTRS_COMPAT_DIR")
    cmd=(nsenter --net="/run/netns/$ns" env -u LD_LIBRARY_PATH "${path[@]}" LD_DEBUG=libs
        LD_DEBUG_OUTPUT="$work/loaded/$side" "${wrap[@]}" "$program" "${@:3}")
}

# conntrack numbers its requests by the second in which it makes them, and an update reads its answers late:
# one that a second ends in fails with "Protocol error", with either library. So none begins late in one, nor
# before time(2) has turned too, which it does some milliseconds after the clock.
early_in_a_second() {
    local part=$((10#${EPOCHREALTIME: -6}))
    if [ "$part" -lt 50000 ] || [ "$part" -ge 600000 ]; then
        sleep "0.$(printf '%06d' $(((1050000 - part) % 1000000)))"
    fi
}

# run_ref NS ARGS... / run_ctrs NS ARGS...
run_ref() { run_side ref "$@"; }
run_ctrs() { run_side ctrs "$@"; }
run_side() {
    side_command "$@"
    [[ " $* " != *' -U '* ]] || early_in_a_second
    timeout --foreground 120 "${cmd[@]}"
}

# capture FILE SIDE NS ARGS...: all that the program's user sees, in one file.
capture() {
    local file=$1 code=0
    run_side "${@:2}" >"$file.stdout" 2>"$file.stderr" || code=$?
    show "$file" cat "$code"
}

# show FILE FILTER CODE: join the pieces; FILTER is applied to standard output.
show() {
    {
        printf '== stdout\n'
        "$2" <"$1.stdout"
        printf '== stderr\n'
        cat "$1.stderr"
        printf '== exit %s\n' "$3"
    } >"$1"
}

# gives_up_groups NAME: some daemons insist on it, and only a real root can.
gives_up_groups() {
    setpriv --clear-groups true 2>/dev/null && return 0
    skip "$1: only root can start it"
    return 1
}

# --- verdicts ------------------------------------------------------------------------------------

pass() {
    passed=$((passed + 1))
    [ -z "${VERBOSE:-}" ] || printf 'ok   %s\n' "$*"
}

fail() {
    failed=$((failed + 1))
    printf 'FAIL %s\n' "$*"
    [ -z "${UNTIL_FAILURE:-}" ] || tally
}

skip() {
    skipped=$((skipped + 1))
    printf 'SKIP: %s\n' "$*"
}

# compare NAME REF CTRS: equal bytes, or a unified diff.
compare() {
    if diff -U1 --label reference --label candidate "$2" "$3" >"$work/diff"; then
        pass "$1"
    else
        fail "$1"
        head -n 30 "$work/diff"
    fi
}

# expect NAME WANT GOT: a fact about the test bed itself, so that no comparison is empty.
expect() {
    if [ "$2" = "$3" ]; then pass "$1"; else fail "$1: expected '$2', got '$3'"; fi
}

# enough LINES FILE: LINES is a number, + for at least one, - for any.
enough() {
    case $1 in
    -) return 0 ;;
    +) [ -s "$2" ] ;;
    *) [ "$(wc -l <"$2")" = "$1" ] ;;
    esac
}

# compare_if_enough LINES NAME: compare what both sides of a command left.
compare_if_enough() {
    if enough "$1" "$work/ref.stdout"; then
        compare "$2" "$work/ref" "$work/ctrs"
    else
        fail "$2: the reference printed $(wc -l <"$work/ref.stdout") lines, not $1"
        head -n 12 "$work/ref"
    fi
}

# same LINES NS ARGS...: a command that only reads, on both libraries one right after the other, on
# one live table: nothing is normalised. The table may change between the two (timeouts are counted
# down): then the candidate must say what the reference says before and after it, but for numbers
# between the two.
same() {
    local passing=
    for _ in {1..40}; do
        capture "$work/ref" ref "${@:2}" </dev/null
        capture "$work/ctrs" ctrs "${@:2}" </dev/null
        ! cmp -s "$work/ref" "$work/ctrs" || break
        capture "$work/again" ref "${@:2}" </dev/null
        ! cmp -s "$work/ref" "$work/again" || break
        ! between "$work/ref" "$work/ctrs" "$work/again" || { passing=1 && break; }
    done
    [ -z "$passing" ] || cp "$work/ref" "$work/ctrs"
    compare_if_enough "$1" "$program ${*:3}"
}

# between BEFORE FILE AFTER: equal but for numbers, which in FILE lie between those of the others.
between() {
    awk '
        FNR == 1 { file++ }
        { text[file, FNR] = $0; lines[file] = FNR }
        function form(line) { gsub(/[0-9]+/, "#", line); return line }
        function agree(before, line, after,    i, n, a, b, c) {
            if (form(line) != form(before) || form(line) != form(after)) return 0
            n = split(before, a, /[^0-9]+/); split(line, b, /[^0-9]+/); split(after, c, /[^0-9]+/)
            for (i = 1; i <= n; i++)
                if (b[i] "" != a[i] "" && (a[i] - b[i]) * (c[i] - b[i]) > 0) return 0
            return 1
        }
        END {
            if (lines[1] != lines[2] || lines[1] != lines[3]) exit 1
            for (i = 1; i <= lines[1]; i++)
                if (!agree(text[1, i], text[2, i], text[3, i])) exit 1
        }' "$@"
}

# --- plays: commands that change the table ---------------------------------------------------------

# play FUNCTION NS: FUNCTION calls `step` for each command. It is run on the reference, NS is emptied,
# and it is run again on the candidate: in the same namespace, because the order in which the kernel
# lists entries differs between namespaces.
play() {
    local side count
    for side in ref ctrs; do
        stage=$work/play/$side acting=$side steps=0
        mkdir -p "$stage"
        "$1" "$2"
        run_ref "$2" -F >"$work/said" 2>&1
        run_ref "$2" -F expect >"$work/said" 2>&1
    done
    count=$steps
    for ((steps = 1; steps <= count; steps++)); do
        cp "$work/play/ref/$steps.stdout" "$work/ref.stdout"
        cp "$work/play/ref/$steps" "$work/ref"
        cp "$work/play/ctrs/$steps" "$work/ctrs"
        compare_if_enough "$(cat "$work/play/ref/$steps.lines")" "$(cat "$work/play/ref/$steps.name")"
    done
    rm -r "$work/play"
}

# step LINES NS ARGS...: one command, what it said, and what it left behind.
step() {
    local code=0 file
    steps=$((steps + 1))
    file=$stage/$steps
    printf '%s\n' "$1" >"$file.lines"
    printf '%s\n' "$program ${*:3}" >"$file.name"
    run_side "$acting" "${@:2}" >"$file.stdout" 2>"$file.stderr" || code=$?
    show "$file" normalise_play "$code"
    printf '== state\n' >>"$file"
    state "$2" | normalise_play >>"$file"
}

# steps_of NS FILE: one step for each line 'LINES ARGS...' of a file.
steps_of() {
    local lines args
    while read -r lines args; do
        case $lines in '' | '#') continue ;; esac
        # shellcheck disable=SC2086
        step "$lines" "$1" $args </dev/null
    done <"$2"
}

# All entries of a play get a timeout of 3000, 6000 or 9000 s; up to 100 s of running time are put
# back. Ids are the kernel's choice: of entries after the use count, of any length; elsewhere numbers
# this long are no ICMP ids.
normalise_play() {
    sed -E -e 's/\b([258])9[0-9][0-9]\b/\1999/g' -e 's/(\bid=|<id>)[0-9]{6,}/\1ID/g' \
        -e 's/(\buse=[0-9]+ id=|<\/use><id>)[0-9]+/\1ID/g' \
        -e 's/\b3000\b/2999/g; s/\b6000\b/5999/g; s/\b9000\b/8999/g' \
        -e 's/^(300|2[0-9][0-9]) (l3proto|proto)/299 \2/' -e 's/<timeout>(300|2[0-9][0-9])</<timeout>299</'
}

# The state of a namespace by two independent paths: the kernel's own text, and the reference.
state() {
    on "$1" cat /proc/net/nf_conntrack /proc/net/nf_conntrack_expect 2>/dev/null || true
    run_ref "$1" -L -o extended,labels 2>/dev/null
}

# --- proof of what was loaded ------------------------------------------------------------------------

# check_maps SIDE PID: a running process has the libraries of its side mapped, and no others.
check_maps() {
    local name got
    for name in "${libraries[@]}"; do
        got=$(awk -v lib="/${name%.so*}." 'index($6, lib) { print $6 }' "/proc/$2/maps" 2>/dev/null |
            sort -u) || got='nothing: it has ended'
        expect "maps of $1 listener" "${files[$1 $name]}" "$got"
    done
}

# check_loaded SIDE: in every run of that side, the loader initialised these libraries and no others.
check_loaded() {
    local name runs paths
    runs=$(cat "$work/loaded/$1".* | grep -c "initialize program: $program\$") || true
    for name in "${libraries[@]}"; do
        paths=$(sed -n "s|.*calling init: \(.*/${name%.so*}\.[^ ]*\)\$|\1|p" "$work/loaded/$1".* |
            while read -r path; do realpath "$path"; done | sort | uniq -c | awk '{ print $1, $2 }')
        expect "$runs runs of $1 used its $name" "$runs ${files[$1 $name]}" "$paths"
    done
}

# --- the laboratory ----------------------------------------------------------------------------------

# namespace NAME: loopback up, and events for entries born unheard, too.
namespace() {
    ip netns add "$1"
    ip -n "$1" link set lo up
    on "$1" sysctl -qw net.netfilter.nf_conntrack_events=1 net.netfilter.nf_conntrack_acct=0 \
        net.netfilter.nf_conntrack_timestamp=0 net.netfilter.nf_conntrack_checksum=0 \
        net.ipv6.conf.default.accept_dad=0
}

# cable NS DEVICE NET PEER_NS PEER_DEVICE: 10.NET.0.1 and fd00:NET::1 on one end, .2 on the other.
cable() {
    ip -n "$1" link add "$2" type veth peer name "$5" netns "$4"
    ip -n "$1" addr add "10.$3.0.1/24" dev "$2"
    ip -n "$1" addr add "fd00:$3::1/64" dev "$2" nodad
    ip -n "$1" link set "$2" up
    ip -n "$4" addr add "10.$3.0.2/24" dev "$5"
    ip -n "$4" addr add "fd00:$3::2/64" dev "$5" nodad
    ip -n "$4" link set "$5" up
    ip -n "$4" route add default via "10.$3.0.1"
    ip -n "$4" route add default via "fd00:$3::1"
}

# lab NAME: NAME-client -- NAME -- NAME-server; NAME is the router, with the rules of lab.nft, and
# keeps every entry for 3000 s.
lab() {
    namespace "$1"
    namespace "$1-client"
    namespace "$1-server"
    cable "$1" cl 1 "$1-client" eth
    cable "$1" sv 2 "$1-server" eth
    on "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
    # shellcheck disable=SC2016
    on "$1" sh -c 'for key in /proc/sys/net/netfilter/nf_conntrack_*_timeout*; do
        echo 3000 >"$key"; done'
    on "$1" nft -f "$here/lab.nft"
    on "$1-server" nft -f "$here/server.nft"
}

# traffic NAME WHAT...: real packets through lab NAME.
traffic() {
    python "$here/traffic.py" "/run/netns/$1-client" "/run/netns/$1-server" "${@:2}"
}

# no_lab NAME...: remove namespaces, so that the next part starts afresh.
no_lab() {
    local name
    for name; do
        ip netns del "$name"
    done
}

# --- the end -----------------------------------------------------------------------------------------

finish() {
    check_loaded ref
    check_loaded ctrs
    tally
}

tally() {
    [ "$skipped" = 0 ] || printf '# %d skipped\n' "$skipped"
    printf '%d passed, %d failed\n' "$passed" "$failed"
    if [ "$failed" != 0 ]; then exit 1; fi
    exit 0
}
