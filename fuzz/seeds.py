#!/usr/bin/env python3
"""Makes first inputs for the fuzz targets from capi-tests/corpus: seeds.py FOLDER"""

import hashlib
import json
import struct
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
OUT = Path(sys.argv[1])


def put(target, data):
    folder = OUT / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)


def messages():
    for file in sorted((HERE / "../capi-tests/corpus").glob("*.hex")):
        for line in file.read_text().splitlines():
            if not line.startswith("#"):
                yield bytes.fromhex(line)


def datagram(*parts):
    body = b"".join(parts)
    return struct.pack("<BH", 0, len(body)) + body


def numbered(message, seq):
    return message[:8] + struct.pack("<I", seq) + message[12:]


def receive(number, message):
    done = struct.pack("<IHHIIi", 20, 3, 2, 1, 0, 0)
    ack = struct.pack("<IHHIIi", 20, 2, 0, 1, 0, 0)
    calls = [[0], [1], [2], [4], [0, 1, 0], [1, 7, 3]][number % 6]
    verdicts = [1, 8, 5, 7, 0x81, 16, 4, 0x89][number % 8:][:3]
    options = [0x14, 0x28, 0x3C, 0x80, 0x15][number % 5]
    if options & 0x80:
        calls = [0, 5, 13, 2, 5, 4, 3, 5]
    end = ack if number % 6 == 2 else done
    head = bytes([options, 0xFF, len(calls), len(verdicts), *calls, *verdicts])
    event = datagram(numbered(message, 0))
    put("receive", head + datagram(numbered(message, 1), end) + event * 2 + datagram(end))


def record(number, message):
    if len(message) > 20:
        put("record", bytes([2, message[16]]) + message[20:])
    size = [416, 320, 16, 8, 424, 256, 100, 408][number % 8]
    pattern = bytes((number * at * 7 + at) % 256 for at in range(size))
    put("record", struct.pack("<BH", number % 2, size) + pattern)


FLOW = {
    "event": "update",
    "original": {"family": "ipv4", "src": "10.0.0.1", "dst": "10.0.0.2", "protocol": "tcp", "sport": 1, "dport": 80},
    "reply": {"family": "ipv6", "src": "fd00::1", "dst": "::1.2.3.4", "protocol": 89, "zone": 7},
    "master": {"protocol": "gre", "srckey": 1, "dstkey": 65535},
    "zone": 3,
    "status": ["seen_reply", "assured", "confirmed", "src_nat", "dst_nat", 4096, "16"],
    "timeout": "431999",
    "mark": 4294967295,
    "secctx": "a\"b\\\n\u00e4\U0001f600",
    "tcp": {"state": "ESTABLISHED", "original": {"flags": 35, "flags_mask": 0, "window_scale": 7}},
    "sctp": {"state": 77, "reply": {"tag": 1}},
    "dccp": {"state": "OPEN", "role": "client", "handshake_seq": "18446744073709551615"},
    "counters": {"original": {"packets": 1, "bytes": 18446744073709551615}, "reply": {"bytes": 1.0e3}},
    "start": {"sec": 1764000000, "nsec": 123456789},
    "stop": 1764000000123456789,
    "helper": {"name": [102, 116, 112, 255], "info": [1, 2, 3]},
    "labels": [1, 127, 300],
    "labels_mask": [],
    "snat": {"address": "fd00::9", "port": 5060},
    "dnat": {"port": 53},
    "seq_adjust": {"reply": {"position": 1, "offset_before": 2, "offset_after": 3}},
    "synproxy": {"initial_sequence": 1},
    "unknown": [None, True, False, {"a": [[]]}, -1.5e-3],
}


def texts():
    """Each member alone, all of them, and ICMP."""
    for key, value in FLOW.items():
        yield json.dumps({key: value})
    yield json.dumps(FLOW)
    yield json.dumps(FLOW, ensure_ascii=False, indent=1)
    expected = {key: FLOW["original"] for key in ("expected", "mask", "master", "nat")}
    numbers = {"nat_direction": "reply", "timeout": 300, "zone": 1, "flags": ["inactive", 64], "class": 1}
    yield json.dumps({**expected, **numbers, "helper": "ftp", "function": [110, 255]})
    for kind in ("icmp", "icmpv6"):
        tuples = {"family": "ipv4", "protocol": kind, "type": 8, "code": 0, "id": 77}
        yield json.dumps({"status": 16, "original": tuples, "reply": {**tuples, "type": 0, "id": 78}})


TEXTS = """all
tcp and dport {80, 443} and not src 10.0.0.0/8
not (udp or icmp) and (mark 0x2a/0xff or zone 3)
reply dst 203.0.113.1 or any host fc00::/7
tcp state {established, syn_sent} or sctp state != closed
icmp type 8 and icmp id 1-65535 and icmp code < 2
any gre key 1 or proto 99 or family ipv6
label {3, 127} and helper != "ftp"
timeout < 30s and age > 1h and orig bytes >= 1M and packets 1Ki
assured and replied and natted and not fixed-timeout
((((id 1)))) or not not not dying
mark {1, 2/3, 4-5} and mark > 0x10
src 10.0.0.1/8
state established
tcp udp
dport 080
host ::ffff:10.0.0.1""".splitlines()


def expression():
    for number, text in enumerate(TEXTS):
        put("expression", bytes([0]) + text.encode())
        put("expression", bytes([0]) + text.encode()[:number * 3])
    for number in range(40):
        steps = [(number * 7 + at * 31) % 256 for at in range(3 + number % 20)]
        event = [(number * 13 + at * at * 5) % 256 for at in range(40)]
        put("expression", bytes([1, len(steps), *steps, number, *event]))


CALLS = bytes([0, 2, 6, 0, 0, 0, 2, 3, 9, 0, 0, 0, 4, 3, 0, 0, 0, 0, 1, 1, 2, 0, 0, 0, 3, 1, 6, 0, 0, 0])


def companions():
    """Messages about timeout policies and helpers, behind no calls and behind some."""
    for target, subsystem in (("timeout", 8), ("helper", 9)):
        goldens = HERE / f"../capi-tests/goldens/ct{target}.jsonl"
        calls = [call for line in goldens.read_text().splitlines() for call in json.loads(line)["calls"]]
        parsed = [bytes.fromhex(call[2]) for call in calls if call[0] == "parse"]
        parsed += [message for message in messages() if message[5] == subsystem]
        for number, message in enumerate(parsed):
            if number % (len(parsed) // 25 + 1) == 0:
                put(target, bytes([60]) + (CALLS if number % 2 else bytes(30)) + message)


def logged():
    """Packets alone and several to a datagram, behind a few attributes to build."""
    packets = [message for message in messages() if message[5] == 4]
    done = struct.pack("<IHHIIi", 20, 3, 0, 0, 0, 0)
    for number, message in enumerate(packets):
        padded = message + bytes(-len(message) % 4)
        head = bytes([number % 4, number * 37 % 256, number * 5 % 256, number % 8, 2, number % 7, 1])
        build = bytes((number * at) % 256 for at in range(4 * (number % 8)))
        if number % 4 == 0:
            put("nflog", head + build + message)
        if number % 25 == 0:
            put("nflog", head + build + padded * 2 + done)
    goldens = HERE / "../capi-tests/goldens/nflog.jsonl"
    for number, line in enumerate(goldens.read_text().splitlines()):
        golden = json.loads(line)
        message = golden.get("msg", golden.get("data"))
        if message and number % 9 == 0 and len(message) < 2000:
            put("nflog", bytes([0, 191, 60, 0, 0, 0, 0]) + bytes.fromhex(message))


def main():
    expression()
    companions()
    logged()
    for number, text in enumerate(texts()):
        put("json", bytes([number % 2 * 2]) + text.encode())
    for number, message in enumerate(messages()):
        put("message", bytes([number % 256]) + message)
        head = bytes([number % 128, number % 16, number % 256, message[16] if len(message) > 16 else 2])
        put("roundtrip", head + message[20:])
        receive(number, message)
        if number % 9 == 0:
            record(number // 9, message)
            if len(message) > 20:
                put("json", bytes([1 | number % 2 * 2, message[16]]) + message[20:])
        parse = bytes([13, number % 9, message[16]]) + struct.pack("<H", len(message) - 20)
        if len(message) - 20 < 512 and number % 6 == 0:
            ending = bytes([12, 3, 0, 5, 3, number % 16, 15, 0, number % 256, 7, 0, number % 256])
            put("api", parse + message[20:] + ending)
        if number % 5 == 0:
            attr = number // 5 % 8
            adds = bytes([0x60 + attr]) + bytes(range(number % 9, number % 9 + 32)) + bytes([0x10 + attr])
            tail = bytes([0x10, 1, 2, 3, 4, 5, 6, 7, 8])
            put("filter", struct.pack("<HB", 40, 1) + adds + message + tail)
    for attr in range(80):
        put("api", bytes([1, 0, attr, 8]) + bytes(range(1, 17)) + bytes([2, 0, attr, 3, 0, attr]))
    for attr in range(8):
        value = bytes([10, 0, 0, 1, 255, 255, 255, 255] * 4)
        put("filter", struct.pack("<HB", 100, 3) + (bytes([0xF0 + attr]) + value) * 3)
    for bit in (1, 31, 127, 300):
        head = bytes([8, 0, 0]) + struct.pack("<H", bit) + bytes([8, 0, 2]) + struct.pack("<H", bit)
        put("api", head + bytes([9, 0, 0, 2, 0, 66, 9, 0, 5, 12, 1, 0]))
    for attr in range(11):
        put("api", bytes([10, 0, 0x60 + attr, 4]) + b"name" + bytes([10, 0, 0xB0 + attr, 11, 0, 0]))
    lines = [b"0 eth0-in", b"0x1f via isp", b"# none", b"010 octal", b"1023 last", b"1024 over",
             b"  7   seven  ", b"-1 minus", b"5\tfive", b"5 again", b"6 eth0-in", b"9", b"8 a_b",
             b"1 " + b"x" * 1100, b"", b"2 two\r"]
    for number, line in enumerate(lines):
        put("labels", bytes([number, number, 0]) + line + b"\n")
        put("labels", bytes([255, 7, 0]) + b"\n".join(lines[:number]))
        put("labels", bytes([0, 0, 4]) + b"\n".join(lines[number:]) + b"\n")


main()
