#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Logs who had which public address and port from when to when: ./nat-log.sh. Times are seconds since 1970.
ctrs-run conntrack -E --src-nat -e NEW,DESTROY -o timestamp,id
