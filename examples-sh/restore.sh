#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Creates the flows again that were saved: ./restore.sh FILE
ctrs-run conntrack -R "$1"
