#!/usr/bin/env bash
# What mirrors are held to for long, `make check-mirror`, as root of the machine: runs of `mirror churn` while
# the hash table is resized, a long one, and `mirror million` with buffers that lose more and more. The hash
# table and the limit on flows are the machine's; both are put back whatever happens. Nothing else that lists
# flows should run meanwhile.
#
#   [RUNS=20] [RUN_SECONDS=60] [LONG_SECONDS=600] [MILLION_SECONDS=60] mirror.sh PROGRAM
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin

program=${1:?the program: run make check-mirror}
settings=/proc/sys/net/netfilter
buckets=$(cat $settings/nf_conntrack_buckets)
limit=$(cat $settings/nf_conntrack_max)
running="" failed=0

restore() {
	[ -z "$running" ] || kill "$running" 2>/dev/null || true
	[ -z "$running" ] || wait "$running" 2>/dev/null || true
	echo "$buckets" >$settings/nf_conntrack_buckets
	echo "$limit" >$settings/nf_conntrack_max
}
trap restore EXIT
trap 'exit 130' INT TERM HUP

# try NAME VARIABLE=VALUE... MODE: one run, which a signal to this script ends, too.
try() {
	local name=$1 mode=${*: -1}
	shift
	printf '== %s\n' "$name"
	env "${@:1:$#-1}" "$program" "$mode" 2>&1 &
	running=$!
	wait "$running" || { failed=$((failed + 1)) && printf 'FAILED: %s\n' "$name"; }
	running=""
}

for run in $(seq 1 "${RUNS:-20}"); do
	try "run $run, resized" CTRS_CHURN_RESIZES=1 CTRS_CHURN_SECONDS="${RUN_SECONDS:-60}" churn
done
try "long run" CTRS_CHURN_SECONDS="${LONG_SECONDS:-600}" churn
if [ "$limit" -lt 1500000 ]; then echo 1500000 >$settings/nf_conntrack_max; fi
for buffer in 33554432 212992 65536; do
	try "a million flows, buffer $buffer" CTRS_CHURN_BUFFER=$buffer CTRS_CHURN_SECONDS="${MILLION_SECONDS:-60}" million
done
printf '%d failed\n' "$failed"
[ "$failed" = 0 ]
