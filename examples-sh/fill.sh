#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Creates NUMBER flows of UDP: ./fill.sh NUMBER
seq "$1" | sed 's/.*/-A -p udp -s 10.1.0.0 -d 10.2.0.1 --sport & --dport 53 -t 600/' | ctrs-run conntrack -R -
