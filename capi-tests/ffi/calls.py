#!/usr/bin/python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Uses the library as cffi sees it: calls.py CDEF LIBRARY"""

import re
import sys

import cffi

text = open(sys.argv[1], encoding="ascii").read()
ffi = cffi.FFI()
ffi.cdef(text)
lib = ffi.dlopen(sys.argv[2])

code = re.sub(r"^typedef [^;]*;", "", text, flags=re.M)
names = re.findall(r"\b((?:nfct|nfexp|nflog|ctrs)_\w+)\(", code)
names += re.findall(r"^extern int (\w+);", code, re.M)
for name in names:
    getattr(lib, name)

ct = ffi.gc(lib.nfct_new(), lib.nfct_destroy)
lib.nfct_set_attr_u32(ct, lib.ATTR_MARK, 7)
flow = ffi.new("struct ctrs_flow *")
assert lib.ctrs_flow_from(flow, ffi.sizeof(flow[0]), ct) == 0
assert flow.mark == 7 and flow.present[0] == 1 << lib.ATTR_MARK
assert ffi.string(lib.ctrs_attr_name(lib.ATTR_MARK)) == b"mark"
assert lib.nflog_errno == 0
print(len(names))
for name in re.findall(r"^ *(?:enum \{ )?(\w+) = ", text, re.M):
    print(name, getattr(lib, name))
