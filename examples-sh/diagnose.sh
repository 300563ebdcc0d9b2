#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Shows what may be in the way of events and counters: ./diagnose.sh
sysctl net.netfilter.nf_conntrack_events net.netfilter.nf_conntrack_acct net.netfilter.nf_conntrack_timestamp
echo "The table holds $(ctrs-run conntrack -C) of at most $(sysctl -n net.netfilter.nf_conntrack_max) flows"
