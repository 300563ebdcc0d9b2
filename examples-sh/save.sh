#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Writes the flow table as lines that ./restore.sh reads: ./save.sh >FILE
ctrs-run conntrack -L -o save
