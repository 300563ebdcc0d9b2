-- SPDX-License-Identifier: MIT OR Apache-2.0
-- Uses the library as LuaJIT sees it: calls.lua CDEF LIBRARY
local ffi = require("ffi")
ffi.cdef(io.open(arg[1]):read("*a"))
local lib = ffi.load(arg[2])
local ct = ffi.gc(lib.nfct_new(), lib.nfct_destroy)
lib.nfct_set_attr_u32(ct, lib.ATTR_MARK, 7)
local flow = ffi.new("struct ctrs_flow[1]")
assert(lib.ctrs_flow_from(flow, ffi.sizeof("struct ctrs_flow"), ct) == 0)
assert(flow[0].mark == 7)
assert(lib.nflog_errno == 0)
print(ffi.string(lib.ctrs_attr_name(lib.ATTR_MARK)))
