"""A client behind NAT connects to a server, which asks the router's ident daemon who that was.

    ident.py CLIENT_NS SERVER_NS FORWARD

Prints the answers; the port that NAT chose is called PORT. The client is two hosts. If FORWARD is
not 0, an ident daemon on the client answers on that port, too.
"""

import socket
import sys

import lab

IDENT_PORT = 113
GATEWAY = {4: "10.2.0.1", 6: "fd00:2::1"}  # the router as the server sees it
CONNECTIONS = [  # version, address and port of the client, port of the server; 8002 is behind NAT
    (4, "10.1.0.2", 40301, 8002),
    (4, "10.1.0.3", 40302, 8002),
    (4, "10.1.0.2", 40303, 8005),
    (6, "fd00:1::2", 40304, 8002),
]


def connection(version, address, client_port, server_port):
    """Both ends, and the client's port as the server sees it."""
    listener = lab.opened(lab.SERVER, version, socket.SOCK_STREAM, server_port)
    listener.listen()
    client = lab.opened(lab.CLIENT, version, socket.SOCK_STREAM, client_port, address)
    client.connect((lab.ADDRESS[version][lab.SERVER], server_port))
    server, peer = listener.accept()
    listener.close()
    return client, server, peer[1]


def ask(version, question):
    """What the router's ident daemon says."""
    sock = lab.opened(lab.SERVER, version, socket.SOCK_STREAM)
    sock.settimeout(10)
    sock.connect((GATEWAY[version], IDENT_PORT))
    sock.sendall(question.encode() + b"\r\n")
    told = b""
    while part := sock.recv(1024):
        told += part
    return told.decode().strip()


def serve_ident(server):
    """Everybody is 'forwarded', and the question is part of the name."""
    while True:
        stream, _ = server.accept()
        question = stream.recv(1024).decode().strip()
        ports = question.replace(" ", "").split(",")
        name = "forwarded-" + "-".join(port for port in ports if port.startswith(("4", "8")))
        stream.sendall(f"{question} : USERID : UNIX : {name}\r\n".encode())
        stream.close()


def main():
    if sys.argv[3] != "0":
        server = lab.opened(lab.CLIENT, 4, socket.SOCK_STREAM, int(sys.argv[3]), "10.1.0.2")
        server.listen()
        lab.in_background(serve_ident, server)
    for version, address, client_port, server_port in CONNECTIONS:
        client, server, seen = connection(version, address, client_port, server_port)
        told = ask(version, f"{seen} , {server_port}")
        print(version, address, client_port, server_port, told.replace(str(seen), "PORT"))
        client.close()
        server.close()
    print(ask(4, "1 , 1"))
    ask(4, "nonsense")  # nobody answers that


if __name__ == "__main__":
    main()
