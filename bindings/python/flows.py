#!/usr/bin/python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""The flow table, with ctypes and numpy: flows.py list | watch [COUNT] | delete EXPRESSION"""

import ctypes
import re
import subprocess
import sys

import numpy

lib = ctypes.CDLL("libctrs.so.0", use_errno=True)

# The declarations of the version that is installed: constants and structures are read from them.
prefix = subprocess.check_output(["pkg-config", "--variable=includedir", "ctrs"], text=True).strip()
with open(prefix + "/ctrs/ctrs.cdef", encoding="ascii") as file:
    declarations = file.read()
constants = {}
for name, value in re.findall(r"(\w+) = ([^,}]+)[,}]", declarations):
    constants[name] = eval(value, {}, constants)
structures = {"char": ctypes.c_char}


def structure(name):
    """A structure that is declared, as a class."""
    body = re.search(rf"^struct {name} \{{(.*?)^\}};", declarations, re.M | re.S).group(1)
    fields = []
    for of, pointer, field, length in re.findall(r"([\w ]+?) (\*?)(\w+)(?:\[(\d+)\])?;", body):
        of = of.split()[-1]
        kind = structures.get(of) or getattr(ctypes, "c_" + of.removesuffix("_t"))
        kind = ctypes.c_char_p if pointer else kind
        fields.append((field, kind * int(length) if length else kind))
    structures[name] = type(name, (ctypes.Structure,), {"_fields_": fields})
    return structures[name]


for name in ("ctrs_tuple", "ctrs_nat", "ctrs_seq_adjust", "ctrs_synproxy"):
    structure(name)
Flow, Options, Error, Deleted = map(
    structure, ("ctrs_flow", "ctrs_open_options", "ctrs_error", "ctrs_deleted"))
Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)

# Without a type a result is an int of C, which cuts pointers.
for name in ("ctrs_open", "ctrs_dump_begin", "ctrs_filter_compile"):
    getattr(lib, name).restype = ctypes.c_void_p
lib.ctrs_dump_read.restype = ctypes.c_ssize_t
for name in ("ctrs_last_error", "ctrs_dump_last_error"):
    getattr(lib, name).restype = ctypes.POINTER(Error)


def pointer(value):
    return ctypes.c_void_p(value)


def check(good, error):
    if not good:
        raise OSError(error.err, error.text.decode())


def open_handle(groups=0):
    options = Options(size=ctypes.sizeof(Options), groups=groups)
    error = Error(size=ctypes.sizeof(Error))
    handle = pointer(lib.ctrs_open(ctypes.byref(options), ctypes.byref(error)))
    check(handle, error)
    return handle


def flows(handle, n=4096):
    """All flows as a numpy array of records, n of them a call."""
    parts, dump = [], pointer(lib.ctrs_dump_begin(handle, None, 0))
    check(dump, lib.ctrs_last_error(handle).contents)
    while True:
        part = numpy.zeros(n, numpy.dtype(Flow))
        got = lib.ctrs_dump_read(dump, part.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(n),
                                 ctypes.c_size_t(part.itemsize))
        check(got >= 0, lib.ctrs_dump_last_error(dump).contents)
        if got == 0:
            break
        parts.append(part[:got])
    if lib.ctrs_dump_end(dump) == constants["CTRS_INCONSISTENT"]:
        print("flows may be missing, or be there twice: list them again", file=sys.stderr)
    return numpy.concatenate(parts) if parts else numpy.zeros(0, numpy.dtype(Flow))


def list_flows():
    table = flows(open_handle())
    print(len(table), "flows,", table["bytes"].sum(), "bytes")
    for port, count in zip(*numpy.unique(table["orig"]["dport"], return_counts=True)):
        print("port", port, count)


def watch(count):
    handle, seen, failure = open_handle(constants["CTRS_GROUP_ALL"]), 0, None

    def on_event(kind, ct, _):
        nonlocal seen, failure
        try:  # an exception that left this function would look like NFCT_CB_STOP
            line = ctypes.create_string_buffer(16384)
            lib.ctrs_snprintf_json(line, ctypes.c_size_t(len(line)), pointer(ct), kind, 0, None)
            print(line.value.decode(), flush=True)
            seen += 1
            return constants["NFCT_CB_STOP" if seen == count else "NFCT_CB_CONTINUE"]
        except BaseException as exception:
            failure = exception
            return constants["NFCT_CB_FAILURE"]

    callback = Callback(on_event)  # lives as long as the handle may call it
    lib.nfct_callback_register(handle, constants["NFCT_T_ALL"], callback, None)
    try:
        # Ctrl-C ends the wait with EINTR, and then Python raises KeyboardInterrupt here.
        if lib.nfct_catch(handle) == -1:
            raise failure or OSError(ctypes.get_errno(), "cannot receive")
    finally:
        lib.nfct_close(handle)


def delete(expression):
    error, done = Error(size=ctypes.sizeof(Error)), Deleted()
    which = pointer(lib.ctrs_filter_compile(expression.encode(), None, ctypes.byref(error)))
    check(which, error)
    handle = open_handle()
    result = lib.ctrs_delete_matching(handle, which, 0, ctypes.byref(done),
                                      ctypes.c_size_t(ctypes.sizeof(done)))
    check(result == 0, lib.ctrs_last_error(handle).contents)
    print(done.matched, "matched,", done.deleted, "deleted")


try:
    match sys.argv[1:]:
        case ["list"]:
            list_flows()
        case ["watch", *count]:
            watch(int(count[0]) if count else 0)
        case ["delete", expression]:
            delete(expression)
        case _:
            sys.exit(__doc__)
except KeyboardInterrupt:
    pass
except OSError as error:
    sys.exit(error.strerror)
