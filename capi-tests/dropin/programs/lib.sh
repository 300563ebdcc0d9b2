# shellcheck shell=bash
# What the scenarios of the smaller programs share, on top of ../lib.sh.

export LC_ALL=C.UTF-8

# find_stage: leave in `stage_dir` where ctrs is installed, from the place of its drop-in library.
find_stage() {
    stage_dir=${CTRS_COMPAT_DIR%/lib/ctrs/compat}
    [ -e "$stage_dir/lib/pkgconfig/ctrs.pc" ] || die "no ctrs installed in $stage_dir"
}

# use PROGRAM: what side_command and its kin run from here on.
use() {
    program=$1
    rm -f "$work/loaded/"*
}

# both_sides FUNCTION ARGS...: FUNCTION SIDE ARGS... on the reference, then on the candidate.
both_sides() {
    local side
    for side in ref ctrs; do
        "$1" "$side" "${@:2}"
    done
}

# start SIDE NS ARGS...: the program in the background; `pid` is its process. What it says goes to
# $work/SIDE.log.
start() {
    side_command "$@"
    "${cmd[@]}" >"$work/$1.log" 2>&1 </dev/null &
    pid=$!
}

# stop [SIGNAL]
stop() {
    kill "-${1:-TERM}" "$pid"
    wait "$pid" 2>/dev/null || true
}

# compare_sides NAME FILE: compare $work/ref.FILE and $work/ctrs.FILE, which must not be empty.
compare_sides() {
    if [ -s "$work/ref.$2" ]; then
        compare "$1" "$work/ref.$2" "$work/ctrs.$2"
    else
        fail "$1: the reference left nothing to compare"
    fi
}

# flows NS: the kernel's own list of the flows in a namespace, sorted: protocol, mark, addresses and
# ports. The ports that the router itself (.1) sends from are the kernel's choice.
flows() {
    on "$1" cat /proc/net/nf_conntrack | awk '{
        split("", is)
        for (i = NF; i > 0; i--) if (split($i, pair, "=") == 2) is[pair[1]] = pair[2]
        if (is["src"] ~ /[.:0]1$/) is["sport"] = "any"
        from = is["src"] " " is["sport"]
        print $3, "mark", sprintf("%#x", is["mark"]), from, "->", is["dst"], is["dport"]
    }' | sed -E 's/(:0000)+:/::/g; s/:000/:/g' | sort
}

# compare_flows PART: the flows on both sides are those of PART.flows.
compare_flows() {
    local side
    for side in ref ctrs; do
        compare "$1: flows ($side)" "$here/programs/$1.flows" "$work/$side.flows"
    done
}

# listening NS PROTOCOL ADDRESS: is there a socket on ADDRESS:PORT?
listening() {
    on "$1" ss -Hnl "--$2" | grep -qF "$3 "
}

# --- full-screen programs ------------------------------------------------------------------------

# screen_start SIDE NS ARGS...: the program on a terminal of 150 columns and 120 lines.
screen_start() {
    side_command "$@"
    terminal kill-session -t "$1" 2>/dev/null || true
    terminal new-session -d -x 150 -y 120 -s "$1" "${cmd[@]}"
    pid=$(terminal display -p -t "$1" '#{pane_pid}')
}

# screen SIDE: what is on it now.
screen() {
    terminal capture-pane -p -t "$1" 2>/dev/null || true
}

# screen_has SIDE PATTERN...: does it show all of them?
screen_has() {
    local pattern side=$1
    screen "$side" >"$work/$side.now"
    for pattern in "${@:2}"; do
        grep -qE -- "$pattern" "$work/$side.now" || return 1
    done
}

# screen_lacks SIDE PATTERN...: does it show none of them?
screen_lacks() {
    screen "$1" | grep -q . && ! screen_has "$@"
}

# screens_agree NAME PATTERN...: both screens show PATTERNs and, at some moment of the next seconds,
# the same. They are drawn at moments of their own, and seconds go by.
screens_agree() {
    wait_until "$1" screens_equal "${@:2}"
    compare "$1" "$work/ref.screen" "$work/ctrs.screen"
}

screens_equal() {
    local side
    for side in ref ctrs; do
        screen_has "$side" "$@" || return 1
        cp "$work/$side.now" "$work/$side.screen"
        hide_clock "$work/$side.screen"
    done
    cmp -s "$work/ref.screen" "$work/ctrs.screen"
}

# hide_clock FILE
hide_clock() {
    sed -Ei 's/[0-9]+:[0-9]{2}:[0-9]{2}\b/H:MM:SS/' "$1"
}

# ended: have all programs on screens ended?
ended() {
    ! terminal list-sessions >/dev/null 2>&1
}

# keys SIDE KEY...: if the program has ended, the next look at its screen will tell.
keys() {
    terminal send-keys -t "$1" "${@:2}" 2>/dev/null || true
}

terminal() {
    TMUX_TMPDIR=$work tmux -f /dev/null -L dropin "$@"
}

# --- traffic that stays --------------------------------------------------------------------------

# hold LAB WHAT...: run it and keep its sockets open until `release`.
hold() {
    rm -f "$work/hold" "$work/held"
    mkfifo "$work/hold"
    traffic "$@" hold <"$work/hold" >"$work/held" &
    held=$!
    exec {hold_fd}>"$work/hold"
    wait_until 'traffic' grep -q ready "$work/held"
}

release() {
    terminal kill-server 2>/dev/null || true # it has inherited our end of the pipe
    exec {hold_fd}>&-
    wait "$held"
}
