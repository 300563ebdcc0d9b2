#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# How many flows each zone has, as that of a VRF or a tenant: ./zones.sh
ctrs-run conntrack -L | sed 's/.* zone=\([0-9]*\).*/zone \1/; t; s/.*/zone 0/' | sort -k 2n | uniq -c
