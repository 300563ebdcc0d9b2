# shellcheck shell=bash
# What the scenarios of timeout policies and helpers share, on top of daemons.bash.

# traced SIDE: what the programs of a side send is written down, too.
traced() {
    wrap=(strace -f --seccomp-bpf -qq -x -s 8192 -e trace=sendto,sendmsg -e signal=none -o "$work/$1.trace")
}

# sent SIDE: the messages.
sent() {
    python "$here/nfct/messages.py" <"$work/$1.trace"
}

# compare_sent COUNT NAME: both sides have sent the same, so many messages.
compare_sent() {
    sent ref >"$work/ref.sent"
    sent ctrs >"$work/ctrs.sent"
    expect "$2: messages" "$1" "$(wc -l <"$work/ref.sent")"
    compare "$2: $1 messages" "$work/ref.sent" "$work/ctrs.sent"
}

# compare_commands NAME MESSAGES: those of NAME.txt, which send so many messages, in a namespace that is new for each side.
compare_commands() {
    local acting
    for acting in ref ctrs; do
        namespace "$1"
        traced "$acting"
        commands "$1" "$here/nfct/$1.txt" >"$work/$acting" 2>&1
        no_lab "$1"
    done
    wrap=()
    cp "$work/ref" "$work/ref.stdout"
    compare_if_enough + "nfct: $1, $(grep -c '^\$ ' "$work/ref") commands"
    compare_sent "$2" "nfct: $1"
}

# commands NS FILE: each line of FILE as nfct's arguments, on the acting side, and what it said. One
# shell runs them all, for speed.
commands() {
    side_command "$acting" "$1"
    unset 'cmd[-1]' # the program
    "${cmd[@]}" bash -s "$program" <<END
program=\$1
while read -r arguments; do
    printf '\$ %s %s\n' "\$program" "\$arguments"
    "\$program" \$arguments 2>&1 </dev/null
    printf 'exit %s\n' "\$?"
done < <(grep -v '^#' "$2")
END
}

# used: all runs of the program since then had the libraries of their side.
used() {
    check_loaded ref
    check_loaded ctrs
    rm -f "$work/loaded/"*
}
