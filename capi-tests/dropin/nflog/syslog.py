"""The system's log: syslog.py SOCKET FILE writes down what is sent to SOCKET, a line each."""

import socket
import sys

with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log, open(sys.argv[2], "wb", 0) as file:
    log.bind(sys.argv[1])
    while True:
        file.write(log.recv(8192).rstrip(b"\0\n") + b"\n")
