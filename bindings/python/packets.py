#!/usr/bin/python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Packets that rules log, with cffi: packets.py GROUP [COUNT]"""

import ipaddress
import subprocess
import sys

from cffi import FFI

ffi = FFI()
prefix = subprocess.check_output(["pkg-config", "--variable=includedir", "ctrs"], text=True).strip()
with open(prefix + "/ctrs/ctrs.cdef", encoding="ascii") as file:
    ffi.cdef(file.read())  # all declarations and constants
lib = ffi.dlopen("libctrs.so.0")
buffer, packets = ffi.new("char[262144]"), ffi.new("struct ctrs_packet[256]")


def has(packet, field):
    return packet.present >> field & 1


def part(of):
    """A part of a packet, by its place in the buffer."""
    return bytes(ffi.buffer(buffer + of.offset, of.length))


def show(packet):
    if not has(packet, lib.CTRS_PACKET_MESSAGE):
        print("packets were lost:", packet.lost or "as many as the receive buffer had no room for")
        return 0
    ip, words = part(packet.payload), [part(packet.prefix).decode(errors="replace")]
    if packet.family == 2 and len(ip) >= 20:
        words += [str(ipaddress.ip_address(ip[at : at + 4])) for at in (12, 16)]
    print(*words, len(ip), "bytes", flush=True)
    return 1


def watch(log, group, left):
    settings = ffi.new("struct ctrs_nflog_settings *")
    settings.size, settings.present = ffi.sizeof(settings[0]), lib.CTRS_NFLOG_FLAGS | lib.CTRS_NFLOG_TIMEOUT
    settings.flags, settings.timeout_ms = lib.CTRS_NFLOG_SEQ, 100
    got = lib.ctrs_nflog_bind(log, group, settings)
    while got != -1 and left != 0:
        # A signal ends the wait, and Python's handler comes to its turn.
        got = lib.ctrs_nflog_read(log, packets, len(packets), ffi.sizeof(packets[0]), buffer, len(buffer), -1)
        for packet in packets[0 : max(got, 0)]:
            left -= show(packet) if left else 0
    if got == -1:
        sys.exit(ffi.string(lib.ctrs_nflog_last_error(log).text).decode())


if len(sys.argv) < 2:
    sys.exit(__doc__)
log = ffi.gc(lib.ctrs_nflog_open(ffi.NULL, ffi.NULL), lib.ctrs_nflog_close)
try:
    watch(log, int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else -1)
except KeyboardInterrupt:
    pass
