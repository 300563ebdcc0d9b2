"""Connections of a lab that go on while its router changes.

    talk.py CLIENT_NS SERVER_NS

Each line of standard input names flows of traffic.py, or steps of this file; when they are done,
'done' is printed.
"""

import os
import select
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
import traffic  # noqa: E402

PATIENCE = 0.5
MESSAGE = b"more of it\r\n"
TALKING = []  # (name, client, server)


def choose():
    """Remember the TCP connections that can talk in both directions."""
    for client, server in zip(traffic.OPEN[::2], traffic.OPEN[1::2]):
        host, port = client.getsockname()[:2]
        peer, peer_port = client.getpeername()[:2]
        name = f"tcp {host}:{port} {peer}:{peer_port}"
        try:
            client.sendall(MESSAGE)
            server.recv(512)
            TALKING.append((name, client, server))
        except BrokenPipeError:
            continue


def send():
    """Every client sends; print which servers got it at once."""
    for _, client, _ in TALKING:
        client.sendall(MESSAGE)
    sockets = [server for _, _, server in TALKING]
    select.select(sockets, [], [], PATIENCE)
    time.sleep(0.05)
    for name, _, server in TALKING:
        ready = select.select([server], [], [], 0)[0]
        print(name, "arrives" if ready else "is stuck")


def go_on():
    """What was sent arrives in the end (TCP repeats it), and the server's answer comes back."""
    for name, client, server in TALKING:
        print(name, exchange(client, server))


def exchange(client, server):
    """One message each way."""
    try:
        server.recv(512)
        server.sendall(MESSAGE)
        client.recv(512)
    except OSError as error:
        return f"ends: {error}"
    return "goes on"


def udp_again():
    """A flow that was there before, and one that was not."""
    for port in (40020, 40099):
        for version in (4, 6):
            print("udp", version, port, udp(version, port))


def udp(version, port):
    """A datagram and its answer, without much patience."""
    peer = (traffic.ADDRESS[version][traffic.SERVER], 9001)
    server = traffic.opened(traffic.SERVER, version, traffic.socket.SOCK_DGRAM, port=9001)
    client = traffic.opened(traffic.CLIENT, version, traffic.socket.SOCK_DGRAM, port=port)
    with server, client:
        server.settimeout(PATIENCE)
        client.sendto(MESSAGE, peer)
        try:
            _, back = server.recvfrom(512)
            server.sendto(MESSAGE, back)
            client.recv(512)
        except TimeoutError:
            return "is lost"
        return "goes on"


def dial():
    """The data connection that an FTP client announced before the router changed."""
    for version in (4, 6):
        try:
            traffic.ftp_data(version, 45000)
            print("ftp data", version, "connected")
        except OSError as error:
            print("ftp data", version, type(error).__name__)


STEPS = {"choose": choose, "send": send, "go-on": go_on, "udp-again": udp_again, "dial": dial}


def main():
    for path in sys.argv[1:3]:
        traffic.NAMESPACE_FILES.append(os.open(path, os.O_RDONLY))
    for line in sys.stdin:
        for name in line.split():
            (STEPS.get(name) or traffic.FLOWS[name])()
        print("done", flush=True)


if __name__ == "__main__":
    main()
