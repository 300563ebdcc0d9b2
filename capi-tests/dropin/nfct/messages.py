"""What strace wrote down of messages, but for what two runs of the original differ in: the numbers, which
are the time of day, and the padding of attributes inside others, which is what was in memory."""

import re
import struct
import sys

NESTED = 0x8000


def without_padding(data):
    """The attributes in DATA, padded with zeros."""
    kept = b""
    while len(data) >= 4:
        length, kind = struct.unpack("=HH", data[:4])
        value = data[4:length]
        if kind & NESTED:
            value = without_padding(value)
        kept += data[:4] + value + bytes(-length % 4)
        data = data[length + -length % 4 :]
    return kept + data


def nested(found):
    """The same of a string of strace."""
    data = without_padding(bytes.fromhex(found[2].replace("\\x", "")))
    return found[1] + "".join(f"\\x{byte:02x}" for byte in data)


for line in sys.stdin:
    if "nlmsg_len" in line:
        line = re.sub(r"^\d+ +|(?<=nlmsg_seq=)\d+", "", line)
        sys.stdout.write(re.sub(r'(NESTED[^"]*")([^"]*)', nested, line))
