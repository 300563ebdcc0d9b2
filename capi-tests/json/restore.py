# SPDX-License-Identifier: MIT OR Apache-2.0
"""Saves the flow table of a router, flushes it, restores it, and looks whether all goes on.

    restore.py ROUTER_NS CLIENT_NS SERVER_NS"""

import ctypes
import errno
import json
import os
import pathlib
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "dropin"))
import traffic
from traffic import ADDRESS, CLIENT, ROUTER, SERVER

ctrs = ctypes.CDLL("libctrs.so.0", use_errno=True)
for name in ("nfct_new", "nfct_open", "nfct_labelmap_new"):
    getattr(ctrs, name).restype = ctypes.c_void_p
CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
CONNTRACK, STRINGS, T_ALL, CONTINUE = 1, 1, 7, 1
CREATE, FLUSH, DUMP = 0, 4, 5
BIG = 3_000_000  # many windows, if they are not scaled

passed = failed = 0


def check(what, holds, *told):
    global passed, failed
    if holds:
        passed += 1
    else:
        failed += 1
        print("FAIL:", what, *told, flush=True)


class Error(ctypes.Structure):
    _numbers = "size err kind attribute offset reserved"
    _fields_ = [(name, ctypes.c_uint32) for name in _numbers.split()]
    _fields_ += [("kernel", ctypes.c_char * 128), ("text", ctypes.c_char * 512)]


class Table:
    """The flow table of the network namespace that this process is in."""

    def __init__(self):
        self.handle = ctypes.c_void_p(ctrs.nfct_open(CONNTRACK, 0))
        self.labels = ctypes.c_void_p(ctrs.nfct_labelmap_new(None))

    def written(self, ct):
        room = ctypes.create_string_buffer(8192)
        size = ctypes.c_size_t(len(room))
        length = ctrs.ctrs_snprintf_json(room, size, ct, 0, STRINGS, self.labels)
        check("a flow is written", 0 < length < len(room))
        return room.value.decode()

    def saved(self):
        """All flows, a line of JSON each."""
        lines = []

        def flow(_kind, ct, _data):
            lines.append(self.written(ctypes.c_void_p(ct)))
            return CONTINUE

        call = CALLBACK(flow)
        ctrs.nfct_callback_register(self.handle, T_ALL, call, None)
        check("the table is listed", self.all(DUMP) == 0)
        ctrs.nfct_callback_unregister(self.handle)
        return lines

    def flush(self):
        check("the table is flushed", self.all(FLUSH) == 0)

    def all(self, query):
        """A query about the flows of all families."""
        return ctrs.nfct_query(self.handle, query, ctypes.byref(ctypes.c_uint32(0)))

    def restore(self, line):
        error = Error(size=ctypes.sizeof(Error))
        ct = ctypes.c_void_p(ctrs.nfct_new())
        text = line.encode()
        size = ctypes.c_size_t(len(text))
        parsed = ctrs.ctrs_parse_json(ct, text, size, self.labels, ctypes.byref(error))
        check("a flow is read", parsed == 0, error.text, line)
        created = ctrs.nfct_query(self.handle, CREATE, ct)
        check("a flow is restored", created == 0, errno.errorcode.get(ctypes.get_errno()), line)
        ctrs.nfct_destroy(ct)


def masters_first(lines):
    return sorted(lines, key=lambda line: "master" in json.loads(line))


def through_jq(lines):
    done = subprocess.run(
        ["jq", "-c", "."], input="\n".join(lines), stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout.splitlines()


def name(flow):
    return json.dumps([flow["original"], flow.get("zone")], sort_keys=True)


def named(lines):
    return {name(flow): flow for flow in map(json.loads, lines)}


def same(before, after):
    """Compares two lists of flows, of what is to be the same."""
    before, after = named(before), named(after)
    check("the same flows are there", before.keys() == after.keys(), before.keys() ^ after.keys())
    for key in before.keys() & after.keys():
        old, new = before[key], after[key]
        for member in ("reply", "master", "mark", "labels", "helper", "zone", "sctp"):
            check(member, old.get(member) == new.get(member), old, new)
        check("timeout", abs(old["timeout"] - new["timeout"]) < 60, old, new)
        check("status", status(old) == status(new), old, new)
        if "tcp" in old:
            check("tcp", tcp(old["tcp"]) == tcp(new["tcp"]), old, new)


def status(flow):
    """The status bits. That NAT is set up counts where there is some."""
    bits = set(flow["status"])
    return bits - {f"{end}_nat_done" for end in ("src", "dst") if f"{end}_nat" not in bits}


def tcp(told):
    """The state and window scales; MAXACK_SET speaks of a number that the kernel does not tell."""
    sides = [told[side] for side in ("original", "reply")]
    return told["state"], [(side["flags"] & ~0x20, side["window_scale"]) for side in sides]


def transfer(a, b):
    """Sends much from one end to the other, who is reading."""
    a.setblocking(False)
    data, sent, got, end = memoryview(bytes(BIG)), 0, 0, time.monotonic() + 10
    while got < BIG and time.monotonic() < end:
        try:
            sent += a.send(data[sent:])
        except BlockingIOError:
            pass
        b.settimeout(0.05)
        try:
            got += len(b.recv(1 << 18))
        except TimeoutError:
            pass
    a.settimeout(5)
    return got == BIG


def exchange(pair):
    """A datagram and its answer."""
    client, server = pair
    try:
        client.send(b"ping")
        _, peer = server.recvfrom(64)
        server.sendto(b"pong", peer)
        return client.recv(64) == b"pong" and peer
    except (TimeoutError, OSError):
        return None


def answered(pair):
    """A datagram from the server's side, to where the flow came from."""
    client, server = pair
    peer = exchange(pair)
    if not peer:
        return False
    server.sendto(b"again", peer)
    return client.recv(64) == b"again"


def connections():
    """TCP connections: plain, source NAT, destination NAT, both, in a zone, and FTP with its data."""
    pairs = {}
    for version in (4, 6):
        server, router = ADDRESS[version][SERVER], ROUTER[version]
        for what, port, dial, listen in (
            ("plain", 40001, (server, 8001), 8001),
            ("source NAT", 40002, (server, 8002), 8002),
            ("destination NAT", 40003, (router, 8003), 8001),
            ("both", 40004, (router, 8004), 8001),
            ("marked", 40007, (server, 9007), 9007),
            ("in a zone", 40050, (server, 8005), 8005),
        ):
            pairs[f"{what}, IPv{version}"] = traffic.tcp_pair(version, port, dial, listen)
            traffic.talk(*pairs[f"{what}, IPv{version}"])
        traffic.ftp(version, 40021, 45000, dial=True)
        control, data = traffic.OPEN[-4:-2], traffic.OPEN[-2:]
        pairs[f"FTP, IPv{version}"], pairs[f"FTP data, IPv{version}"] = control, data
    return pairs


def datagrams():
    """UDP: plain, source NAT, destination NAT, in a zone, with a label. Each is a client and a server."""
    pairs = {}
    for version in (4, 6):
        servers = {
            port: traffic.opened(SERVER, version, socket.SOCK_DGRAM, port=port)
            for port in (9001, 8002, 9005, 9008)
        }
        host, router = ADDRESS[version][SERVER], ROUTER[version]
        for what, port, dial, listen in (
            ("plain", 40001, (host, 9001), 9001),
            ("source NAT", 40002, (host, 8002), 8002),
            ("destination NAT", 40003, (router, 8003), 9001),
            ("in a zone", 40005, (host, 9005), 9005),
            ("labelled", 40008, (host, 9008), 9008),
        ):
            client = traffic.opened(CLIENT, version, socket.SOCK_DGRAM, port=port)
            client.connect(dial)
            pair = pairs[f"{what}, IPv{version}"] = client, servers[listen]
            check("UDP gets through", exchange(pair))
    return pairs


def main():
    libc = ctypes.CDLL(None, use_errno=True)
    for path in sys.argv[2:4]:
        traffic.NAMESPACE_FILES.append(os.open(path, os.O_RDONLY))
    tcp_flows, udp_flows = connections(), datagrams()
    router = os.open(sys.argv[1], os.O_RDONLY)
    check("in the router's namespace", libc.setns(router, 0) == 0)
    table = Table()
    before = table.saved()
    lines = through_jq(masters_first(before))
    check("jq keeps all flows", len(lines) == len(before) >= 26, len(before))
    members = {member for line in lines for member in json.loads(line)}
    for member in ("master", "mark", "labels", "helper", "zone", "tcp", "counters"):
        check(f"a flow has {member}", member in members)

    # Without its entries the router lets nothing through: what goes on later does so by them.
    table.flush()
    lost = next(iter(tcp_flows.values()))
    lost[0].settimeout(1)
    lost[0].send(b"lost")
    lost[1].settimeout(0.5)
    try:
        check("a flushed flow is dropped", not lost[1].recv(4))
    except TimeoutError:
        check("a flushed flow is dropped", True)
    table.flush()

    for line in lines:
        table.restore(line)
    after = table.saved()
    same(lines, after)
    # The retransmission of what was lost.
    lost[1].settimeout(10)
    check("what was lost comes after all", lost[1].recv(64) == b"lost")
    for what, (client, server) in tcp_flows.items():
        check(f"TCP goes on: {what}", transfer(client, server), "towards the server")
        check(f"TCP goes on: {what}", transfer(server, client), "towards the client")
    for what, pair in udp_flows.items():
        check(f"UDP goes on: {what}", answered(pair))
    check("no packet made a flow", named(table.saved()).keys() == named(after).keys())
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0)


main()
