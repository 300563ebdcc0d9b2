#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Who is behind a public address and port of TCP, and with whom: ./behind-port.sh ADDRESS PORT
ctrs-run conntrack -L --src-nat -p tcp --reply-dst "$1" --reply-port-dst "$2"
