# SPDX-License-Identifier: MIT OR Apache-2.0
"""What is measured: each figure of each library in a process of its own, in turn, many rounds."""

import json
import os
import re
import resource
import subprocess
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

CODEC = {
    "decode_fresh": "decode, fresh object",
    "decode_reused": "decode, reused object",
    "print_plain": "print, plain",
    "print_times": "print, plain with timestamps",
    "print_xml": "print, XML",
    "print_json": "print, JSON",
    "build": "build a request",
    "clone": "clone and destroy",
    "copy": "copy, attribute by attribute",
    "copy_override": "copy, whole object",
    "compare": "compare, equal objects",
    "compare_other": "compare, different objects",
    "read": "read five attributes",
}
ACCESS = {
    "get_u8": "get u8",
    "get_u16": "get u16",
    "get_u32": "get u32",
    "get_u64": "get u64",
    "get": "get pointer",
    "is_set": "is set",
    "set_u8": "set u8",
    "set_u16": "set u16",
    "set_u32": "set u32",
    "set_u64": "set u64",
    "set": "set by pointer",
}
LOG_CODEC = {
    "nflog_batch": "hand on 27 packets at once, empty callback",
    "nflog_decode": "hand on one, empty callback",
    "nflog_getters": "read it with 17 getters",
    "nflog_record": "decode and read it: a record",
    "nflog_parse": "nflog_nlmsg_parse",
    "nflog_xml": "print XML",
    "nflog_xml_time": "print XML with the time",
}
BEYOND = ("print_json", "nflog_record")  # what the reference does not have
WALKED = ("nflog_decode", "nflog_record")  # what a walk over the attributes is the floor of
HOT, LIVE = 100, 50_000  # objects that a figure goes through, one after the other
TABLE_SIZES = (10_000, 100_000, 250_000, 1_000_000)
PULLED_SIZE = 250_000
LOOKED_UP = 1_000_000  # flows of a mirror
HANDLES = 8  # that hear the same flows: more events than the kernel makes flows
# How packets are logged: bytes of UDP, threshold, buffer; 0 for as a group has it that was just bound.
LOGGINGS = {
    "bound": ((12, 0, 0), "as bound"),
    "large": ((12, 1000, 131_072), "1,000 at once"),
    "whole": ((1400, 0, 65_536), "1,400 bytes each"),
    "single": ((12, 1, 0), "one at a time"),
}
LOG_WAYS = (("floor", "floor"), ("ctrs", "records"), ("ctrs", "calls"), ("reference", "calls"))
LOGGED, LOGS_WAITING = 100_000, 2_000  # packets sent to a listener, and before one listens
FLOW_RATES = (20, 30, 40, 50, 60, 70, 80, 100, 120, 150, 180, 200)  # 1000 a second


def having(figure):
    """The libraries that have what a figure asks for."""
    return ("ctrs",) if figure in BEYOND else ("ctrs", "reference")


class Bench:
    """The worker, the libraries it loads, files of messages, and what they took so far."""

    def __init__(self, worker, libraries, entries, effort):
        self.worker = worker
        self.libraries = {"floor": "none", **libraries}
        self.log_libraries = {**self.libraries, "reference": libraries["log"]}
        self.entries = entries
        self.effort = effort
        self.samples = defaultdict(lambda: defaultdict(list))

    def run(self, library, *arguments):
        """What the worker says of one figure."""
        libraries = self.log_libraries if arguments[0].startswith("nflog_") else self.libraries
        command = [self.worker, libraries[library], *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(command)[:200]}: {done.stderr}")
        return json.loads(done.stdout or "{}")

    def add(self, figure, library, value):
        self.samples[figure][library].append(value)

    def rounds(self, number):
        return range(max(1, round(number * self.effort)))

    def codec(self):
        """What needs no kernel, on few objects and on many; single accesses on few only."""
        jobs = [(figure, "hot", 50_000) for figure in CODEC]
        jobs += [(figure, "live", LIVE) for figure in CODEC]
        jobs += [(figure, "hot", 300_000) for figure in ACCESS]
        for _ in self.rounds(15):
            for figure, objects, times in jobs:
                for library in having(figure):
                    took = self.run(library, figure, times, self.entries[objects])
                    self.add(f"{figure}-{objects}", library, took["seconds"] * 1e9)

    def log_codec(self):
        """What packets take that needs no traffic."""
        for _ in self.rounds(15):
            for figure in LOG_CODEC:
                for library in having(figure):
                    took = self.run(library, figure, 200_000, self.entries["logged"])
                    self.add(figure, library, took["seconds"] * 1e9)
            took = self.run("floor", "nflog_walk", 200_000, self.entries["logged"])
            for figure in WALKED:
                self.add(figure, "floor", took["seconds"] * 1e9)

    def logs(self):
        """Packets that are sent as fast as another process can, and such that wait already."""
        for _ in self.rounds(9):
            for name, (logging, _) in LOGGINGS.items():
                for library, way in LOG_WAYS:
                    took = self.run(library, "nflog_rate", way, LOGGED, *logging)
                    waited = self.run(library, "nflog_waiting", way, LOGS_WAITING, *logging)
                    for column in ("records", "calls") if way == "floor" else (way,):
                        rate = took["seen"] / took["seconds"] / 1e3
                        self.add(f"log-rate-{column}-{name}", library, rate)
                        self.add(f"log-lost-{column}-{name}", library, took["lost"] / LOGGED * 100)
                        self.add(f"log-cost-{column}-{name}", library, waited["seconds"] * 1e9)

    def loading(self):
        for _ in self.rounds(51):
            for library in ("ctrs", "reference"):
                self.add("load", library, self.run(library, "load", 0, 0)["seconds"] * 1e6)

    def dumps(self, limit):
        """Dumps of growing tables, and Debian's conntrack on some of them."""
        filled = 0
        for size in (0, 1000, *TABLE_SIZES):
            if size > limit:
                print(f"no dump of {size} entries: nf_conntrack_max is {limit}")
                break
            self.run("floor", "create", filled, size - filled)
            filled = size
            times = max(1, 20_000 // max(size, 1000))
            for _ in self.rounds(3 if size == max(TABLE_SIZES) else 9):
                self.dump_round(size, times)
                if size in TABLE_SIZES[::2]:
                    self.list_round(size)
            if size == PULLED_SIZE:
                self.pulls(size)
        self.run("floor", "flush", 0, 0)

    def dump_round(self, size, times):
        for callback in ("empty", "getters", "print"):
            for library in ("floor", "ctrs", "reference"):
                if library == "floor" and callback != "empty":
                    continue
                took = self.run(library, "dump", callback if library != "floor" else library, times)
                if took["entries"] != size:
                    raise SystemExit(f"{library} dumped {took['entries']} of {size} entries")
                self.add(f"dump-{callback}-{size}", library, took["seconds"] * 1e3)
                if callback == "getters" or library == "floor":
                    self.add(f"rss-{size}", library, took["rss"])

    def pulls(self, size):
        """Lists through an array of records, beside the floor."""
        for _ in self.rounds(11):
            for search in ("plain", "searched"):
                for library in ("floor", "ctrs"):
                    arguments = ("dump", "floor") if library == "floor" else ("pull", search)
                    took = self.run(library, *arguments, 1)
                    if took["entries"] != size:
                        raise SystemExit(f"{library} listed {took['entries']} of {size} entries")
                    self.add(f"pull-{search}", library, took["seconds"] * 1e3)

    def list_round(self, size):
        """conntrack -L >/dev/null as a whole process: its time on the CPU."""
        for library in ("ctrs", "reference"):
            took = cpu_seconds(["conntrack", "-L"], self.environment(library))
            self.add(f"list-{size}", library, took * 1e3)

    def environment(self, library):
        """That of an unmodified program on a library, which it is made sure to load."""
        environment = dict(os.environ)
        if library == "ctrs":
            environment["LD_LIBRARY_PATH"] = self.libraries["compat"]
        trace = {**environment, "LD_TRACE_LOADED_OBJECTS": "1"}
        loaded = subprocess.run(["conntrack"], env=trace, capture_output=True, text=True).stdout
        if (self.libraries["compat"] in loaded) != (library == "ctrs"):
            raise SystemExit(f"conntrack does not run on {library}: {loaded}")
        return environment

    def queries(self):
        for _ in self.rounds(15):
            for library in ("floor", "ctrs", "reference"):
                callback = "floor" if library == "floor" else "empty"
                took = self.run(library, "query", callback, 5000)
                for what in ("create", "delete"):
                    self.add(what, library, 1e-3 / took[what])

    def batches(self):
        """The same requests one by one and in batches, which the reference does not have."""
        runs = [("each", library) for library in ("floor", "ctrs", "reference")]
        runs += [("batch", library) for library in ("floor", "ctrs")]
        for _ in self.rounds(9):
            for way, library in runs:
                took = self.run(library, "batch", way, 60_000)
                for what in ("create", "delete"):
                    self.add(f"{way}-{what}", library, 1e-3 / took[what])
            for library in ("floor", "ctrs"):
                took = self.run(library, "matching", 0, 60_000)
                self.add("matching", library, 1e-3 / took["seconds"])

    def events(self):
        """Events at full speed, handled and lost; and at a rate."""
        for _ in self.rounds(9):
            for library in ("floor", "ctrs", "reference"):
                for callback in ("empty",) if library == "floor" else ("empty", "print"):
                    self.full_speed(library, callback)
                took = self.event_run(library, "events", "print", 25_000, 100_000, HANDLES)
                self.add("event-lost-fast", library, took["lost"] / (250 * HANDLES))

    def full_speed(self, library, callback):
        took = self.event_run(library, "events", callback, 100_000, 0, 1)
        self.add(f"event-rate-{callback}", library, took["seen"] / took["seconds"] / 1e3)
        self.add(f"event-lost-{callback}", library, took["lost"] / 1000)

    def waiting(self):
        """How many events could be handled, if the kernel had nothing else to do; and records at full
        speed."""
        callbacks = {"floor": ("empty",), "ctrs": ("empty", "print", "records")}
        for _ in self.rounds(15):
            for library in ("floor", "ctrs", "reference"):
                for callback in callbacks.get(library, ("empty", "print")):
                    took = self.event_run(library, "waiting", callback, 2)
                    self.add(f"event-most-{callback}", library, 1e-3 / took["seconds"])
            for library in ("floor", "ctrs"):
                self.full_speed(library, "records")

    def lookups(self):
        """Flows looked up in a mirror, and in a hash table of the same records."""
        for _ in self.rounds(9):
            took = self.run("ctrs", "lookup", 0, LOOKED_UP)
            for figure, (mirror, table) in took.items():
                self.add(f"lookup-{figure}", "ctrs", mirror * 1e9)
                self.add(f"lookup-{figure}", "floor", table * 1e9)

    def event_run(self, library, figure, callback, *arguments):
        callback = "floor" if library == "floor" else callback
        took = self.run(library, figure, callback, *arguments)
        self.run("floor", "flush", 0, 0)
        return took

    def first_loss(self):
        """The highest rate at which nothing is lost, in any of a few attempts: what else the
        machine does can only lower it."""
        attempts = self.rounds(5)
        for library in ("floor", "ctrs", "reference"):
            best, failures = 0, 0
            for rate in FLOW_RATES:
                run = (library, "events", "print", 250 * rate, 1000 * rate, HANDLES)
                if any(self.event_run(*run)["lost"] == 0 for _ in attempts):
                    best, failures = rate * HANDLES, 0
                else:
                    failures += 1
                if failures == 2:
                    break
            self.add("event-lossless", library, best)

    def instructions(self):
        """Instructions of each codec figure, from two runs of different length."""
        figures = CODEC | ACCESS | LOG_CODEC
        jobs = [(figure, library) for figure in figures for library in having(figure)]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for (figure, library), count in zip(jobs, pool.map(self.count, jobs)):
                self.add(figure, library, count)

    def count(self, job):
        figure, library = job
        short, long = (self.callgrind(figure, library, times) for times in (1000, 3000))
        return round((long - short) / 2200)  # a tenth more, to warm up

    def callgrind(self, figure, library, times):
        command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
        of_log = figure in LOG_CODEC
        if of_log:  # those at the same time bind the same group
            command = ["unshare", "--net", *command]
        libraries = self.log_libraries if of_log else self.libraries
        command += ["--toggle-collect=repeat_*", self.worker, libraries[library]]
        command += [figure, str(times), self.entries["logged" if of_log else "hot"]]
        path = {"PATH": os.environ["PATH"]}
        done = subprocess.run(command, env=path, capture_output=True, text=True, check=True)
        return int(re.search(r"Collected : (\d+)", done.stderr)[1])


def cpu_seconds(command, environment):
    """Runs a command and tells the processor time it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    null = subprocess.DEVNULL
    subprocess.run(command, env=environment, stdout=null, stderr=null, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
