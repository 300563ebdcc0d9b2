# Count the events of conntrack's standard input into the file `total`: new, changed, destroyed.
function report() {
    printf "%d %d %d\n", count["NEW"], count["UPDATE"], count["DESTROY"] >total
    close(total)
}
match($0, /\[(NEW|UPDATE|DESTROY)\]/) { count[substr($0, RSTART + 1, RLENGTH - 2)]++ }
NR % 500 == 0 { report() }
END { report() }
