-- SPDX-License-Identifier: MIT OR Apache-2.0
-- Prints how records lie in memory: layout.lua CDEF STRUCTURE.MEMBER...
local ffi = require("ffi")
ffi.cdef(io.open(arg[1]):read("*a"))
for at = 2, #arg do
    local structure, member = arg[at]:match("(.*)%.(.*)")
    if member == "-" then
        print(structure, "-", 0, ffi.sizeof("struct " .. structure))
    else
        print(structure, member, (ffi.offsetof("struct " .. structure, member)))
    end
end
