# shellcheck shell=bash
# What the scenarios of ulogd share, on top of daemons.bash.

plugins=$(dirname "$linked")
arguments=() # besides those that every ulogd gets

# configured_logger NAME NS TEMPLATE OPTIONS: OPTIONS (lines, \n between) are those of every input.
configured_logger() {
    local dir=$work/daemons/$acting/$1
    mkdir -p "$dir"
    cat "$here/$(dirname "$3")/global.conf" "$here/$3.conf" |
        sed "s|@DIR@|$dir|; s|@PLUGINS@|$plugins|; s|@INPUT@|$4|" | sed "$(of_side)" >"$dir/conf"
    daemon "$1" "$2" -v -c "$dir/conf" "${arguments[@]}"
}

# of_side: what sed shall make of a configuration for the acting side.
of_side() {
    :
}

logger_ready() {
    wait_until "start of $1 on $acting" grep -q 'entering main loop' "$work/daemons/$acting/$1/log"
    check_maps "$acting" "$(pid_of "$1")"
}

# loggers NS TEMPLATE FILE: for each line 'NAME OPTIONS' of FILE, a logger on both libraries.
loggers() {
    local acting name options
    names=()
    while read -r name options; do
        names+=("$name")
        for acting in ref ctrs; do
            configured_logger "$name" "$1" "$2" "${options// /\\n}"
        done
    done
    for name in "${names[@]}"; do
        for acting in ref ctrs; do
            logger_ready "$name"
        done
    done
}

# stop_loggers: once nothing more is written.
stop_loggers() {
    local name acting
    until_quiet
    for name in "${names[@]}"; do
        for acting in ref ctrs; do
            end "$name" TERM
        done
    done
}

# until_quiet: until every logger has written all it has to.
until_quiet() {
    local pids
    mapfile -t pids < <(cat "$work/daemons/"*/*/pid)
    wait_until 'end of the log' idle 0.3 "$work/daemons" "${pids[@]}"
}

# compare_logs NAME FILTER FILE [LINES]: LINES as in compare_if_enough; FILE is a pattern.
compare_logs() {
    local side
    for side in ref ctrs; do
        # shellcheck disable=SC2086
        cat "$work/daemons/$side/$1/"$3 >"$work/$side.stdout" 2>/dev/null || true
        "$2" <"$work/$side.stdout" >"$work/$side"
    done
    compare_if_enough "${4:-+}" "$1: $3, $(wc -l <"$work/ref.stdout") lines"
}

# The wall clock of the logger.
without_clock() {
    sed -E -e 's/^[A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} /CLOCK /' -e 's/^timestamp=[^,]*/timestamp=CLOCK/' \
        -e 's/"timestamp": "[^"]*"/"timestamp": CLOCK/' -e 's|<when>.*</when>|<when/>|' \
        -e 's/^[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} [0-9]{4}/CLOCK/'
}
