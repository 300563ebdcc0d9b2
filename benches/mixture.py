# SPDX-License-Identifier: MIT OR Apache-2.0
"""Entries as a kernel dumps them: half TCP and 30 % UDP over IPv4, 20 % IPv6; each with a mark,
counters and a timestamp. They are a real kernel's messages with other values in the same places."""

import random
import re
import struct

# Of ten entries: the corpus their message is from, its protocol, the longest timeout.
TEN = [("01-traffic-ipv4", "tcp", 432_000)] * 5 + [("01-traffic-ipv4", "udp", 180)] * 3
TEN += [("02-traffic-ipv6", "tcp", 432_000), ("02-traffic-ipv6", "udp", 180)]

# Attribute numbers of linux/netfilter/nfnetlink_conntrack.h.
ORIG, REPLY, TIMEOUT, MARK, COUNTERS_ORIG, COUNTERS_REPLY, ID, TIMESTAMP = 1, 2, 7, 8, 9, 10, 12, 20
IP, PROTO, SRC_PORT, DST_PORT = 1, 2, 2, 3
NESTED = 0x8000
HEADERS = 20


def recorded(corpus, name, protocol):
    """The first dumped entry of a protocol."""
    lines = (corpus / f"{name}.hex").read_text().splitlines()
    at = next(n for n, line in enumerate(lines) if re.match(rf"# dump: .*orig=\[{protocol} ", line))
    return bytes.fromhex(lines[at + 1])


def places(message, begin, end, path=()):
    """Where the values of a message are: (path of attribute numbers, first byte, byte behind)."""
    while begin < end:
        length, kind = struct.unpack_from("=HH", message, begin)
        here = (*path, kind & ~NESTED)
        if kind & NESTED:
            yield from places(message, begin + 4, begin + length, here)
        else:
            yield here, (begin + 4, begin + length)
        begin += (length + 3) & ~3


class Template:
    def __init__(self, message, longest):
        self.message = message
        self.longest = longest
        self.places = dict(places(message, HEADERS, len(message)))
        # Source and destination, of either family: their last four bytes tell entries apart.
        self.addresses = {
            tuple_: [self.places[path][1] - 4 for path in self.places if path[:2] == (tuple_, IP)]
            for tuple_ in (ORIG, REPLY)
        }

    def entry(self, dice):
        """Such an entry with values of its own."""
        message = bytearray(self.message)

        def put(form, value, *path):
            struct.pack_into(form, message, self.places[path][0], value)

        hosts = [dice.randrange(1 << 32) for _ in range(2)]
        ports = [dice.randrange(1024, 65536), dice.choice((22, 53, 80, 443, 8080, 5060))]
        for tuple_, step in ((ORIG, 1), (REPLY, -1)):
            for place, host in zip(self.addresses[tuple_], hosts[::step]):
                struct.pack_into(">I", message, place, host)
            for kind, port in zip((SRC_PORT, DST_PORT), ports[::step]):
                put(">H", port, tuple_, PROTO, kind)
        for counters in (COUNTERS_ORIG, COUNTERS_REPLY):
            packets = round(10 ** dice.uniform(0, 5))
            put(">Q", packets, counters, 1)
            put(">Q", packets * dice.randrange(40, 1500), counters, 2)
        put(">I", dice.randrange(1, self.longest), TIMEOUT)
        put(">I", dice.randrange(1, 1 << 16), MARK)
        put(">I", dice.randrange(1 << 32), ID)
        put(">Q", (1_700_000_000 + dice.randrange(10**6)) * 10**9 + dice.randrange(10**9), TIMESTAMP, 1)
        return bytes(message)


def write(corpus, path, number):
    """Leaves so many entries in a file, message after message, each ten in a new order."""
    dice = random.Random(1)
    templates = [Template(recorded(corpus, name, protocol), longest) for name, protocol, longest in TEN]
    with open(path, "wb") as out:
        for _ in range(number // len(TEN)):
            for template in dice.sample(templates, len(templates)):
                out.write(template.entry(dice))


LOGGED = struct.pack("=H", 4 << 8)  # the type of messages about logged packets
GROUP = struct.pack(">H", 1)


def logged(corpus, path):
    """Leaves the packets that a real kernel has logged in a file, all as of one group."""
    lines = [line for file in sorted(corpus.glob("*nflog*.hex")) for line in file.read_text().split()]
    with open(path, "wb") as out:
        for line in filter(re.compile("([0-9a-f]{2}){20,}$").match, lines):
            message = bytes.fromhex(line)
            if message[4:6] == LOGGED and struct.unpack_from("=I", message)[0] == len(message):
                out.write(message[:18] + GROUP + message[20:])
