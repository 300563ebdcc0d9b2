#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Writes the packets that rules log to a group into a file: ./nflog-pcap.sh GROUP FILE NUMBER
tcpdump -ni "nflog:$1" -w "$2" -c "$3"
