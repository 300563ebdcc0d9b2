"""Packets that no ordinary socket sends, for a lab with a bridge between client and server.

    packets.py CLIENT_NS SERVER_NS ROUTER_NS WHAT...

WHAT are names of PACKETS. Addresses and sockets are those of ../traffic.py.
"""

import os
import socket
import struct
import sys

sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import traffic  # noqa: E402

ROUTER = 2
AH, ESP, FRAGMENT, NOTHING = 51, 50, 44, 59
IPV6_HDRINCL, SO_MARK = 36, 36


def address(version, side):
    """The address of a side, as in a header."""
    return socket.inet_pton(traffic.FAMILY[version], traffic.ADDRESS[version][side])


def ends(version):
    """Source and destination, as in a header."""
    return address(version, traffic.CLIENT) + address(version, traffic.SERVER)


def ipv4(protocol, payload, number=1, fragment=0, tos=0, options=b""):
    """An IPv4 packet to the server."""
    words = 5 + len(options) // 4
    fields = (0x40 | words, tos, 4 * words + len(payload), number, fragment, 64, protocol)
    head = struct.pack("!BBHHHBBH", *fields, 0) + ends(4) + options
    return head[:10] + struct.pack("!H", traffic.checksum(head)) + head[12:] + payload


def ipv6(protocol, payload, label=0, traffic_class=0):
    """An IPv6 packet to the server."""
    first = 6 << 28 | traffic_class << 20 | label
    return struct.pack("!IHBB", first, len(payload), protocol, 64) + ends(6) + payload


def udp(port, data, version=4, source=41000):
    """A UDP datagram with its checksum."""
    head = struct.pack("!HHHH", source, port, 8 + len(data), 0)
    pseudo = ends(version) + struct.pack("!II", len(head + data), socket.IPPROTO_UDP)
    return head[:6] + struct.pack("!H", traffic.checksum(pseudo + head + data)) + data


def tcp(flags, urgent=0, options=b"", data=b""):
    """A TCP segment of no connection."""
    words = 5 + len(options) // 4
    fields = (41001, 9050, 0x01020304, 0x05060708, words << 12 | flags, 512, 0, urgent)
    return struct.pack("!HHIIHHHH", *fields) + options + data


def icmp(kind, code, rest, inner):
    """An ICMP message about a packet."""
    body = struct.pack("!BBHI", kind, code, 0, rest) + inner
    return body[:2] + struct.pack("!H", traffic.checksum(body)) + body[4:]


def icmpv6(kind, code, rest, inner):
    """The same of ICMPv6."""
    body = struct.pack("!BBHI", kind, code, 0, rest) + inner
    pseudo = ends(6) + struct.pack("!II", len(body), socket.IPPROTO_ICMPV6)
    return body[:2] + struct.pack("!H", traffic.checksum(pseudo + body)) + body[4:]


def ipv4_packets():
    """Options, fragments, IPsec, errors, oddities."""
    inner = ipv4(17, udp(9051, b"inner"))
    large = udp(9053, bytes(range(200)) * 4)
    gateway = int.from_bytes(address(4, traffic.SERVER), "big")
    return [
        ipv4(17, udp(9050, b"options"), options=b"\1\1\1\0", tos=0xB8),
        ipv4(17, large[:400], number=7, fragment=0x2000),
        ipv4(17, large[400:], number=7, fragment=50),
        ipv4(17, udp(9007, b"marked")),
        ipv4(17, udp(9052, bytes(1400))),
        ipv4(ESP, struct.pack("!II", 0x11223344, 1) + b"secret"),
        ipv4(AH, struct.pack("!BBHII", 17, 4, 0, 0x55667788, 1) + bytes(12) + udp(9050, b"signed")),
        ipv4(6, tcp(0x3F, urgent=9, options=b"\1\1\1\0", data=b"all flags")),
        ipv4(6, tcp(0xFC2)),
        ipv4(6, tcp(0)[:10]),
        ipv4(17, b"\0\1"),
        ipv4(1, icmp(3, 4, 1400, inner)),
        ipv4(1, icmp(3, 1, 0, inner)),
        ipv4(1, icmp(11, 0, 0, inner)),
        ipv4(1, icmp(12, 0, 20 << 24, inner)),
        ipv4(1, icmp(5, 1, gateway, inner)),
        ipv4(1, icmp(8, 0, 0x12340001, b"")),
        ipv4(132, struct.pack("!HHII", 41002, 9054, 0x99, 0)),
        ipv4(253, b"an experiment"),
        ipv4(255, b""),
    ]


def ipv6_packets():
    """Extension headers, IPsec, errors, oddities."""
    datagram = udp(9050, b"extended", version=6)
    inner = ipv6(17, datagram)
    option = struct.pack("!BBBBI", 17, 0, 1, 4, 0)
    return [
        ipv6(17, datagram, label=0x54321, traffic_class=0x2E),
        ipv6(0, option + datagram),
        ipv6(60, option + datagram),
        ipv6(43, struct.pack("!BBBBI", 17, 0, 0, 0, 0) + datagram),
        ipv6(FRAGMENT, struct.pack("!BBHI", 17, 0, 0, 77) + datagram),
        ipv6(ESP, struct.pack("!II", 0x11223344, 1) + b"secret"),
        ipv6(AH, struct.pack("!BBHII", 17, 4, 0, 0x55667788, 1) + bytes(12) + datagram),
        ipv6(6, tcp(0x3F, urgent=9, data=b"all flags")),
        ipv6(58, icmpv6(1, 4, 0, inner)),
        ipv6(58, icmpv6(2, 0, 1280, inner)),
        ipv6(58, icmpv6(3, 0, 0, inner)),
        ipv6(58, icmpv6(4, 1, 6, inner)),
        ipv6(58, icmpv6(128, 0, 0x12340001, b"")),
        ipv6(NOTHING, b""),
        ipv6(253, b"an experiment"),
    ]


def routed():
    """All of them, through the router."""
    for version, packets in ((4, ipv4_packets()), (6, ipv6_packets())):
        sender = traffic.opened(traffic.CLIENT, version, socket.SOCK_RAW, socket.IPPROTO_RAW)
        if version == 6:
            sender.setsockopt(socket.IPPROTO_IPV6, IPV6_HDRINCL, 1)
        for packet in packets:
            sender.sendto(packet, (traffic.ADDRESS[version][traffic.SERVER], 0))
        sender.close()


def owned_by(owner, version):
    """A socket that belongs to OWNER, if there can be somebody else than us."""
    try:
        os.setegid(2 * owner)
        os.seteuid(owner)
    except OSError:
        pass  # nobody else in this user namespace
    sock = socket.socket(traffic.FAMILY[version], socket.SOCK_DGRAM)
    os.seteuid(0)
    os.setegid(0)
    return sock


def owned():
    """Datagrams of the router itself, with marks and owners."""
    traffic.enter(ROUTER)
    for owner, mark in ((0, 0), (12345, 0x77), (1, -1)):
        for version in (4, 6):
            sock = owned_by(owner, version)
            sock.setsockopt(socket.SOL_SOCKET, SO_MARK, mark)
            sock.sendto(b"owned", (traffic.ADDRESS[version][traffic.CLIENT], 9055))
            sock.close()


def frame(kind, payload, to=b"\xff" * 6):
    """An Ethernet frame; KIND is the type, or the length of an 802.3 frame."""
    return to + b"\2\0\0\0\0\x42" + struct.pack("!H", kind) + payload


def arp(operation, sender, target, hardware=b"\2\0\0\0\0\x42"):
    """An ARP message of Ethernet and IPv4."""
    addresses = hardware + socket.inet_aton(sender) + bytes(6) + socket.inet_aton(target)
    return struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) + addresses


def frames():
    """Frames with one tag, with two, of 802.3; ARP questions, answers, announcements."""
    datagram = ipv4(17, udp(9060, b"tagged"))
    six = ipv6(17, udp(9060, b"tagged", version=6))
    return [
        frame(0x8100, struct.pack("!HH", 0x6005, 0x0800) + datagram),
        frame(0x8100, struct.pack("!HH", 0x0006, 0x86DD) + six),
        frame(0x88A8, struct.pack("!HHHH", 0x2007, 0x8100, 0x0008, 0x0800) + datagram),
        frame(0x8100, struct.pack("!HH", 9, 0x0806) + arp(1, "10.1.0.9", "10.1.0.1")),
        frame(0x0806, arp(1, "10.1.0.42", "10.1.0.1")),
        frame(0x0806, arp(1, "10.1.0.42", "10.1.0.42")),
        frame(0x0806, arp(2, "10.1.0.42", "10.1.0.77")),
        frame(0x0806, arp(1, "10.1.0.42", "10.1.0.1")[:20]),
        frame(17, b"\xaa\xaa\3\0\0\0\x08\0" + b"eight or so"),
        frame(0x0800, datagram),
        frame(0x86DD, six),
        frame(0x9000, b"loop"),
    ]


def link():
    """All of them, to the router's device and over its bridge."""
    traffic.enter(traffic.CLIENT)
    for device in ("eth", "bridged"):
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        sock.bind((device, 0))
        for data in frames():
            sock.send(data)
        sock.close()


def bridged():
    """Questions and answers between client and server, who see each other without the router."""
    for version, client, server in ((4, "10.3.0.2", "10.3.0.3"), (6, "fd00:3::2", "fd00:3::3")):
        ends = []
        for side, host in ((traffic.CLIENT, client), (traffic.SERVER, server)):
            traffic.enter(side)
            ends.append(socket.socket(traffic.FAMILY[version], socket.SOCK_DGRAM))
            ends[side].settimeout(5)
            ends[side].bind((host, 9070))
        ends[0].sendto(b"question", (server, 9070))
        ends[1].recv(64)
        ends[1].sendto(b"answer", (client, 9070))
        ends[0].recv(64)


def burst():
    """Five hundred datagrams, one after the other."""
    sender = traffic.opened(traffic.CLIENT, 4, socket.SOCK_DGRAM, port=41004)
    for number in range(500):
        sender.sendto(b"%d" % number, (traffic.ADDRESS[4][traffic.SERVER], 9009))


PACKETS = {"routed": routed, "owned": owned, "link": link, "bridged": bridged, "burst": burst}


def main():
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    for path in sys.argv[1:4]:
        traffic.NAMESPACE_FILES.append(os.open(path, os.O_RDONLY))
    for name in sys.argv[4:]:
        PACKETS[name]()


if __name__ == "__main__":
    main()
