#!/usr/bin/python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Flows as they change, with cffi: live.py events [COUNT] | mirror [EXPRESSION [COUNT]]"""

import ipaddress
import subprocess
import sys

from cffi import FFI

ffi = FFI()
prefix = subprocess.check_output(["pkg-config", "--variable=includedir", "ctrs"], text=True).strip()
with open(prefix + "/ctrs/ctrs.cdef", encoding="ascii") as file:
    ffi.cdef(file.read())  # all declarations and constants
lib = ffi.dlopen("libctrs.so.0")
failure = ffi.new("struct ctrs_error *", {"size": ffi.sizeof("struct ctrs_error")})


def check(good, error=failure):
    if not good:
        sys.exit(ffi.string(error.text).decode())


def line(word, flow):
    ends = []
    for address, port in (flow.orig.src, flow.orig.sport), (flow.orig.dst, flow.orig.dport):
        size = 4 if flow.orig.l3proto == 2 else 16
        ends.append(f"{ipaddress.ip_address(bytes(address)[:size])} {port}")
    print(word, flow.orig.l4proto, *ends, "mark", flow.mark, flush=True)


def events(left):
    """Events, as many a call as have come."""
    words = {lib.NFCT_T_NEW: "new", lib.NFCT_T_UPDATE: "update", lib.NFCT_T_DESTROY: "destroy"}
    options = ffi.new("struct ctrs_open_options *")
    options.size, options.groups = ffi.sizeof(options[0]), lib.CTRS_GROUP_ALL
    options.receive_buffer, options.receive_buffer_limit = 1 << 20, 16 << 20
    handle, records = lib.ctrs_open(options, failure), ffi.new("struct ctrs_event[256]")
    check(handle)
    while left != 0:
        # A signal ends the wait, and Python's handler comes to its turn.
        got = lib.ctrs_event_read(handle, records, len(records), ffi.sizeof(records[0]), -1)
        check(got != -1, lib.ctrs_last_error(handle))
        for event in records[0 : got if left < 0 else min(got, left)]:
            if event.change == lib.CTRS_EVENT_LOST:
                print("lost here:", event.lost or "some", flush=True)
            else:
                line(words[event.change], event.flow)
            left -= 1
    lib.nfct_close(handle)


def mirror(expression, left):
    """What changes among the flows of which an expression is true, those that are there first."""
    signs = {lib.CTRS_CHANGE_NEW: "+", lib.CTRS_CHANGE_ENTERED: "+", lib.CTRS_CHANGE_UPDATED: "=",
             lib.CTRS_CHANGE_DESTROYED: "-", lib.CTRS_CHANGE_LEFT: "-"}
    which = lib.ctrs_filter_compile(expression.encode(), ffi.NULL, failure)
    check(which)
    kept = lib.ctrs_mirror_open(ffi.NULL, which, failure)
    check(kept)
    change, info = ffi.new("struct ctrs_change *"), ffi.new("struct ctrs_mirror_info *")
    before, after = ffi.new("struct ctrs_flow *"), ffi.new("struct ctrs_flow *")
    while left != 0:
        got = lib.ctrs_mirror_next(kept, change, ffi.sizeof(change[0]), before, after,
                                   ffi.sizeof(after[0]), -1)
        check(got != -1, lib.ctrs_mirror_last_error(kept))
        if change.change in signs:
            sign = signs[change.change]
            line(sign, before if sign == "-" else after)
            left -= 1
        elif change.change == lib.CTRS_CHANGE_OVERRUN:
            print("lost here, and found out now:", change.lost or "some", flush=True)
        elif change.change == lib.CTRS_CHANGE_SETTLED:
            lib.ctrs_mirror_get_info(kept, info, ffi.sizeof(info[0]))
            print("settled:", info.flows, "flows are kept", flush=True)
    lib.ctrs_mirror_close(kept)


try:
    match sys.argv[1:]:
        case ["events", *count]:
            events(int(count[0]) if count else -1)
        case ["mirror", *rest]:
            mirror(rest[0] if rest else "all", int(rest[1]) if len(rest) > 1 else -1)
        case _:
            sys.exit(__doc__)
except KeyboardInterrupt:
    pass
