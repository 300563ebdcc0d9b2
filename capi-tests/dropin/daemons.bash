# shellcheck shell=bash
# What the scenarios of the daemons share, on top of lib.sh.
#
# A daemon is heard in one of two ways. Where it only listens, both libraries run side by side in one
# laboratory and hear the same events. Where it changes the kernel's table, each library gets a
# laboratory of its own and the same traffic: see both_sides.

#   KEEP=DIR         copy everything that was recorded into a directory there

record_count=0
acting=ref # the library of the current commands: ref or ctrs

# only_if_full: the rest of a part is left out when FAST=1.
only_if_full() {
    [ -z "${FAST:-}" ]
}

# --- the daemon's life -----------------------------------------------------------------------------

# daemon NAME NS ARGS...: start the program on the acting side.
daemon() {
    local dir=$work/daemons/$acting/$1
    side_command "$acting" "$2" "${@:3}"
    mkdir -p "$dir"
    (cd "$dir" && exec "${cmd[@]}" >"$dir/stdout" 2>"$dir/stderr" </dev/null) &
    printf '%s\n' "$!" >"$dir/pid"
}

pid_of() {
    cat "$work/daemons/$acting/$1/pid"
}

# end NAME SIGNAL: stop it, and expect it to end well.
end() {
    local code=0
    kill "-$2" "$(pid_of "$1")"
    reap "$1" || code=$?
    expect "end of $1 on $acting" 0 "$code"
}

# reap NAME: wait for a daemon that has been told to end. It may be no child of this shell.
reap() {
    local pid
    pid=$(pid_of "$1")
    wait_until "end of $1" gone "$pid"
    gone "$pid" || { kill -9 "$pid" && return 99; }
    wait "$pid"
}

gone() {
    ! [ -d "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status"
}

# steady COMMAND...: wait until it says the same (but for `normal`ising) three times in a row.
steady() {
    local before='' after same=0 end=$((SECONDS + ${WAIT:-60}))
    while [ "$SECONDS" -lt "$end" ]; do
        after=$("$@" 2>&1 | normal_flows)
        [ "$before" = "$after" ] || same=0
        before=$after same=$((same + 1))
        [ "$same" -lt 3 ] || return 0
        sleep 0.15
    done
    fail "$* does not come to rest on $acting"
}

# --- the same on two laboratories --------------------------------------------------------------------

# both_sides FUNCTION ARGS...: run it for both libraries at the same time; compare what it recorded.
both_sides() {
    local side pids=() tally
    rm -rf "$work/record"
    for side in ref ctrs; do
        mkdir -p "$work/record/$side"
        one_side "$side" "$@" &
        pids+=($!)
    done
    for side in ref ctrs; do
        wait "${pids[0]}" || fail "$* on $side did not reach its end"
        pids=("${pids[@]:1}")
        read -ra tally <"$work/record/$side/tally" || tally=(0 0)
        passed=$((passed + tally[0])) failed=$((failed + tally[1]))
    done
    compare_records "$1 ${*:2}"
}

one_side() {
    acting=$1 passed=0 failed=0 record_count=0
    printf '0 0\n' >"$work/record/$1/tally"
    "${@:2}"
    printf '%s %s\n' "$passed" "$failed" >"$work/record/$1/tally"
}

# record LINES NAME FILTER COMMAND...: what a command says, for the comparison. LINES as in `enough`;
# FILTER is applied to standard output.
record() {
    local code=0 file
    record_count=$((record_count + 1))
    file=$work/record/$acting/$(printf '%03d' "$record_count")
    printf '%s\n' "$1" >"$file.lines"
    printf '%s\n' "$2" >"$file.name"
    "${@:4}" >"$file.stdout" 2>"$file.stderr" || code=$?
    sed -i "s|$work/daemons/$acting/|DIR/|g" "$file.stdout" "$file.stderr"
    show "$file" "$3" "$code"
}

# compare_records TITLE
compare_records() {
    local name base
    [ -z "${KEEP:-}" ] || cp -a "$work/record" "$KEEP/$(date +%s%N)"
    expect "$1: records" "$(ls "$work/record/ref")" "$(ls "$work/record/ctrs")"
    for name in "$work/record/ref/"*.name; do
        base=$(basename "$name" .name)
        cp "$work/record/ref/$base.stdout" "$work/ref.stdout"
        cp "$work/record/ref/$base" "$work/ref"
        : >"$work/ctrs"
        cp "$work/record/ctrs/$base" "$work/ctrs" || true
        compare_if_enough "$(cat "${name%.name}.lines")" "$1: $(cat "$name")"
    done
}

# --- a burst of events ------------------------------------------------------------------------------

# burst_file N: commands that make N entries, for `burst NS`.
burst_file() {
    local i
    for ((i = 0; i < $1; i++)); do
        printf -- '-I -p udp -s 10.3.%d.%d -d 10.4.0.1 --sport 53 --dport 53 -t 3000\n' \
            $((i / 250)) $((i % 250))
    done >"$work/burst"
}

burst() {
    on "$1" conntrack -R "$work/burst" >"$work/said" 2>&1 || fail 'the burst'
}

signal_both() {
    local acting
    for acting in ref ctrs; do
        kill "-$1" "$(pid_of "$2")"
    done
}

# run_parts PROGRAM PART...: run the parts one after the other, with times.
run_parts() {
    local part before start
    for part in "${@:2}"; do
        declare -F "part_$part" >/dev/null || die "no part $part"
        before=$passed/$failed
        start=$SECONDS
        "part_$part"
        printf '# %s %s: %d passed, %d failed, %d s\n' "$1" "$part" \
            $((passed - ${before%/*})) $((failed - ${before#*/})) $((SECONDS - start))
    done
}
