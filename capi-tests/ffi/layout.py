#!/usr/bin/python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Prints how records lie in memory: layout.py ctypes|numpy|cffi CDEF STRUCTURE...

A line is structure, member, offset and size, as in abi/records.tsv.
"""

import ctypes
import re
import sys


def members(text, structure):
    """Type, name and length (None: no array) of each member."""
    body = re.search(r"struct %s \{(.*?)\};" % structure, text, re.S).group(1)
    for kind, name, length in re.findall(r"([\w ]+?) (\w+)(?:\[(\d+)\])?;", body):
        yield kind.strip(), name, int(length) if length else None


def with_ctypes(text, structures):
    known = {"char": ctypes.c_char}

    def kind(name):
        if name.startswith("struct "):
            return known[name[7:]]
        return known.get(name) or getattr(ctypes, "c_" + name[:-2])

    for structure in structures:
        fields = [(name, kind(of) * length if length else kind(of))
                  for of, name, length in members(text, structure)]
        known[structure] = type(structure, (ctypes.Structure,), {"_fields_": fields})
        yield structure, "-", 0, ctypes.sizeof(known[structure])
        for name, of in fields:
            yield structure, name, getattr(known[structure], name).offset, ctypes.sizeof(of)


def with_numpy(text, structures):
    import numpy

    known = {"char": numpy.dtype("S1")}

    def kind(name):
        return known.get(name.removeprefix("struct ")) or numpy.dtype(name[:-2])

    for structure in structures:
        fields = [(name, kind(of), (length,)) if length else (name, kind(of))
                  for of, name, length in members(text, structure)]
        known[structure] = numpy.dtype(fields, align=True)
        yield structure, "-", 0, known[structure].itemsize
        for name, (of, offset, *_) in known[structure].fields.items():
            yield structure, name, offset, of.itemsize


def with_cffi(text, structures):
    import cffi

    ffi = cffi.FFI()
    ffi.cdef(text)
    for structure in structures:
        of = ffi.typeof("struct " + structure)
        yield structure, "-", 0, ffi.sizeof(of)
        for name, field in of.fields:
            yield structure, name, field.offset, ffi.sizeof(field.type)


def main():
    how, path, *structures = sys.argv[1:]
    with open(path, encoding="ascii") as file:
        text = file.read()
    for row in globals()["with_" + how](text, structures):
        print(*row, sep="\t")


main()
