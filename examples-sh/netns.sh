#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Counts the flows in the network namespace that a process is in, as one of a container: ./netns.sh PID
echo "$(nsenter -t "$1" -n ctrs-run conntrack -C) flows"
