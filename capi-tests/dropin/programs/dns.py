"""A DNS server in one namespace, and a client in another whose queries reach it by way of dnsmasq.

    dns.py CLIENT_NS SERVER_NS

Prints what the client is told. The client's ports say which query it was; .4 names have an IPv4
upstream, .6 names one of IPv6.
"""

import socket
import struct

import lab

QUERIES = [  # version, port of the client, name
    (4, 40101, "a.4"),
    (4, 40102, "b.6"),
    (6, 40103, "c.4"),
    (6, 40104, "d.6"),
    (4, 40105, "unmarked.4"),
]


def question(name):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return labels + b"\0" + struct.pack("!HH", 1, 1)


def query(number, name):
    return struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + question(name)


def answer(request):
    """192.168.7.7, whatever the question."""
    end = request.index(b"\0", 12) + 5
    record = struct.pack("!HHHIH", 0xC00C, 1, 1, 60, 4) + bytes([192, 168, 7, 7])
    return request[:2] + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0) + request[12:end] + record


def read_message(stream):
    (length,) = struct.unpack("!H", stream.recv(2, socket.MSG_WAITALL))
    return stream.recv(length, socket.MSG_WAITALL)


def write_message(stream, message):
    stream.sendall(struct.pack("!H", len(message)) + message)


def serve_udp(server):
    while True:
        request, peer = server.recvfrom(4096)
        server.sendto(answer(request), peer)


def serve_tcp(server):
    while True:
        stream, _ = server.accept()
        write_message(stream, answer(read_message(stream)))
        stream.close()


def serve():
    for version in (4, 6):
        udp = lab.opened(lab.SERVER, version, socket.SOCK_DGRAM, 53)
        tcp = lab.opened(lab.SERVER, version, socket.SOCK_STREAM, 53)
        tcp.listen()
        lab.in_background(serve_udp, udp)
        lab.in_background(serve_tcp, tcp)


def ask_udp(version, port, message):
    client = lab.opened(lab.CLIENT, version, socket.SOCK_DGRAM, port)
    client.settimeout(5)
    client.sendto(message, (lab.ROUTER[version], 53))
    return client.recv(4096)


def ask_tcp(version, port, message):
    client = lab.opened(lab.CLIENT, version, socket.SOCK_STREAM, port)
    client.settimeout(5)
    client.connect((lab.ROUTER[version], 53))
    write_message(client, message)
    return read_message(client)


def main():
    serve()
    for ask in (ask_udp, ask_tcp):
        for number, (version, port, name) in enumerate(QUERIES):
            told = ask(version, port, query(number, name))
            print(ask.__name__, version, name, told.hex(), flush=True)


if __name__ == "__main__":
    main()
