#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Says how full the flow table is, and what each CPU has counted: ./stats.sh
echo "$(ctrs-run conntrack -C) flows here, $(sysctl -n net.netfilter.nf_conntrack_max) at most everywhere"
ctrs-run conntrack -S
