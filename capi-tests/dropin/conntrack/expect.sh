# shellcheck shell=bash disable=SC2154,SC2034 # variables shared with lib.sh
# Expectations: made by the kernel's ftp and tftp helpers, listed, fetched, created, deleted, heard of.

part_expect() {
    lab expect
    play expectations expect
    expectation_events expect
    no_lab expect expect-client expect-server
}

expectations() {
    traffic "$1" ftp ftp-nat tftp
    steps_of "$1" "$here/conntrack/expects.txt"
}

expectation_events() {
    listen "$1" -E expect
    listen "$1" -E expect -o xml
    listen "$1" -E expect -o timestamp
    listen "$1" -E expect -o extended,id
    listen "$1" -E expect -o xml,timestamp
    all_listening
    traffic "$1" ftp ftp-data ftp-nat tftp
    run_ref "$1" -D expect -p tcp -s 10.2.0.2 -d 10.1.0.2 --orig-port-src 0 \
        --orig-port-dst 45000 --reply-port-src 45000 --reply-port-dst 0 >"$work/said" 2>&1 ||
        true # says that it failed, and deletes
    run_ref "$1" -F expect >"$work/said" 2>&1
    stop_listeners INT
}
