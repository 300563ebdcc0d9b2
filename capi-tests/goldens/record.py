#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Asks the system's libnetfilter_conntrack for the answers in the goldens here, as their inputs say.

    record.py            says where it answers otherwise than recorded; exit status 1 then
    record.py --write    writes its answers: of new lines, which have none yet

New lines need their inputs only. The reference is Debian's 1.0.9, or what CTRS_REFERENCE names; never
ctrs. The kernel runs the filters.
"""

import ctypes
import ipaddress
import json
import os
import socket
import struct
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
# Texts have times of this zone.
os.environ["TZ"] = "UTC"
LIBRARY = os.environ.get("CTRS_REFERENCE", "libnetfilter_conntrack.so.3")
library = ctypes.CDLL(LIBRARY, use_errno=True)
if hasattr(library, "ctrs_version"):
    sys.exit(f"{LIBRARY} is ctrs, whose answers are not the reference")
for name in ["nfct_new", "nfexp_new", "nfct_bitmask_new", "nfct_labelmap_new"]:
    getattr(library, name).restype = ctypes.c_void_p

CONSTANTS = {}
for row in (HERE / "../abi/libnetfilter_conntrack/constants.tsv").read_text().splitlines():
    constant, value = row.split("\t")[:2]
    if value.lstrip("-").isdigit():
        CONSTANTS[constant] = int(value)
WIDTHS = {"u8": 1, "u16": 2, "u32": 4, "u64": 8}


def pointer(address):
    return ctypes.c_void_p(address)


def attribute(of):
    return CONSTANTS[of] if isinstance(of, str) else of


def bitmask(value):
    most, bits = (value["max"], value["set"]) if isinstance(value, dict) else value
    mask = library.nfct_bitmask_new(most)
    for bit in bits:
        library.nfct_bitmask_set_bit(pointer(mask), bit)
    return pointer(mask)


def in_memory(kind, value):
    """The bytes of a value, and zeros behind them."""
    if kind in WIDTHS:
        data = value.to_bytes(WIDTHS[kind], sys.byteorder)
    elif kind == "be16":
        data = value.to_bytes(2, "big")
    elif kind in ("ipv4", "ipv6"):
        data = ipaddress.ip_address(value).packed
    elif kind == "hex":
        data = bytes.fromhex(value)
    else:
        data = value.encode()
    return data


def set_all(object, attributes, prefix="nfct"):
    """Sets the attributes of an entry or, with `nfexp`, of an expectation."""
    setter, unset = getattr(library, f"{prefix}_set_attr"), getattr(library, f"{prefix}_attr_unset")
    for of, kind, value in attributes:
        if kind == "unset":
            unset(object, attribute(of))
        elif kind in ("bits", "labels"):
            setter(object, attribute(of), bitmask(value))
        elif kind in ("ct", "tuple"):
            tuple = pointer(library.nfct_new())
            set_all(tuple, value)
            setter(object, attribute(of), tuple)
            library.nfct_destroy(tuple)
        elif attribute(of) == CONSTANTS["ATTR_HELPER_INFO"] and prefix == "nfct":
            data = in_memory(kind, value)
            library.nfct_set_attr_l(object, attribute(of), data, ctypes.c_size_t(len(data)))
        else:
            setter(object, attribute(of), in_memory(kind, value) + bytes(32))


def made(kind, attributes, message=None):
    prefix = "nfct" if kind == "ct" else "nfexp"
    object = pointer(getattr(library, f"{prefix}_new")())
    if message:
        getattr(library, f"{prefix}_nlmsg_parse")(bytes.fromhex(message), object)
    set_all(object, attributes, prefix)
    return prefix, object


def labelmap(text):
    if text is None:
        return None
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(text)
        file.flush()
        return pointer(library.nfct_labelmap_new(file.name.encode()))


def printed(line):
    prefix, object = made(line["kind"], line["attrs"], line.get("nlmsg"))
    buffer = ctypes.create_string_buffer(8192)
    arguments = [buffer, len(buffer), object, line["msg_type"], line["out_type"], line["out_flags"]]
    function = getattr(library, f"{prefix}_snprintf")
    if "labels" in line:
        arguments.append(labelmap(line["labels"]))
        function = library.nfct_snprintf_labels
    ctypes.set_errno(0)
    result = function(*arguments)
    answer = {"ret": result, "expect": buffer.value.decode()}
    if result < 0:
        answer["errno"] = ctypes.get_errno()
        answer["expect"] = answer["expect"] or None
    return answer


def compared(line):
    kind = "ct" if line["fn"] == "nfct_cmp" else "exp"
    objects = [made(kind, line[side])[1] for side in "ab"]
    return {"expect": getattr(library, line["fn"])(*objects, line["flags"])}


class Filters:
    """Event filters, run by the kernel over messages between two sockets of this process."""

    def __init__(self):
        self.messages = []
        kind = (socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 2)
        self.sender, self.receiver = socket.socket(*kind), socket.socket(*kind)
        self.receiver.bind((0, 0))
        library.nfct_filter_create.restype = ctypes.c_void_p

    def ask(self, line):
        if line["kind"] == "msg":
            self.messages.append(bytes.fromhex(line["hex"]))
            return {}
        filter = pointer(library.nfct_filter_create())
        for operation, name, value in line["ops"]:
            of = CONSTANTS[f"NFCT_FILTER_{name}"]
            if operation == "add":
                library.nfct_filter_add_attr(filter, of, self.criterion(name, value))
            else:
                library.nfct_filter_set_logic(filter, of, value)
        result = library.nfct_filter_attach(self.receiver.fileno(), filter)
        answer = {"ret": result, "errno": ctypes.get_errno() if result == -1 else 0}
        library.nfct_filter_destroy(filter)
        if result == 0:
            answer["insns"] = self.instructions()
            answer["verdict"] = "".join(map(self.verdict, self.messages))
        return answer

    @staticmethod
    def criterion(name, value):
        numbers = value if isinstance(value, list) else [value]
        numbers = sum((n if isinstance(n, list) else [n] for n in numbers), [])
        width = "H" if name in ("L4PROTO_STATE", "ZONE") else "I"
        return struct.pack(f"={len(numbers)}{width}", *numbers)

    def instructions(self):
        length = ctypes.c_uint(4096)
        room = ctypes.create_string_buffer(8 * length.value)
        libc = ctypes.CDLL(None)
        libc.getsockopt(self.receiver.fileno(), socket.SOL_SOCKET, 26, room, ctypes.byref(length))
        return length.value

    def verdict(self, message):
        self.sender.sendto(message, self.receiver.getsockname())
        try:
            self.receiver.recv(65536)
            return "1"
        except BlockingIOError:
            return "0"


def main():
    write = sys.argv[1:] == ["--write"]
    asked = differ = 0
    for name, ask in [("print", printed), ("compare", compared), ("filter", Filters().ask)]:
        path = HERE / f"{name}.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        for number, line in enumerate(lines, 1):
            answer = ask(line)
            asked += bool(answer)
            # Where 1.0.9 answers otherwise than 1.1.1, both are recorded.
            own = line.get("v1_0_9", line)
            recorded = {key: own.get(key, line.get(key)) for key in answer}
            if recorded != answer:
                differ += 1
                print(f"{name}.jsonl:{number}: recorded {recorded}, answered {answer}")
                own.update(answer)
        if write:
            text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
            path.write_text(text)
    print(f"{asked - differ} passed, {differ} failed")
    return 1 if differ and not write else 0


sys.exit(main())
