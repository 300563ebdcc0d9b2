# shellcheck shell=bash disable=SC2154,SC2034 # variables shared with lib.sh
# Bulk: thousands of entries restored with -R, saved, restored again, changed and deleted at once.

part_bulk() {
    namespace bulk
    on bulk nft -f "$here/labels.nft"
    bulk_lines 1000 >"$work/bulk"
    expect 'lines to restore' 3000 "$(wc -l <"$work/bulk")"
    play restoring bulk
    bulk_lines 10000 >"$work/many"
    expect 'many lines to restore' 30000 "$(wc -l <"$work/many")"
    play restoring_many bulk
    play refusing bulk
    no_lab bulk
}

# Three times $1 commands in the format of `-o save`.
bulk_lines() {
    awk -v rounds="$1" 'BEGIN {
        for (i = 0; i < rounds; i++) {
            printf "-A -p tcp -s 10.0.%d.%d -d 10.1.0.1 --sport %d --dport 80 -t 3000 " \
                "--state ESTABLISHED -u SEEN_REPLY,ASSURED -m %d\n", i / 250, i % 250, 1000 + i, i
            printf "-A -p udp -s fd00::%x -d fd00:1::1 --sport %d --dport 53 -t 6000\n", i, 1000 + i
            printf "-I -p udp -s 10.2.%d.%d -d 10.3.0.1 --sport 5 --dport 6 -t 9000 " \
                "-n 10.9.9.9:%d -w %d\n", i / 250, i % 250, 2000 + i, i % 3
        }
    }'
}

# An update of more than 256 entries at once fails: the program does not read its answers in time.
restoring() {
    step 0 "$1" -R "$work/bulk" </dev/null
    step 1 "$1" -C
    step 2000 "$1" -L -f ipv4
    step 1003 "$1" -L -f ipv6 -o xml
    step 3000 "$1" -L -o save
    step 333 "$1" -L -w 1 -o extended
    cp "$stage/5.stdout" "$work/saved"
    step 0 "$1" -R - <"$work/saved"
    step 0 "$1" -F
    step 0 "$1" -R - <"$work/saved"
    step 3000 "$1" -L -o save
    step + "$1" -U -p tcp -s 10.0.0.0/25 -m 7
    step 128 "$1" -D -p tcp -m 7
    step 872 "$1" -D -p tcp
    step - "$1" -D -w 2
    step 1000 "$1" -D -f ipv6
    step 1 "$1" -C
    step 0 "$1" -F
}

restoring_many() {
    step 0 "$1" -R "$work/many" </dev/null
    step 1 "$1" -C
    step 20000 "$1" -L -f ipv4
    step 10000 "$1" -D -f ipv6
    step 0 "$1" -F
}

# Files with mistakes in them, and what of them is carried out.
refusing() {
    local good='-A -p udp -s 10.0.0.1 -d 10.0.0.2 --sport 1 --dport'
    step - "$1" -R - <<<''
    step - "$1" -R - <<<"# remark"
    step - "$1" -R - <<<"$good 1 -t 3000"
    step - "$1" -R - <<<"$good 2 -t 3000"$'\n\n'"$good 3 -t 3000"
    step - "$1" -R - <<<"$good 4 -t 3000"$'\nnonsense\n'"$good 5 -t 3000"
    step - "$1" -R - <<<"-I ${good#-A } 1 -t 3000"
    step - "$1" -R - <<<"-D ${good#-A } 1"
    step - "$1" -R - <<<"-L"
    step - "$1" -R - <<<"-E"
    step - "$1" -R - <<<"$good x -t 3000"
    step - "$1" -R - <<<"conntrack $good 7 -t 3000"
    step - "$1" -R - <<<"-U ${good#-A } 2 -m 5"
    step - "$1" -R - <<<"-F"
}
