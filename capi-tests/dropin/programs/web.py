"""A web server in one namespace, and a client in another that reaches it through a proxy.

    web.py CLIENT_NS SERVER_NS

Prints what the client is told. The client's ports say which request it was.
"""

import re
import socket

import lab

PROXY_PORT = 3128
REQUESTS = [  # version, port of the client, URL
    (4, 40201, "http://10.2.0.2:8081/"),
    (4, 40202, "http://10.2.0.2:8082/"),
    (4, 40203, "http://10.2.0.2:8080/unmarked"),
    (6, 40204, "http://[fd00:2::2]:8081/"),
    (4, 40205, "http://10.2.0.2:8080/mark-me"),
    (6, 40206, "http://10.2.0.2:8080/mark-me"),
    (4, 40207, "http://10.2.0.2:8081/denied"),
    (6, 40207, "http://[fd00:2::2]:8082/denied"),
]


def serve_web(server):
    while True:
        stream, _ = server.accept()
        stream.recv(65536)
        stream.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhello\n")
        stream.close()


def serve():
    for version in (4, 6):
        for port in (8080, 8081, 8082):
            server = lab.opened(lab.SERVER, version, socket.SOCK_STREAM, port)
            server.listen()
            lab.in_background(serve_web, server)


def fetch(version, port, url):
    client = lab.opened(lab.CLIENT, version, socket.SOCK_STREAM, port)
    client.settimeout(10)
    client.connect((lab.ROUTER[version], PROXY_PORT))
    client.sendall(f"GET {url} HTTP/1.0\r\n\r\n".encode())
    told = b""
    while part := client.recv(65536):
        told += part
    return told.decode()


def main():
    serve()
    for version, port, url in REQUESTS:
        told = re.sub(r"\b\w\w\w, \d\d \w\w\w \d{4} [\d:]+ GMT", "DATE", fetch(version, port, url))
        print(version, port, url, told, flush=True)


if __name__ == "__main__":
    main()
