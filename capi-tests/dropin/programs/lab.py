"""Sockets at both ends of a lab, opened by one process whose arguments are CLIENT_NS SERVER_NS."""

import ctypes
import os
import socket
import sys
import threading

CLIENT, SERVER = range(2)
ADDRESS = {4: ("10.1.0.2", "10.2.0.2"), 6: ("fd00:1::2", "fd00:2::2")}
ROUTER = {4: "10.1.0.1", 6: "fd00:1::1"}
FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}
LIBC = ctypes.CDLL(None, use_errno=True)


def opened(side, version, kind, port=0, address=None):
    """A socket of one side, bound to its address and the given port."""
    with open(sys.argv[1 + side], "rb") as namespace:
        if LIBC.setns(namespace.fileno(), 0) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    sock = socket.socket(FAMILY[version], kind)
    if kind == socket.SOCK_STREAM:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((address or ADDRESS[version][side], port))
    return sock


def in_background(work, *arguments):
    """Run it until this process ends."""
    threading.Thread(target=work, args=arguments, daemon=True).start()
