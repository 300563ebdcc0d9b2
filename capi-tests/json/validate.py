#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Asks a JSON Schema validator about lines of JSON on the standard input.

    validate.py SCHEMA

Each line must be one object that the schema takes. Each is then damaged in several ways, and the
schema must refuse all of them."""

import copy
import json
import pathlib
import random
import sys

from jsonschema import Draft202012Validator


def places(value, path=()):
    """All members and elements of a document, by the keys that lead to them."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in inside:
        yield (*path, key)
        if isinstance(child, (dict, list)):
            yield from places(child, (*path, key))


def damaged(document, dice):
    """The document with one thing wrong, and what."""
    path = dice.choice(list(places(document)))
    broken = copy.deepcopy(document)
    holder = broken
    for key in path[:-1]:
        holder = holder[key]
    key = path[-1]
    wrong = [None, True, -1, 1.5, 1 << 64, {"x": 1}, [[]]]
    if isinstance(holder[key], bool):
        wrong.remove(True)
    how = dice.randrange(len(wrong) + 1)
    if how < len(wrong):
        holder[key] = wrong[how]
    elif isinstance(holder, dict):
        holder[f"{key}_"] = holder.pop(key)
    else:
        holder.append(holder[key])
        # Bytes may come twice; a set may not.
        if {"info", "name", "secctx", "prefix"} & set(path):
            holder.append("x")
    return broken, f"{path}, way {how}"


def main():
    path = pathlib.Path(sys.argv[1])
    text = path.read_text()
    schema = json.loads(text)
    # One may refer to another, which is found by its "$id".
    for other in path.parent.glob("*.schema.json"):
        if f'"{other.name}' in text:
            schema["$defs"][other.name] = json.loads(other.read_text())
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    dice = random.Random(1)
    lines = members = refused = 0
    seen = set()
    for line in sys.stdin:
        document = json.loads(line)
        for error in validator.iter_errors(document):
            raise SystemExit(f"{error.json_path}: {error.message}\n{line}")
        lines += 1
        for path in places(document):
            seen.add(".".join(str(key) for key in path if isinstance(key, str)))
        for _ in range(3 if document else 0):
            broken, how = damaged(document, dice)
            if validator.is_valid(broken):
                raise SystemExit(f"the schema takes what is damaged: {how}\n{json.dumps(broken)}")
            refused += 1
    print(json.dumps({"lines": lines, "refused": refused, "members": sorted(seen)}))


main()
