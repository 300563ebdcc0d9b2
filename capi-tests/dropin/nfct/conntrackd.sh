# shellcheck shell=bash
# conntrackd with helpers: what it sends for each, and how it ends where the kernel has none of them.

part_conntrackd() {
    local acting count name family protocol policies queue=0
    program=conntrackd
    libraries=(libnetfilter_cthelper.so.0 libnetfilter_conntrack.so.3)
    find_files
    namespace helpers
    while read -r count name family protocol policies; do
        queue=$((queue + 257))
        for acting in ref ctrs; do
            helper_daemon
        done
        compare "conntrackd, $name $family $protocol" "$work/ref" "$work/ctrs"
        compare_sent "$count" "conntrackd, $name $family $protocol"
    done < <(helper_table)
    wrap=()
    no_lab helpers
    used
}

helper_table() {
    local lines=1000
    only_if_full || lines=4
    sed -e '/^#/d' -e 's/;//g' "$here/nfct/conntrackd.txt" | head -n "$lines"
}

# helper_daemon: what it says on the acting side, and how it ends.
helper_daemon() {
    local dir=$work/daemon code=0 setup=no
    [ $((queue % 2)) = 0 ] || setup=yes
    rm -rf "$dir"
    mkdir "$dir"
    : >"$dir/log"
    # shellcheck disable=SC2086
    policies $policies >"$dir/policies"
    sed -e "s|@DIR@|$dir|; s/@NAME@/$name/; s/@FAMILY@/$family/; s/@PROTOCOL@/$protocol/" \
        -e "s/@QUEUE@/$queue/; s/@SETUP@/$setup/; /@POLICIES@/ { r $dir/policies" -e 'd; }' "$here/nfct/conntrackd.conf" >"$dir/conf"
    traced "$acting"
    run_side "$acting" helpers -C "$dir/conf" >"$dir/said" 2>&1 || code=$?
    { cat "$dir/said" "$dir/log" && echo "exit $code"; } |
        sed -E 's/^\[.{24}\] \(pid=[0-9]+\)/[CLOCK]/' >"$work/$acting"
}

# policies NAME MAXIMUM TIMEOUT...: as conntrackd wants them.
policies() {
    while [ $# -gt 0 ]; do
        printf '\t\tPolicy %s {\n\t\t\tExpectMax %s\n\t\t\tExpectTimeout %s\n\t\t}\n' "$1" "$2" "$3"
        shift 3
    done
}
