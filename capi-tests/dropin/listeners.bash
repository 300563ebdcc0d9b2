# shellcheck shell=bash
# Programs that listen on both libraries side by side and hear the same events, and waiting for what
# happens in them. A part of lib.sh, which reads it.

listeners=()

# listen NS ARGS...: start the program on both libraries, to hear the same events.
listen() {
    local side base="$work/logs/listen-${#listeners[@]}"
    for side in ref ctrs; do
        side_command "$side" "$@"
        "${cmd[@]}" >"$base.$side.stdout" 2>"$base.$side.stderr" </dev/null &
        printf '%s\n' "$!" >"$base.$side.pid"
    done
    listeners+=("$program ${*:2}")
}

# all_listening: wait until the listeners are ready, and check what they run on.
all_listening() {
    local i side pid
    for i in "${!listeners[@]}"; do
        for side in ref ctrs; do
            pid=$(cat "$work/logs/listen-$i.$side.pid")
            wait_until "start of $side: ${listeners[i]}" settled "$pid"
            check_maps "$side" "$pid"
        done
    done
}

# settled PID: is it listening, or has it ended?
settled() {
    subscribed "$1" || ! kill -0 "$1"
}

# subscribed PID: does one of its netlink sockets belong to a multicast group?
subscribed() {
    local link inode
    for link in "/proc/$1/fd/"*; do
        inode=$(readlink "$link") || continue
        inode=${inode#socket:[}
        awk -v inode="${inode%]}" '$NF == inode && $4 != "00000000" { found = 1 }
            END { exit !found }' "/proc/$1/net/netlink" && return 0
    done
    return 1
}

# wait_until WHAT COMMAND...: poll for at most a minute, or WAIT seconds.
wait_until() {
    local end=$((SECONDS + ${WAIT:-60}))
    while [ "$SECONDS" -lt "$end" ]; do
        ! "${@:2}" 2>/dev/null || return 0
        sleep 0.02
    done
    fail "$1: not reached in ${WAIT:-60} s"
    return 0
}

# heard LISTENER TEXT: did both sides of it print TEXT?
heard() {
    grep -q -- "$2" "$work/logs/listen-$1.ref.stdout" &&
        grep -q -- "$2" "$work/logs/listen-$1.ctrs.stdout"
}

# quiet: have all listeners heard everything?
quiet() {
    local pids
    mapfile -t pids < <(cat "$work/logs/"listen-*.pid)
    idle 0.15 "$work/logs" "${pids[@]}"
}

# idle SECONDS DIR PID...: have the files below DIR not grown for so long, and do the processes sleep,
# with nothing left to read from netlink? On a busy machine neither alone means that they are done.
idle() {
    local before pid status=()
    before=$(find "$2" -type f -exec cat {} + | wc -c)
    sleep "$1"
    for pid in "${@:3}"; do
        ! awk '$5 ~ /^[1-9]/ { found = 1 } END { exit !found }' "/proc/$pid/net/netlink" || return 1
        status+=("/proc/$pid/status")
    done
    ! grep -qs '^State:.[RD]' "${status[@]}" || return 1
    [ "$before" = "$(find "$2" -type f -exec cat {} + | wc -c)" ]
}

# stop_listeners SIGNAL: end them, compare what they heard.
stop_listeners() {
    local i side code
    wait_until 'end of events' quiet
    for i in "${!listeners[@]}"; do
        for side in ref ctrs; do
            stop_listener "$1" "$work/logs/listen-$i.$side"
        done
        if [ -s "$work/logs/listen-$i.ref.stdout" ]; then
            compare "${listeners[i]}" "$work/logs/listen-$i.ref" "$work/logs/listen-$i.ctrs"
        else
            fail "${listeners[i]}: the reference heard nothing"
            cat "$work/logs/listen-$i.ref"
        fi
    done
    listeners=()
    rm -f "$work/logs/"listen-*
}

# stop_listener SIGNAL BASE
stop_listener() {
    local code=0
    kill "-$1" "$(cat "$2.pid")" 2>/dev/null || true # it may have ended by itself
    wait "$(cat "$2.pid")" || code=$?
    show "$2" normalise_events "$code"
}

# With `-o timestamp` each listener reads the wall clock for itself. With `-o userspace` it looks for
# the name of the process that caused the event, which may be gone by then.
normalise_events() {
    sed -E -e 's/^\[[0-9]+ *\.[0-9]+ *\]/[CLOCK]/' -e 's|<when><hour>.*</year></when>|<when/>|' \
        -e 's/ progname=[^ ]*$//'
}
