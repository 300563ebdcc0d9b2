"""Make, change and destroy flows at a steady rate, straight in the kernel's table.

    flows.py RATE SECONDS

In each second RATE flows are made, RATE are changed (half a second old) and RATE destroyed (a second
old), in messages of netlink that are sent many at a time. Standard output gets one line in the end:
'made changed destroyed errors seconds slowest', slowest being the flows made in the slowest ten
seconds, per second. An error of the kernel's is printed to standard error when it is new.
"""

import collections
import os
import socket
import struct
import sys
import time

NETLINK_NETFILTER = 12
NEW, DELETE = 0x100, 0x102  # NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_*
REQUEST, EXCL, CREATE = 1, 0x200, 0x400
NLMSG_ERROR = 2
NESTED = 0x8000
TUPLE_ORIG, TUPLE_REPLY, STATUS, PROTOINFO, HELP, NAT_SRC, TIMEOUT, MARK = range(1, 9)
LABELS = 22
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
SEEN_REPLY, ASSURED, CONFIRMED = 2, 4, 8
TCP_ESTABLISHED = 3
TICK = 0.005
CHANGE_AGE, END_AGE = 0.5, 1
MOST = 20  # messages of each kind at a time: a listener's buffer may be small


def attribute(kind, payload):
    padding = -len(payload) % 4
    return struct.pack("=HH", 4 + len(payload), kind) + payload + bytes(padding)


def nested(kind, *attributes):
    return attribute(kind | NESTED, b"".join(attributes))


def be32(value):
    return struct.pack(">I", value)


def addresses(version, number):
    """A client of its own for each flow, and the one server."""
    if version == 4:
        return be32(0x0A400000 | number & 0x3FFFFF), be32(0x0A020002)
    prefix = bytes.fromhex("fd0000010000000000000000")
    return prefix + be32(number), bytes.fromhex("fd000002000000000000000000000002")


def tuple_of(kind, version, protocol, source, destination, first, second):
    """One direction of a flow: FIRST and SECOND are ports, or the type and the id of ICMP."""
    ip = (1, 2) if version == 4 else (3, 4)
    if protocol in (TCP, UDP):
        proto = attribute(2, struct.pack(">H", first)) + attribute(3, struct.pack(">H", second))
    else:
        base = 4 if protocol == ICMP else 7
        proto = b"".join(
            (
                attribute(base, struct.pack(">H", second)),
                attribute(base + 1, bytes([first])),
                attribute(base + 2, b"\0"),
            )
        )
    return nested(
        kind,
        nested(1, attribute(ip[0], source), attribute(ip[1], destination)),
        nested(2, attribute(1, bytes([protocol])), proto),
    )


def tcp_state():
    return nested(
        PROTOINFO,
        nested(
            1,
            attribute(1, bytes([TCP_ESTABLISHED])),
            attribute(4, b"\x0a\x0a"),
            attribute(5, b"\x0a\x0a"),
        ),
    )


def labels(number):
    return attribute(LABELS, struct.pack("=QQ", 1 << number % 3, 1 << 63))


def helper(_number):
    return nested(HELP, attribute(1, b"ftp\0"))


def source_nat(_number):
    return nested(NAT_SRC, attribute(1, be32(0x0A020001)))


def nothing(_number):
    return b""


# IP version, protocol, destination port (ICMP: type), of the reply, extra attributes of a new flow.
KINDS = (
    (4, UDP, 53, None, nothing),
    (4, TCP, 443, None, nothing),
    (6, UDP, 53, None, labels),
    (4, TCP, 21, None, helper),
    (4, ICMP, 8, 0, nothing),
    (6, TCP, 443, None, nothing),
    (4, UDP, 9008, None, labels),
    (4, TCP, 80, None, source_nat),
    (6, ICMPV6, 128, 129, nothing),
    (4, TCP, 22, None, labels),
)


class Flow:
    """Number NUMBER of the flows: its messages."""

    def __init__(self, number):
        self.number = number
        self.version, self.protocol, self.port, self.reply_type, self.extra = KINDS[number % len(KINDS)]
        client, server = addresses(self.version, number)
        source = 1024 + number % 60000
        if self.reply_type is None:
            orig, reply = (source, self.port), (self.port, source)
        else:
            orig, reply = (self.port, source), (self.reply_type, source)
        self.orig = tuple_of(TUPLE_ORIG, self.version, self.protocol, client, server, *orig)
        self.reply = tuple_of(TUPLE_REPLY, self.version, self.protocol, server, client, *reply)

    def message(self, kind, flags, *attributes):
        family = socket.AF_INET if self.version == 4 else socket.AF_INET6
        body = struct.pack("=BBH", family, 0, 0) + b"".join(attributes)
        return struct.pack("=IHHII", 16 + len(body), kind, flags, self.number, 0) + body

    def made(self):
        state = tcp_state() if self.protocol == TCP else b""
        return self.message(
            NEW,
            REQUEST | CREATE | EXCL,
            self.orig,
            self.reply,
            attribute(STATUS, be32(SEEN_REPLY | CONFIRMED)),
            attribute(TIMEOUT, be32(600)),
            state,
            self.extra(self.number),
        )

    def changed(self):
        return self.message(
            NEW,
            REQUEST,
            self.orig,
            attribute(STATUS, be32(SEEN_REPLY | ASSURED | CONFIRMED)),
            attribute(MARK, be32(self.number)),
            attribute(TIMEOUT, be32(300)),
        )

    def destroyed(self):
        return self.message(DELETE, REQUEST, self.orig)


class Kernel:
    """The socket, and the errors that came back."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
        self.socket.bind((0, 0))
        self.errors = 0
        self.known = set()

    def send(self, messages):
        if messages:
            self.socket.send(b"".join(messages))
        while True:
            try:
                self.count_errors(self.socket.recv(65536, socket.MSG_DONTWAIT))
            except BlockingIOError:
                return

    def count_errors(self, data):
        while len(data) >= 20:
            length, kind, _, number, _, error = struct.unpack_from("=IHHIIi", data)
            if kind == NLMSG_ERROR and error:
                self.errors += 1
                self.complain(number, -error)
            data = data[max(16, length + 3 & ~3) :]

    def complain(self, number, error):
        problem = (number % len(KINDS), error)
        if problem not in self.known:
            self.known.add(problem)
            print(f"flow {number} of kind {problem[0]}: {os.strerror(error)}", file=sys.stderr)


class Churn:
    """The flows that live, oldest first, and how many there have been."""

    def __init__(self):
        self.kernel = Kernel()
        self.young = collections.deque()
        self.old = collections.deque()
        self.made = self.changed = self.destroyed = 0

    def go_to(self, made, changed, destroyed):
        """Send what is needed for these totals, a bit at a time."""
        while (self.made, self.changed, self.destroyed) != (made, changed, destroyed):
            messages = [self.make() for _ in range(min(MOST, made - self.made))]
            changed_now = min(changed, self.made) - self.changed
            messages += [self.change() for _ in range(min(MOST, changed_now))]
            destroyed_now = min(destroyed, self.changed) - self.destroyed
            messages += [self.destroy() for _ in range(min(MOST, destroyed_now))]
            self.kernel.send(messages)
            time.sleep(TICK)

    def make(self):
        flow = Flow(self.made)
        self.young.append(flow)
        self.made += 1
        return flow.made()

    def change(self):
        flow = self.young.popleft()
        self.old.append(flow)
        self.changed += 1
        return flow.changed()

    def destroy(self):
        self.destroyed += 1
        return self.old.popleft().destroyed()


def main(rate, seconds):
    churn = Churn()
    start = time.monotonic()
    marks = [(0.0, 0)]
    while (now := time.monotonic() - start) < seconds:
        time.sleep(TICK)
        churn.go_to(*(max(0, int(rate * (now - age))) for age in (0, CHANGE_AGE, END_AGE)))
        if now - marks[-1][0] >= min(10, seconds / 2):
            marks.append((now, churn.made))
    churn.go_to(churn.made, churn.made, churn.made)
    slowest = min((b[1] - a[1]) / (b[0] - a[0]) for a, b in zip(marks, marks[1:]))
    print(churn.made, churn.changed, churn.destroyed, churn.kernel.errors, f"{now:.1f} {slowest:.0f}")


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
