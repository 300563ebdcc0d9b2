#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Makes a timeout policy for TCP of IPv4: ./timeout.sh NAME ESTABLISHED_SECONDS
ctrs-run nfct add timeout "$1" inet tcp established "$2"
