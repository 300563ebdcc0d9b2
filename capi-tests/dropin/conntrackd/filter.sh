# shellcheck shell=bash
# Which events arrive with each filter of filters/, in the kernel and in the program.
#
# Where the installed library is known to lose events (docs/differences.md: filter-families,
# filter-ipv6-lists), NAME.expect picks what the kernel filter must let through from all flows.

part_filter() {
    local name where acting filters=(protocol-accept networks-ignore everything)
    # shellcheck disable=SC2012
    ! only_if_full || mapfile -t filters < <(cd "$here/conntrackd/filters" && ls -- *.conf | sed 's/\.conf//')
    lab filter
    for acting in ref ctrs; do
        configure all stats - -
        daemon_configured all filter
        for name in "${filters[@]}"; do
            filtered_daemon "$name" Kernelspace
            filtered_daemon "$name" Userspace
        done
    done
    every_filtered ready
    traffic filter tcp udp nat other
    for acting in ref ctrs; do
        steady ctl all filter -i
        every_flow all >"$work/$acting.all"
    done
    compare 'unfiltered flows' "$work/ref.all" "$work/ctrs.all"
    every_filtered compare_filtered
    no_lab filter filter-client filter-server
}

# every_filtered FUNCTION: call it for each filter and place.
every_filtered() {
    local name where
    for name in "${filters[@]}"; do
        for where in Kernelspace Userspace; do
            "$1" "$name" "$where"
        done
    done
}

# filtered_daemon NAME WHERE: a daemon with that filter, next to the others.
filtered_daemon() {
    {
        printf '\tFilter From %s {\n' "$2"
        cat "$here/conntrackd/filters/$1.conf"
        printf '\t}\n'
    } >"$work/filter.conf"
    configure "$1-$2" stats - - "$work/filter.conf"
    daemon_configured "$1-$2" filter
}

ready() {
    local acting
    for acting in ref ctrs; do
        daemon_ready "$1-$2" filter
    done
}

every_flow() {
    ctl "$1" filter -i | normal_flows
}

compare_filtered() {
    local acting
    for acting in ref ctrs; do
        every_flow "$1-$2" >"$work/$acting.stdout"
        cp "$work/$acting.stdout" "$work/$acting"
        ctl "$1-$2" filter -s runtime | grep events >>"$work/$acting"
        end "$1-$2" TERM
    done
    if [ "$2" = Kernelspace ] && [ -e "$here/conntrackd/filters/$1.expect" ]; then
        grep -E -f "$here/conntrackd/filters/$1.expect" "$work/ref.all" >"$work/ref.stdout"
        compare "kernel filter $1 does what it says" "$work/ref.stdout" "$work/ctrs.stdout"
    else
        compare_if_enough - "$2 filter $1: $(wc -l <"$work/ref.stdout") flows"
    fi
}
