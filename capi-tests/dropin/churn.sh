#!/usr/bin/env bash
# Daemons that run for long while a thousand flows a second come and go: do they grow, lose
# descriptors, hang or crash?
#
#   [CHURN_SECONDS=600] [CHURN_REFERENCE=1] [FAST=1] churn.sh
#
# Debian's conntrack, ulogd and three of its conntrackd run on the candidate; CHURN_REFERENCE=1 lets
# the same five run on the installed library at the same time, in namespaces of their own with flows
# of their own. What the installed library does is printed, not judged. FAST=1: 20 seconds.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=daemons.bash
. "$here/daemons.bash"
# shellcheck source=conntrackd/common.sh
. "$here/conntrackd/common.sh"

rate=1000
seconds=${CHURN_SECONDS:-600} every=10 warm=60
[ -z "${FAST:-}" ] || seconds=20 every=2
[ "$seconds" -ge 150 ] || warm=$((seconds * 2 / 5))
growth_limit=1024 # kB of resident memory, from the end of the warm-up to the end
names=(conntrack ulogd stats sender receiver)
header='| library | program | RSS at start | after warm-up | at the end | growth | per minute |'
header+=' data growth | descriptors | states | events |'

enter_private "$@"
plugins=$(dirname /usr/lib/*/ulogd/ulogd_inpflow_NFCT.so)

# --- the programs ------------------------------------------------------------------------------------

start_programs() {
    local program=conntrackd
    configure stats stats - -
    configure sender ftfw 10.9.0.1 10.9.0.2
    configure receiver ftfw 10.9.0.2 10.9.0.1
    start_daemon stats "$lab"
    start_daemon sender "$lab"
    start_daemon receiver "$lab-b"
    start_ulogd
    start_conntrack
}

start_ulogd() {
    local program=ulogd dir=$work/daemons/$acting/ulogd
    mkdir -p "$dir"
    cat "$here/ulogd/global.conf" "$here/churn/ulogd.conf" |
        sed "s|@DIR@|$dir|; s|@PLUGINS@|$plugins|" >"$dir/conf"
    daemon ulogd "$lab" -v -c "$dir/conf"
    wait_until "start of ulogd on $acting" grep -q 'entering main loop' "$dir/log"
    check_maps "$acting" "$(pid_of ulogd)"
}

# Its events go through a pipe to a program that counts them. Its -E reads from a socket with a buffer
# of the default size, for 50 ms of events: on a busy machine both need to be let run in time.
start_conntrack() {
    local program=conntrack wrap=() dir=$work/daemons/$acting/conntrack
    mkdir -p "$dir"
    mkfifo "$dir/events"
    ! chrt -f 1 true 2>/dev/null || wrap=(chrt -f 1)
    "${wrap[@]}" mawk -v total="$dir/total" -f "$here/churn/count.awk" "$dir/events" &
    counter=$!
    side_command "$acting" "$lab" -E -b 16777216 -o timestamp,extended,id,labels
    "${cmd[@]}" >"$dir/events" 2>"$dir/stderr" </dev/null &
    printf '%s\n' "$!" >"$dir/pid"
    wait_until "start of conntrack on $acting" settled "$!"
    check_maps "$acting" "$!"
}

# --- samples -----------------------------------------------------------------------------------------

# sample SECONDS: one line for each program, and whether each has gone on since the last sample.
sample() {
    local name pid figures events rss data state
    for name in "${names[@]}"; do
        pid=$(pid_of "$name")
        if ! figures=$(memory_and_state "$pid"); then
            verdict "$name at $1 s" running ended
            continue
        fi
        read -r rss data state <<<"$figures"
        events=$(events_of "$name")
        printf '%s %s %s %s %s %s %s\n' "$1" "$name" "$rss" "$data" \
            "$(descriptors "$pid")" "$state" "$events" >>"$samples"
        [ "$events" -gt "${before[$name]:--1}" ] || verdict "$name at $1 s" 'new events' "still $events"
        before[$name]=$events
    done
    printf '# %s %s s: %s\n' "$acting" "$1" "$(tail -n ${#names[@]} "$samples" |
        awk '{ printf "%s %s kB, %s files, %s events; ", $2, $3, $5, $7 }')"
}

# memory_and_state PID: resident memory and data in kB, state; fails when it has ended.
memory_and_state() {
    awk '/^State:/ { state = $2 } /^VmRSS:/ { rss = $2 } /^VmData:/ { data = $2 }
        END { print rss, data, state; exit !rss }' "/proc/$1/status" 2>/dev/null
}

# descriptors PID: the least of many counts: conntrack opens a file for each event.
descriptors() {
    local open least=1000
    for _ in {1..20}; do
        open=("/proc/$1/fd/"*)
        [ ${#open[@]} -ge "$least" ] || least=${#open[@]}
        sleep 0.01
    done
    printf '%s\n' "$least"
}

# events_of NAME: how many it has seen so far.
events_of() {
    case $1 in
    conntrack) conntrack_events ;;
    ulogd) rotate ;;
    stats) : >"$work/daemons/$acting/stats/stats" && cache_events stats "$lab" ;;
    sender) cache_events sender "$lab" ;;
    receiver) cache_events receiver "$lab-b" external ;;
    esac
}

conntrack_events() {
    awk '{ sum = $1 + $2 + $3 } END { print sum + 0 }' "$work/daemons/$acting/conntrack/total" 2>/dev/null ||
        printf '0\n'
}

# Give ulogd a new file, and count the lines of all so far.
rotate() {
    local dir=$work/daemons/$acting/ulogd lines
    mv "$dir/logemu" "$dir/rotated"
    kill -HUP "$(pid_of ulogd)"
    wait_until 'a new file of ulogd' test -e "$dir/logemu" >&2
    lines=$(($(cat "$dir/lines" 2>/dev/null || printf 0) + $(wc -l <"$dir/rotated")))
    printf '%s\n' "$lines" | tee "$dir/lines"
}

# cache_events NAME NS [external]: flows that the daemon's cache took in, renewed and gave up.
cache_events() {
    local program=conntrackd
    ctl "$1" "$2" -s 2>/dev/null | awk -v cache="${3:-internal|stats}" '
        /^cache / { ours = $2 ~ cache } ours && /connections (created|updated|destroyed):/ { sum += $3 }
        END { print sum + 0 }'
}

# --- one library ---------------------------------------------------------------------------------------

# verdict WHAT WANT GOT: the candidate is judged, the reference is shown.
verdict() {
    if [ "$acting" = ctrs ] || [ "$2" = "$3" ]; then
        expect "$acting: $1" "$2" "$3"
    else
        printf '# reference: %s: wanted %s, got %s\n' "$@"
    fi
}

scenario_churn() {
    local lab=$acting samples=$work/record/$acting/samples start counter made changed destroyed
    declare -A before=()
    router_pair "$lab"
    start_programs
    churn
    judge_rate
    judge_answers
    judge_samples
    stop_programs
    judge_conntrack
}

# churn: the flows, and a sample from time to time.
churn() {
    local generator interpreter
    interpreter=$(python -c 'import sys; print(sys.executable)')
    on "$lab" "$interpreter" "$here/churn/flows.py" "$rate" "$seconds" \
        >"$work/record/$acting/achieved" &
    generator=$!
    start=$SECONDS
    while sleep "$every" && [ $((SECONDS - start)) -lt "$seconds" ]; do
        sample $((SECONDS - start))
    done
    wait "$generator" || verdict 'the generator' 'to end well' 'an error'
}

judge_rate() {
    local errors took slowest
    read -r made changed destroyed errors took slowest <"$work/record/$acting/achieved"
    printf '# %s: %s flows made, %s changed, %s destroyed, %s errors in %s s; slowest ten seconds: %s/s\n' \
        "$acting" "$made" "$changed" "$destroyed" "$errors" "$took" "$slowest"
    verdict 'errors of the generator' 0 "$errors"
    verdict "flows a second in the slowest ten seconds ($slowest)" 1 $((slowest >= rate * 98 / 100))
}

# judge_answers: after the last flow every program has seen all of them, and still answers.
judge_answers() {
    local dir=$work/daemons/$acting name
    wait_until "rest of conntrack on $acting" all_heard
    before=() # the sample before may have been late enough to have seen the last flow, too
    sample "$((SECONDS - start))"
    for name in ulogd stats sender receiver; do
        verdict "errors in the log of $name" '' "$(complaints_of "$name")"
    done
    verdict 'flows in the log of ulogd' "$made" "$(cat "$dir/ulogd/lines")"
    for name in stats sender; do
        verdict "flows in the cache of $name, made and destroyed" "$made $destroyed" \
            "$(cache_totals "$name" "$lab" 'internal|stats')"
    done
    verdict 'flows in the cache of receiver, made and destroyed' "$made $destroyed" \
        "$(cache_totals receiver "$lab-b" external)"
}

# complaints_of NAME: but that conntrackd may not run before others, which takes a real root.
complaints_of() {
    grep -iE 'error|warning|overrun|full' "$dir/$1/log" | grep -v 'scheduler configuration failed' || true
}

# all_heard: has every program there taken all from its sockets, and the counter all from the pipe?
all_heard() {
    # shellcheck disable=SC2016
    on "$lab" awk '$5 ~ /^[1-9]/ { found = 1 } END { exit found }' /proc/net/netlink && sleep 0.5
}

cache_totals() {
    local program=conntrackd
    ctl "$1" "$2" -s 2>/dev/null | awk -v cache="$3" '/^cache / { ours = $2 ~ cache }
        ours && /connections created:/ { made = $3 } ours && /connections destroyed:/ { gone = $3 }
        END { print made, gone }'
}

judge_samples() {
    local name growth fds
    awk -v side="$acting" -v warm="$warm" -f "$here/churn/report.awk" "$samples" \
        >"$work/record/$acting/table"
    while IFS='|' read -r _ _ name _ _ _ growth _ _ fds _; do
        verdict "$name grew by$growth kB: less than $growth_limit" 1 $((growth < growth_limit))
        verdict "descriptors of $name are constant" "${fds%%-*}" "$fds"
    done <"$work/record/$acting/table"
}

stop_programs() {
    local name code
    for name in "${names[@]}"; do
        code=0
        kill -TERM "$(pid_of "$name")" && reap "$name" || code=$?
        verdict "end of $name" 0 "$code"
    done
    wait "$counter"
}

# It may lose a few events all the same, but then it says so.
judge_conntrack() {
    local dir=$work/daemons/$acting/conntrack overruns seen lost
    overruns=$(grep -c ENOBUFS "$dir/stderr") || true
    seen=$(conntrack_events)
    lost=$((made + changed + destroyed - seen))
    printf '# %s: conntrack printed %s events, lost %s in %s overruns\n' "$acting" "$seen" "$lost" "$overruns"
    verdict 'conntrack lost events without saying so' 0 $((lost != 0 && overruns == 0))
    verdict "conntrack lost $lost events: less than one in a hundred" 1 $((lost * 100 <= seen))
}

# --- all -----------------------------------------------------------------------------------------------

sides=(ctrs)
[ -z "${CHURN_REFERENCE:-}" ] || sides=(ref ctrs)
pids=()
for side in "${sides[@]}"; do
    mkdir -p "$work/record/$side"
    one_side "$side" scenario_churn &
    pids+=($!)
done
for side in "${sides[@]}"; do
    wait "${pids[0]}" || fail "$side did not reach its end"
    pids=("${pids[@]:1}")
    read -r more_passed more_failed <"$work/record/$side/tally"
    passed=$((passed + more_passed)) failed=$((failed + more_failed))
done
printf '\nSizes in kB, growth since %s s, %s flows a second for %s s.\n\n%s\n' \
    "$warm" "$rate" "$seconds" "$header"
printf '|%.0s---' {1..11}
printf '|\n'
for side in "${sides[@]}"; do cat "$work/record/$side/table" || true; done
printf '\n'
[ -z "${KEEP:-}" ] || cp -a "$work/record" "$KEEP/"
tally
