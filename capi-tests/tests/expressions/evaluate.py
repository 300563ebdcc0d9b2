#!/usr/bin/env python3
"""An evaluator of expressions that shares nothing with the library: random expressions, each as text
and as a function of what Debian's conntrack prints of a flow.

    evaluate.py texts SEED N                       the expressions
    evaluate.py table SEED N XML TEXT              the ids of the flows of which each is true
    evaluate.py events SEED N XML TEXT EVENTS      the same of events, as kind:id

XML is what `conntrack -L -o xml,id,ktimestamp` printed, EVENTS what `conntrack -E` did in that format;
TEXT is `conntrack -L -o id`, which has what the XML lacks: ICMP and helpers. Labels neither has without a
map: the mark of a flow tells which it was created with.
"""
import ipaddress
import random
import re
import sys
import time
import xml.etree.ElementTree as ET

UNKNOWN = None
WITH_PORTS = (6, 17, 33, 132, 136)
TCP = "none syn_sent syn_recv established fin_wait close_wait last_ack time_wait close syn_sent2".split()
SCTP = ("none closed cookie_wait cookie_echoed established shutdown_sent shutdown_recd "
        "shutdown_ack_sent heartbeat_sent heartbeat_acked").split()


def number(element, path):
    text = element.findtext(path)
    return None if text is None else int(text, 0)


def direction(meta):
    layer3, layer4 = meta.find("layer3"), meta.find("layer4")
    sport, dport = number(layer4, "sport"), number(layer4, "dport")
    if int(layer4.get("protonum")) == 33 and sport == dport == 0:
        sport = dport = None  # Linux since 6.17 tells no ports of DCCP.
    return {
        "family": int(layer3.get("protonum")),
        "proto": int(layer4.get("protonum")),
        "src": ipaddress.ip_address(layer3.findtext("src")),
        "dst": ipaddress.ip_address(layer3.findtext("dst")),
        "sport": sport,
        "dport": dport,
        "srckey": number(layer4, "srckey"),
        "dstkey": number(layer4, "dstkey"),
        "zone": number(meta, "zone"),
        "packets": number(meta, "counters/packets"),
        "bytes": number(meta, "counters/bytes"),
    }


def labels_of(mark):
    """Which labels the test gives a flow with this mark, and that of no traffic."""
    return {mark % 5, 100} if mark % 3 == 0 and mark != 0 else set()


def is_expected(mark):
    """Whether the test gives a flow with this mark a master."""
    return mark % 7 == 0 and mark != 0


def is_fixed(mark):
    """Whether the test fixes the timeout of a flow with this mark, once it is there."""
    return mark % 4 == 0 and mark != 0


def flow(element, extra):
    metas = {meta.get("direction"): meta for meta in element.findall("meta")}
    rest = metas["independent"]
    kind = element.get("type", "table")
    it = {
        "kind": {"new": "new", "update": "update", "destroy": "destroy"}.get(kind, "table"),
        "orig": direction(metas["original"]),
        "reply": direction(metas["reply"]),
        "id": number(rest, "id"),
        "mark": number(rest, "mark") or 0,
        "zone": number(rest, "zone"),
        "timeout": number(rest, "timeout"),
        "state": rest.findtext("state"),
        "assured": rest.find("assured") is not None,
        "replied": rest.find("unreplied") is None,
        "start": number(rest, "timestamp/start"),
        "stop": number(rest, "timestamp/stop"),
    }
    it.update(extra.get(it["id"], {}))
    return it


def extras(path):
    """Type, code and id of ICMP and the helper, by the id of the flow."""
    found = {}
    for line in open(path):
        ident = re.findall(r"\bid=(\d+)", line)
        if not ident:
            continue
        icmp = re.search(r"\btype=(\d+) code=(\d+) id=(\d+)", line)
        helper = re.search(r"\bhelper=(\S+)", line)
        found[int(ident[-1])] = {
            "icmp": tuple(map(int, icmp.groups())) if icmp else None,
            "helper": helper.group(1) if helper else "",
        }
    return found


def flows(path, extra):
    text = re.sub(r"<\?xml[^>]*\?>|</?conntrack>", "", open(path).read())
    # A listener that is ended may have written half of its last line.
    text = text[:text.rfind("</flow>") + 7]
    found = [flow(element, extra) for element in ET.fromstring("<all>" + text + "</all>")]
    updated = {f["id"] for f in found if f["kind"] == "update"}
    for f in found:
        changed = f["kind"] == "table" or f["kind"] != "new" and f["id"] in updated
        f["fixed"] = changed and is_fixed(f["mark"])
    return found


# Joining three truths.
def negation(a):
    return UNKNOWN if a is UNKNOWN else not a


def conjunction(truths):
    truths = list(truths)
    return False if False in truths else UNKNOWN if UNKNOWN in truths else True


def disjunction(truths):
    truths = list(truths)
    return True if True in truths else UNKNOWN if UNKNOWN in truths else False


# What flows have.
def ends(f, side, names):
    sides = {"": ["orig"], "reply ": ["reply"], "any ": ["orig", "reply"]}[side]
    return [f[one][name] for one in sides for name in names]


def ports(f, side, names):
    return [port if f["orig"]["proto"] in WITH_PORTS else UNKNOWN for port in ends(f, side, names)]


def keys(f, side):
    is_gre = f["orig"]["proto"] == 47
    return [key if is_gre else UNKNOWN for key in ends(f, side, ["srckey", "dstkey"])]


def zone(f, side):
    both, orig, reply = f["zone"], f["orig"]["zone"], f["reply"]["zone"]
    if side == "":
        return next((one for one in (both, orig, reply) if one is not None), 0)
    own = orig if side == "orig " else reply
    return own if own is not None else both or 0


def state(f, proto, names):
    if f["orig"]["proto"] != proto or f["state"] is None:
        return UNKNOWN
    # conntrack prints the states of every protocol by the names of TCP.
    return names[TCP.index(f["state"].lower())]


def counted(f, side, what):
    values = [f[one][what] for one in ("orig", "reply")]
    if side:
        return values[0] if side == "orig " else values[1]
    return UNKNOWN if None in values else sum(values)


def age(f):
    if f["start"] is None:
        return UNKNOWN
    return max(0, (f["stop"] or time.time_ns()) - f["start"]) // 10**9


def labels(f):
    # An update that a request caused tells labels, if there are any.
    has = UNKNOWN if f["kind"] == "destroy" else labels_of(f["mark"])
    return UNKNOWN if f["kind"] == "update" and not has else has


def translated(f, which):
    orig, reply = f["orig"], f["reply"]
    if which == "snat":
        return (reply["dst"], reply["dport"]) != (orig["src"], orig["sport"])
    return (reply["src"], reply["sport"]) != (orig["dst"], orig["dport"])


def shape(text):
    """A term with its values left out: field, operator, and how the value is written."""
    text = re.sub(r'"[^"]*"', "x", text)
    text = re.sub(r"\{[^}]*\}", "{}", text)
    if match := re.match(r"((?:orig |reply |any )?[a-z]+(?: (?:type|code|id|key|state))?) ([<>=!]*) ?(.+)$", text):
        field, operator, value = match.groups()
        how = "{}" if value == "{}" else "mask" if "/" in value else "range" if re.match(r"\w+-\w", value) else ""
        return f"{field} {operator} {how}"
    return text


class Maker:
    """Random expressions, as text and function."""

    ADDRESSES = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.1.0.4", "10.1.0.5", "203.0.113.1", "127.0.0.1",
                 "fd00::1", "fd00::2", "fd00::3", "fd01::4", "fd01::5", "fd99::1", "192.0.2.1", "::1"]
    NETS = ["10.0.0.0/8", "10.0.0.2/31", "10.1.0.0/16", "0.0.0.0/0", "fd00::/16", "fd00::2/127", "::/0",
            "fd01::4/128", "203.0.113.0/24", "10.0.0.1/32", "fc00::/7"]

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.counts = [0, 1, 3, 10, 1000, 4096, 20000, 10**6]
        self.ids = [0, 2**30, 2**31, 3 * 2**30]

    def numbers(self, most, pool, write=str, ordered=True):
        """A test of a number: its text, whether it is negated, and a function."""
        pick = lambda: self.random.choice(pool)
        kind = self.random.randrange(6 if ordered else 2)
        if kind == 0:
            value = pick()
            sign, negated = self.random.choice([("", False), ("= ", False), ("!= ", True)])
            return sign + write(value), negated, lambda n: n == value
        if kind == 1:
            values = [pick() for _ in range(self.random.randrange(1, 4))]
            sign, negated = self.random.choice([("", False), ("!= ", True)])
            return sign + "{" + ", ".join(map(write, values)) + "}", negated, lambda n: n in values
        if kind == 2:
            low, high = sorted((pick(), pick()))
            return f"{write(low)}-{write(high)}", False, lambda n: low <= n <= high
        value = pick()
        sign, holds = [("<", lambda n: n < value), ("<=", lambda n: n <= value),
                       (">", lambda n: n > value), (">=", lambda n: n >= value)][self.random.randrange(4)]
        return f"{sign} {write(value)}", False, holds

    def on(self, name, read, test):
        """A term: true if any of what is read passes."""
        text, negated, holds = test
        def truth(f):
            values = read(f)
            values = values if isinstance(values, list) else [values]
            found = disjunction(UNKNOWN if v is UNKNOWN else holds(v) for v in values)
            return negation(found) if negated else found
        return f"{name} {text}", truth

    def address(self):
        side = self.random.choice(["", "reply ", "any "])
        name, names = self.random.choice([("src", ["src"]), ("dst", ["dst"]), ("host", ["src", "dst"])])
        nets = [self.random.choice(self.ADDRESSES + self.NETS) for _ in range(self.random.choice([1, 1, 2, 3]))]
        parsed = [ipaddress.ip_network(net) for net in nets]
        sign, negated = self.random.choice([("", False), ("", False), ("!= ", True)])
        text = nets[0] if len(nets) == 1 else "{" + ", ".join(nets) + "}"
        holds = lambda a: any(a.version == net.version and a in net for net in parsed)
        return self.on(side + name, lambda f: ends(f, side, names), (sign + text, negated, holds))

    def port(self):
        side = self.random.choice(["", "reply ", "any "])
        name, names = self.random.choice(
            [("sport", ["sport"]), ("dport", ["dport"]), ("port", ["sport", "dport"])])
        test = self.numbers(65535, [80, 81, 443, 1000, 1001, 2000, 0, 65535, 5000, 5003])
        return self.on(side + name, lambda f: ports(f, side, names), test)

    def mark(self):
        if self.random.randrange(2):
            return self.on("mark", lambda f: f["mark"],
                           self.numbers(2**32 - 1, [0, 1, 5, 64, 500, 1000, 1500], lambda n: hex(n)))
        mask = self.random.choice([1, 3, 0xf, 0xff, 0, 0x80000000])
        value = self.random.randrange(2**32) & mask
        sign, negated = self.random.choice([("", False), ("!= ", True)])
        return self.on("mark", lambda f: f["mark"],
                       (f"{sign}{value:#x}/{mask:#x}", negated, lambda n: n & mask == value))

    def protocol(self):
        names = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58, "sctp": 132, "udplite": 136, "gre": 47,
                 "esp": 50, "ah": 51, "dccp": 33}
        if self.random.randrange(3) == 0:
            test = self.numbers(255, [6, 17, 50, 99, 132], ordered=False)
            return self.on("proto", lambda f: f["orig"]["proto"], test)
        name = self.random.choice(list(names))
        return name, lambda f: f["orig"]["proto"] == names[name]

    def family(self):
        name, value = self.random.choice([("ipv4", 2), ("ipv6", 10)])
        return name, lambda f: f["orig"]["family"] == value

    def icmp(self):
        at, name, pool = self.random.choice(
            [(0, "type", [0, 8, 128, 129]), (1, "code", [0, 1]), (2, "id", [1, 2, 80, 300])])
        read = lambda f: UNKNOWN if f.get("icmp") is None else f["icmp"][at]
        return self.on(f"icmp {name}", read, self.numbers(65535, pool))

    def gre(self):
        side = self.random.choice(["", "reply ", "any "])
        return self.on(side + "gre key", lambda f: keys(f, side), self.numbers(65535, [80, 81, 1000]))

    def zone(self):
        side = self.random.choice(["", "orig ", "reply "])
        return self.on(side + "zone", lambda f: zone(f, side), self.numbers(65535, [0, 1, 2, 3]))

    def state(self):
        name, proto, names = self.random.choice([("tcp", 6, TCP), ("sctp", 132, SCTP)])
        return self.on(f"{name} state", lambda f: state(f, proto, names),
                       self.numbers(0, names[1:9], ordered=False))

    def flag(self):
        return self.random.choice([
            ("assured", lambda f: f["assured"]),
            ("replied", lambda f: f["replied"]),
            ("snat", lambda f: translated(f, "snat")),
            ("dnat", lambda f: translated(f, "dnat")),
            ("natted", lambda f: translated(f, "snat") or translated(f, "dnat")),
            ("dying", lambda f: f["kind"] == "destroy"),
            ("expected", lambda f: is_expected(f["mark"])),
            ("offloaded", lambda f: False),
            ("fixed-timeout", lambda f: f["fixed"]),
            ("all", lambda f: True),
        ])

    def label(self):
        wanted = [self.random.choice([0, 1, 4, 100, 127]) for _ in range(self.random.choice([1, 1, 2]))]
        sign, negated = self.random.choice([("", False), ("!= ", True)])
        text = str(wanted[0]) if len(wanted) == 1 else "{" + ", ".join(map(str, wanted)) + "}"
        return self.on("label", labels, (sign + text, negated, lambda has: bool(has & set(wanted))))

    def helper(self):
        sign, negated = self.random.choice([("", False), ("!= ", True)])
        name = self.random.choice(["ftp", "sip", "ft"])
        read = lambda f: UNKNOWN if f["kind"] == "destroy" else f.get("helper", "")
        return self.on("helper", read, (f'{sign}"{name}"', negated, lambda has: has == name))

    def counter(self):
        side, what = self.random.choice(["", "orig ", "reply "]), self.random.choice(["bytes", "packets"])
        write = lambda n: {1000: "1k", 4096: "4Ki", 20000: "20k", 10**6: "1M"}.get(n, str(n))
        return self.on(side + what, lambda f: counted(f, side, what), self.numbers(2**64 - 1, self.counts, write))

    def lasts(self):
        # Far from every timeout that the test gives, so that it does not matter when they are read.
        pool = {"0": 0, "50m": 3000, "30000s": 30000, "10d": 864000}
        text = self.random.choice(list(pool))
        value, sign = pool[text], self.random.choice(["<", ">"])
        return self.on("timeout", lambda f: f["timeout"],
                       (f"{sign} {text}", False, lambda n: n < value if sign == "<" else n > value))

    def age(self):
        text, value, sign = self.random.choice([("1h", 3600, "<"), ("1h", 3600, ">"), ("0", 0, ">="), ("2d", 172800, "<=")])
        holds = {"<": lambda n: n < value, ">": lambda n: n > value, ">=": lambda n: n >= value,
                 "<=": lambda n: n <= value}[sign]
        return self.on("age", age, (f"{sign} {text}", False, holds))

    def ident(self):
        return self.on("id", lambda f: f["id"], self.numbers(2**32 - 1, self.ids))

    def kinds(self):
        return [
            self.address, self.address, self.port, self.port, self.mark, self.protocol, self.protocol,
            self.family, self.icmp, self.gre, self.zone, self.state, self.flag, self.flag, self.label,
            self.helper, self.counter, self.lasts, self.age, self.ident]

    def term(self):
        return self.random.choice(self.kinds())()

    def sweep(self, flows):
        """A term of every field with every operator, true of some flows and false of others."""
        counted = [f for f in flows if f["orig"]["packets"]]
        coded = [f for f in flows if f.get("icmp") and f["icmp"][1]]
        some = counted + coded + self.random.sample(flows, 400)
        self.ids = [f["id"] for f in some]
        self.counts = [f[side][what] for f in counted for side in ("orig", "reply") for what in ("bytes", "packets")]
        # What no flow is here, or every one; and all are of the same age.
        never = lambda one: one in ("all", "dying", "offloaded") or one.startswith("age ")
        found = {}
        for make in dict.fromkeys(self.kinds()):
            lacking, tried = set(), 0
            while tried < 1200 or lacking and tried < 50000:
                (text, truth), tried = make(), tried + 1
                if shape(text) in found or never(shape(text)):
                    continue
                lacking.add(shape(text))
                if {True, False} <= {truth(f) for f in some}:
                    found[shape(text)] = (text, truth)
                    lacking.remove(shape(text))
            assert not lacking, f"never both true and false: {sorted(lacking)}"
        return list(found.values())

    def expression(self, depth):
        if depth == 0 or self.random.randrange(4) == 0:
            text, truth = self.term()
        else:
            word, join = self.random.choice(
                [(" and ", conjunction), (" or ", disjunction), (" and ", conjunction)])
            parts = [self.expression(depth - 1) for _ in range(self.random.randrange(2, 4))]
            text = "(" + word.join(text for text, _ in parts) + ")"
            truth = lambda f: join(part(f) for _, part in parts)
        if self.random.randrange(5) == 0:
            return "not " + text, lambda f: negation(truth(f))
        return text, truth


def main():
    what, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    maker = Maker(seed)
    made = [maker.expression(maker.random.choice([0, 1, 2, 2])) for _ in range(count)]
    if what == "texts":
        for text, _ in made:
            print(text)
        return
    all_flows = flows(sys.argv[-1] if what == "events" else sys.argv[4], extras(sys.argv[5]))
    name = (lambda f: f"{f['kind']}:{f['id']}") if what == "events" else (lambda f: str(f["id"]))
    if what == "table":
        made += maker.sweep(all_flows)
    for text, truth in made:
        truths = [(truth(f), name(f)) for f in all_flows]
        unknown = sum(one is UNKNOWN for one, _ in truths)
        print(text, unknown, " ".join(sorted(name for one, name in truths if one is True)), sep="\t")


main()
