"""Real packets between the client and the server of a lab.

    traffic.py CLIENT_NS SERVER_NS WHAT...

One process owns the sockets of both ends (a socket stays in the namespace it was opened in), and
does one thing after the other, on one CPU, with fixed ports: the same flows in the same order each
time. WHAT is a list of the names in FLOWS, or 'hold', which keeps the flows opened so far until
standard input ends.
"""

import ctypes
import os
import socket
import struct
import sys
import time

CLIENT, SERVER = range(2)
NAMESPACE_FILES = []
ADDRESS = {4: ("10.1.0.2", "10.2.0.2"), 6: ("fd00:1::2", "fd00:2::2")}
ROUTER = {4: "10.1.0.1", 6: "fd00:1::1"}
FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}
GRE, SCTP, UDPLITE = 47, 132, 136
SO_TIMESTAMP = 29
OPEN = []


def enter(side):
    """Go to the namespace of a side: the sockets opened from here on are there."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(NAMESPACE_FILES[side], 0) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def opened(side, version, kind, protocol=0, port=0):
    """A socket of one side, bound to its address and the given port."""
    enter(side)
    sock = socket.socket(FAMILY[version], kind, protocol)
    sock.settimeout(5)
    if kind == socket.SOCK_STREAM:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((ADDRESS[version][side], port))
    return sock


def tcp_pair(version, client_port, dial, listen):
    """A TCP connection to the address and port `dial`, accepted on the server's port `listen`."""
    listener = opened(SERVER, version, socket.SOCK_STREAM, port=listen)
    listener.listen(4)
    client = opened(CLIENT, version, socket.SOCK_STREAM, port=client_port)
    client.connect(dial)
    server, _ = listener.accept()
    listener.close()
    return client, server


def talk(client, server):
    """A request and its answer."""
    client.sendall(b"request " * 20)
    server.recv(4096)
    server.sendall(b"answer " * 200)
    client.recv(4096)


def tcp_open(version, client_port, port=8001, to_router=False, listen=None):
    """An established connection, kept open."""
    host = ROUTER[version] if to_router else ADDRESS[version][SERVER]
    pair = tcp_pair(version, client_port, (host, port), listen or port)
    talk(*pair)
    OPEN.extend(pair)


def tcp_closed(version):
    """Closed from both ends: TIME_WAIT."""
    client, server = tcp_pair(version, 40010, (ADDRESS[version][SERVER], 8010), 8010)
    talk(client, server)
    client.close()
    server.recv(1)
    server.close()
    time.sleep(0.05)


def tcp_half_closed(version):
    """Only the client has closed: CLOSE_WAIT."""
    client, server = tcp_pair(version, 40011, (ADDRESS[version][SERVER], 8011), 8011)
    client.shutdown(socket.SHUT_WR)
    server.recv(1)
    OPEN.extend((client, server))


def tcp_reset(version):
    """Reset by the client: CLOSE."""
    client, server = tcp_pair(version, 40012, (ADDRESS[version][SERVER], 8012), 8012)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    server.close()


def tcp_refused(version):
    """Nobody listens: destroyed by the server's reset."""
    client = opened(CLIENT, version, socket.SOCK_STREAM, port=40013)
    try:
        client.connect((ADDRESS[version][SERVER], 8013))
    except ConnectionRefusedError:
        pass
    client.close()


def tcp_unanswered(version):
    """One SYN, dropped at the server: SYN_SENT."""
    client = opened(CLIENT, version, socket.SOCK_STREAM, port=40014)
    client.setblocking(False)
    client.connect_ex((ADDRESS[version][SERVER], 8009))
    client.close()


def udp(version, client_port, port=9001, to_router=False, listen=None, rounds=1):
    """Datagrams and their answers."""
    host = ROUTER[version] if to_router else ADDRESS[version][SERVER]
    server = opened(SERVER, version, socket.SOCK_DGRAM, port=listen or port)
    client = opened(CLIENT, version, socket.SOCK_DGRAM, port=client_port)
    for _ in range(rounds):
        client.sendto(b"ping" * 10, (host, port))
        _, peer = server.recvfrom(512)
        server.sendto(b"pong" * 20, peer)
        client.recv(512)
    client.close()
    server.close()


def udp_unanswered(version, client_port=40024, port=9009):
    """One datagram that nobody answers."""
    client = opened(CLIENT, version, socket.SOCK_DGRAM, port=client_port)
    client.sendto(b"anybody?", (ADDRESS[version][SERVER], port))
    client.close()


def udplite(version):
    """UDP-Lite, from sockets where the kernel has them, else unanswered from a raw socket."""
    peer = (ADDRESS[version][SERVER], 9030)
    try:
        server = opened(SERVER, version, socket.SOCK_DGRAM, UDPLITE, 9030)
        client = opened(CLIENT, version, socket.SOCK_DGRAM, UDPLITE, 40030)
        client.sendto(b"lite", peer)
        _, back = server.recvfrom(64)
        server.sendto(b"heavy", back)
        client.recv(64)
    except OSError:
        client = opened(CLIENT, version, socket.SOCK_RAW, UDPLITE)
        client.sendto(struct.pack("!HHHH", 40030, 9030, 8, 0), (peer[0], 0))


def checksum(data):
    """The Internet checksum."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def icmp(kind):
    """An ICMP query that the server's kernel answers: echo or timestamp."""
    body = b"\0" * (12 if kind == 13 else 32)
    head = struct.pack("!BBHHH", kind, 0, 0, 0x1234, 1)
    head = struct.pack("!BBHHH", kind, 0, checksum(head + body), 0x1234, 1)
    client = opened(CLIENT, 4, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    client.sendto(head + body, (ADDRESS[4][SERVER], 0))
    client.recv(512)
    client.close()


def icmpv6():
    """An ICMPv6 echo; the kernel fills in the checksum."""
    client = opened(CLIENT, 6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    client.sendto(struct.pack("!BBHHH", 128, 0, 0, 0x4321, 1) + b"\0" * 32, (ADDRESS[6][SERVER], 0))
    client.recv(512)
    client.close()


def gre():
    """Plain GRE (no keys), and the version 1 of PPTP, whose call id is a key."""
    server = opened(SERVER, 4, socket.SOCK_RAW, GRE)
    client = opened(CLIENT, 4, socket.SOCK_RAW, GRE)
    client.sendto(struct.pack("!HH", 0, 0x0800), (ADDRESS[4][SERVER], 0))
    client.sendto(struct.pack("!HHHHI", 0x3001, 0x880B, 0, 77, 1), (ADDRESS[4][SERVER], 0))
    server.close()
    client.close()


def sctp_packet(ports, tag, kind, body=b""):
    """An SCTP packet of one chunk, without its checksum (the lab's router does not check)."""
    return struct.pack("!HHIIBBH", *ports, tag, 0, kind, 0, 4 + len(body)) + body


def sctp(version):
    """The four-way handshake of an association, from raw sockets: ESTABLISHED."""
    ends = [opened(side, version, socket.SOCK_RAW, SCTP) for side in (CLIENT, SERVER)]
    init = struct.pack("!IIHHI", 0x1111, 65536, 1, 1, 1)
    init_ack = struct.pack("!IIHHI", 0x2222, 65536, 1, 1, 1) + struct.pack("!HHI", 7, 8, 99)
    steps = [
        (CLIENT, 0, 1, init),
        (SERVER, 0x1111, 2, init_ack),
        (CLIENT, 0x2222, 10, struct.pack("!I", 99)),
        (SERVER, 0x1111, 11, b""),
    ]
    for side, tag, kind, body in steps:
        ports = (40040, 9040) if side == CLIENT else (9040, 40040)
        packet = sctp_packet(ports, tag, kind, body)
        ends[side].sendto(packet, (ADDRESS[version][1 - side], 0))
        ends[1 - side].recv(512)
    for end in ends:
        end.close()


def ftp(version, client_port=40021, data_port=45000, dial=False):
    """A control connection that announces a data port; with `dial` the server then connects to it."""
    client, server = tcp_pair(version, client_port, (ADDRESS[version][SERVER], 21), 21)
    host = ADDRESS[version][CLIENT]
    if version == 4:
        fields = host.split(".") + [str(data_port >> 8), str(data_port & 255)]
        command = f"PORT {','.join(fields)}\r\n"
    else:
        command = f"EPRT |2|{host}|{data_port}|\r\n"
    for line in ("USER nobody\r\n", command):
        client.sendall(line.encode())
        server.recv(512)
        server.sendall(b"200 fine\r\n")
        client.recv(512)
    OPEN.extend((client, server))
    if dial:
        ftp_data(version, data_port)


def ftp_data(version, data_port):
    """The announced connection, from the server's port 20."""
    listener = opened(CLIENT, version, socket.SOCK_STREAM, port=data_port)
    listener.listen(1)
    data = opened(SERVER, version, socket.SOCK_STREAM, port=20)
    data.connect((ADDRESS[version][CLIENT], data_port))
    OPEN.extend((listener.accept()[0], data))
    listener.close()


def tftp(version):
    """A read request, whose answer would come from another port."""
    client = opened(CLIENT, version, socket.SOCK_DGRAM, port=40069)
    client.sendto(b"\0\1file\0octet\0", (ADDRESS[version][SERVER], 69))
    client.close()


def both(flow, *arguments, **options):
    """Run a flow over IPv4, then over IPv6."""
    for version in (4, 6):
        flow(version, *arguments, **options)
        time.sleep(0.02)  # whoever listens to the router's events gets to read them


def tcp_flows():
    """TCP connections in every state that lasts."""
    for flow in (tcp_closed, tcp_half_closed, tcp_reset, tcp_refused, tcp_unanswered):
        both(flow)
    both(tcp_open, 40001)
    both(tcp_open, 40007, 9007)


def udp_flows():
    """UDP flows: answered, unanswered, marked, labelled, in zones."""
    both(udp, 40020, rounds=3)
    both(udp_unanswered)
    for port in (9005, 9007, 9008):
        both(udp, 31000 + port, port)
    both(udp_unanswered, 40025, 9006)


def nat_flows():
    """Source NAT, destination NAT, both at once; TCP and UDP."""
    both(tcp_open, 40002, 8002)
    both(udp, 40002, 8002)
    both(tcp_open, 40003, 8003, to_router=True, listen=8001)
    both(udp, 40003, 8003, to_router=True, listen=9001)
    both(tcp_open, 40004, 8004, to_router=True, listen=8001)
    both(udp, 40004, 8004, to_router=True, listen=9001)


def other_flows():
    """ICMP, ICMPv6, GRE, UDP-Lite, SCTP."""
    icmp(8)
    icmp(13)
    icmpv6()
    gre()
    both(udplite)
    both(sctp)


def timeless_flows():
    """Flows whose state is the same whenever their packets come. That of an answered UDP flow is not:
    it is assured from the first packet that comes two seconds after it began."""
    both(udp_unanswered)
    both(udp_unanswered, 40025, 8009)
    icmp(8)
    icmp(13)
    icmpv6()
    gre()


def stamps():
    """From now on the kernel notes when a packet came, so that all who log it say the same."""
    sock = opened(CLIENT, 4, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMP, 1)
    OPEN.append(sock)
    time.sleep(0.05)  # it takes effect a moment later


def hold():
    """Say so, and wait for the end of standard input."""
    print("ready", flush=True)
    sys.stdin.read()


FLOWS = {
    "tcp": tcp_flows,
    "udp": udp_flows,
    "nat": nat_flows,
    "other": other_flows,
    "timeless": timeless_flows,
    "ftp": lambda: both(ftp),
    "ftp-data": lambda: both(ftp, 40022, 45001, dial=True),
    "ftp-nat": lambda: both(ftp, 40023, 45002),
    "tftp": lambda: both(tftp),
    "stamps": stamps,
    "hold": hold,
}


def main():
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    for path in sys.argv[1:3]:
        NAMESPACE_FILES.append(os.open(path, os.O_RDONLY))
    for name in sys.argv[3:]:
        FLOWS[name]()


if __name__ == "__main__":
    main()
