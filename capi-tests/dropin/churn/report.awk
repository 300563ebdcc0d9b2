# The samples of one side, 'seconds program rss data descriptors state events' in the order of time,
# as rows of a table. Growth is counted from the first sample after `warm` seconds; the slope is that
# of the straight line through these samples (least squares).
{
    name = $2
    if (!(name in first)) { names[++programs] = name; first[name] = $3 }
    last[name] = $3; data[name] = $4; events[name] = $7
    if (index(states[name], $6) == 0) states[name] = states[name] $6
    if ($1 < warm) next
    if (!(name in n)) { start[name] = $3; data_start[name] = $4; fds_low[name] = fds_high[name] = $5 }
    if ($5 < fds_low[name]) fds_low[name] = $5
    if ($5 > fds_high[name]) fds_high[name] = $5
    n[name]++; x[name] += $1; y[name] += $3; xx[name] += $1 * $1; xy[name] += $1 * $3
}
function slope(name,    below) {
    below = n[name] * xx[name] - x[name] ^ 2
    return below ? 60 * (n[name] * xy[name] - x[name] * y[name]) / below : 0
}
function fds(name) {
    return fds_low[name] == fds_high[name] ? fds_low[name] : fds_low[name] "-" fds_high[name]
}
END {
    for (i = 1; i <= programs; i++) {
        name = names[i]
        printf "| %s | %s | %d | %d | %d | %d | %.1f | %d | %s | %s | %d |\n", side, name, first[name],
            start[name], last[name], last[name] - start[name], slope(name),
            data[name] - data_start[name], fds(name), states[name], events[name]
    }
}
