-- SPDX-License-Identifier: MIT OR Apache-2.0
-- The flow table, with LuaJIT: luajit flows.lua list | watch [COUNT] | delete EXPRESSION
local ffi = require("ffi")

local pipe = io.popen("pkg-config --variable=includedir ctrs")
local file = assert(io.open(pipe:read("*l") .. "/ctrs/ctrs.cdef"))
ffi.cdef(file:read("*a")) -- all declarations and constants
file:close()
pipe:close()
local C = ffi.load("libctrs.so.0")

local failure = ffi.new("struct ctrs_error", { size = ffi.sizeof("struct ctrs_error") })

local function check(good, why)
    if not good then
        io.stderr:write(ffi.string(why.text), "\n")
        os.exit(1)
    end
end

local function open(groups)
    local options = ffi.new("struct ctrs_open_options")
    options.size, options.groups = ffi.sizeof(options), groups
    local handle = C.ctrs_open(options, failure)
    check(handle ~= nil, failure)
    return ffi.gc(handle, C.nfct_close)
end

local function list()
    local handle, n, total, ports = open(0), 1000, 0, {}
    local flows = ffi.new("struct ctrs_flow[?]", n)
    local dump = C.ctrs_dump_begin(handle, nil, 0)
    check(dump ~= nil, C.ctrs_last_error(handle))
    repeat
        local got = tonumber(C.ctrs_dump_read(dump, flows, n, ffi.sizeof("struct ctrs_flow")))
        check(got >= 0, C.ctrs_dump_last_error(dump))
        for i = 0, got - 1 do
            local port = flows[i].orig.dport
            ports[port] = (ports[port] or 0) + 1
        end
        total = total + got
    until got == 0
    if C.ctrs_dump_end(dump) == C.CTRS_INCONSISTENT then
        io.stderr:write("flows may be missing, or be there twice: list them again\n")
    end
    print(total .. " flows")
    for port, count in pairs(ports) do
        print("port " .. port .. " " .. count)
    end
end

local function watch(count)
    local handle, line = open(C.CTRS_GROUP_ALL), ffi.new("char[16384]")
    local function on_event(kind, ct)
        C.ctrs_snprintf_json(line, ffi.sizeof(line), ct, tonumber(kind), 0, nil)
        print(ffi.string(line))
        io.stdout:flush()
        count = count - 1
        return count == 0 and C.NFCT_CB_STOP or C.NFCT_CB_CONTINUE
    end
    local raised
    -- Kept in a variable while the handle may call it. No error leaves it: there is C beneath.
    local callback = ffi.cast("int (*)(enum nf_conntrack_msg_type, struct nf_conntrack *, void *)",
        function(kind, ct)
            local good, verdict = pcall(on_event, kind, ct)
            raised = not good and verdict or nil
            return good and verdict or C.NFCT_CB_FAILURE
        end)
    C.nfct_callback_register(handle, C.NFCT_T_ALL, callback, nil)
    -- Ctrl-C ends the wait with EINTR, and then LuaJIT raises "interrupted!".
    local result = C.nfct_catch(handle)
    local errno = ffi.errno()
    C.nfct_callback_unregister(handle)
    callback:free()
    assert(result ~= -1, raised or "cannot receive: errno " .. errno)
end
jit.off(watch) -- compiled code must not call what calls back

local function delete(expression)
    local done = ffi.new("struct ctrs_deleted")
    local which = C.ctrs_filter_compile(expression, nil, failure)
    check(which ~= nil, failure)
    local handle = open(0)
    local result = C.ctrs_delete_matching(handle, which, 0, done, ffi.sizeof(done))
    check(result == 0, C.ctrs_last_error(handle))
    print(tonumber(done.matched) .. " matched, " .. tonumber(done.deleted) .. " deleted")
    C.ctrs_filter_free(which)
end

if arg[1] == "list" then
    list()
elseif arg[1] == "watch" then
    watch(tonumber(arg[2] or 0))
elseif arg[1] == "delete" and arg[2] then
    delete(arg[2])
else
    error("usage: flows.lua list | watch [COUNT] | delete EXPRESSION")
end
