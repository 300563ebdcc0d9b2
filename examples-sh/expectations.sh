#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Lists the expectations, those connections that helpers have been told of: ./expectations.sh
ctrs-run conntrack -L expect
