/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Filtered dumps hand out exactly the entries that were asked for: random filters over a table of
 * every protocol, against what this program works out from its own list of the entries.
 *
 * CTRS_SEED repeats a run. */
#include "kernel.h"
#include <time.h>

#ifdef REFERENCE
int main(void)
{
	/* 1.0.9 has no criterion for zones, and hands out other entries than were asked for. */
	nfct_destroy(nfct_new());
	return finish();
}
#else
/* The parts of a tuple; of an address the last 32 bits, all else is the same in this table. */
enum field {
	PROTO, SRC, DST, SPORT, DPORT, TYPE, CODE, ID, ZONE,
	R_PROTO, R_SRC, R_DST, R_SPORT, R_DPORT, R_ZONE,
	FIELDS
};

struct row {
	int family;
	uint32_t field[FIELDS];
	uint32_t mark, status, zone;
	uint32_t id; /* the kernel's */
	bool nat;    /* the kernel chose the ports of the reply, if two clashed */
};

#define MOST 400
static struct row rows[MOST];
static int number;
static uint64_t state;

static uint32_t below(uint32_t limit)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 20) % limit;
}

#define ONE_OF(...) \
	(((const uint32_t[]){ __VA_ARGS__ })[below(sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4)])

/* What a protocol has, by its number. */
static bool has_ports(uint32_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP ||
	       protocol == IPPROTO_UDPLITE || protocol == IPPROTO_GRE;
}

static bool is_icmp(uint32_t protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

/* Whether entries of a protocol have a field. */
static bool has_field(uint32_t protocol, int field)
{
	switch (field) {
	case SPORT: case DPORT: case R_SPORT: case R_DPORT:
		return has_ports(protocol);
	case TYPE: case CODE: case ID:
		return is_icmp(protocol);
	default:
		return true;
	}
}

static const struct { int v4, v6; } attrs[FIELDS] = {
	[PROTO] = { ATTR_ORIG_L4PROTO, ATTR_ORIG_L4PROTO },
	[SRC] = { ATTR_ORIG_IPV4_SRC, ATTR_ORIG_IPV6_SRC },
	[DST] = { ATTR_ORIG_IPV4_DST, ATTR_ORIG_IPV6_DST },
	[SPORT] = { ATTR_ORIG_PORT_SRC, ATTR_ORIG_PORT_SRC },
	[DPORT] = { ATTR_ORIG_PORT_DST, ATTR_ORIG_PORT_DST },
	[TYPE] = { ATTR_ICMP_TYPE, ATTR_ICMP_TYPE },
	[CODE] = { ATTR_ICMP_CODE, ATTR_ICMP_CODE },
	[ID] = { ATTR_ICMP_ID, ATTR_ICMP_ID },
	[ZONE] = { ATTR_ORIG_ZONE, ATTR_ORIG_ZONE },
	[R_PROTO] = { ATTR_REPL_L4PROTO, ATTR_REPL_L4PROTO },
	[R_SRC] = { ATTR_REPL_IPV4_SRC, ATTR_REPL_IPV6_SRC },
	[R_DST] = { ATTR_REPL_IPV4_DST, ATTR_REPL_IPV6_DST },
	[R_SPORT] = { ATTR_REPL_PORT_SRC, ATTR_REPL_PORT_SRC },
	[R_DPORT] = { ATTR_REPL_PORT_DST, ATTR_REPL_PORT_DST },
	[R_ZONE] = { ATTR_REPL_ZONE, ATTR_REPL_ZONE },
};

static enum nf_conntrack_attr attr_of(int family, int field)
{
	return ATTR(family == AF_INET ? attrs[field].v4 : attrs[field].v6);
}

static void set_address(struct nf_conntrack *ct, enum nf_conntrack_attr attr, int family,
			uint32_t value)
{
	uint32_t v6[4] = { htonl(0xfd000000), 0, 0, htonl(value) };

	value = htonl(0x0a000000 | value);
	nfct_set_attr(ct, attr, family == AF_INET ? &value : v6);
}

static uint32_t get_address(const struct nf_conntrack *ct, enum nf_conntrack_attr attr, int family)
{
	const uint32_t *words = nfct_get_attr(ct, attr);

	if (words == NULL)
		return UINT32_MAX;
	return family == AF_INET ? ntohl(words[0]) & 0xffffff : ntohl(words[3]);
}

static void set_field(struct nf_conntrack *ct, int family, int field, uint32_t value)
{
	enum nf_conntrack_attr attr = attr_of(family, field);

	switch (field) {
	case SRC: case DST: case R_SRC: case R_DST:
		set_address(ct, attr, family, value);
		return;
	case SPORT: case DPORT: case R_SPORT: case R_DPORT: case ID:
		nfct_set_attr_u16(ct, attr, htons((uint16_t)value));
		return;
	case ZONE: case R_ZONE:
		nfct_set_attr_u16(ct, attr, (uint16_t)value);
		return;
	default:
		nfct_set_attr_u8(ct, attr, (uint8_t)value);
	}
}

static uint32_t get_field(const struct nf_conntrack *ct, int family, int field)
{
	enum nf_conntrack_attr attr = attr_of(family, field);

	switch (field) {
	case SRC: case DST: case R_SRC: case R_DST:
		return get_address(ct, attr, family);
	case SPORT: case DPORT: case R_SPORT: case R_DPORT: case ID:
		return ntohs(nfct_get_attr_u16(ct, attr));
	case ZONE: case R_ZONE:
		return nfct_get_attr_u16(ct, attr);
	default:
		return nfct_get_attr_u8(ct, attr);
	}
}

static void invert(struct row *row)
{
	row->field[R_PROTO] = row->field[PROTO];
	row->field[R_SRC] = row->field[DST];
	row->field[R_DST] = row->field[SRC];
	row->field[R_SPORT] = row->field[DPORT];
	row->field[R_DPORT] = row->field[SPORT];
}

static struct row random_row(void)
{
	struct row row = { .family = below(2) ? AF_INET : AF_INET6 };
	uint32_t icmp = row.family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6, zone = below(3);

	row.field[PROTO] = ONE_OF(IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE, IPPROTO_SCTP,
				  IPPROTO_DCCP, IPPROTO_GRE, icmp, 99);
	row.field[SRC] = ONE_OF(1, 2, 3);
	row.field[DST] = ONE_OF(1, 2, 3);
	if (has_ports(row.field[PROTO])) {
		row.field[SPORT] = ONE_OF(1000, 1001, 80);
		row.field[DPORT] = ONE_OF(80, 81, 1000);
	} else if (is_icmp(row.field[PROTO])) {
		row.field[TYPE] = icmp == IPPROTO_ICMP ? ONE_OF(8, 13) : 128;
		row.field[CODE] = below(2);
		row.field[ID] = ONE_OF(1, 2, 80);
	}
	invert(&row);
	row.mark = ONE_OF(0, 0, 1, 2, 0x12, 0x80000000);
	row.status = ONE_OF(0, IPS_SEEN_REPLY, IPS_SEEN_REPLY | IPS_ASSURED);
	if (zone == 0)
		return row;
	row.zone = ONE_OF(1, 2, 0x1234);
	zone = below(3);
	row.field[ZONE] = zone != 2 ? row.zone : 0;
	row.field[R_ZONE] = zone != 1 ? row.zone : 0;
	return row;
}

/* The object that creates an entry; with NAT its reply is another. */
static struct nf_conntrack *creating(struct row *row, bool nat)
{
	struct nf_conntrack *ct = nfct_new();
	bool both = row->field[ZONE] == row->field[R_ZONE];

	nfct_set_attr_u8(ct, ATTR_L3PROTO, (uint8_t)row->family);
	for (int field = PROTO; field < ZONE; field++)
		if (has_field(row->field[PROTO], field))
			set_field(ct, row->family, field, row->field[field]);
	nfct_setobjopt(ct, NFCT_SOPT_SETUP_REPLY);
	if (row->zone != 0)
		nfct_set_attr_u16(ct, both ? ATTR_ZONE : row->field[ZONE] ? ATTR_ORIG_ZONE : ATTR_REPL_ZONE,
				  (uint16_t)row->zone);
	nfct_set_attr_u32(ct, ATTR_TIMEOUT, 3600);
	nfct_set_attr_u32(ct, ATTR_MARK, row->mark);
	nfct_set_attr_u32(ct, ATTR_STATUS, row->status);
	if (row->field[PROTO] == IPPROTO_TCP)
		nfct_set_attr_u8(ct, ATTR_TCP_STATE, TCP_CONNTRACK_ESTABLISHED);
	if (row->field[PROTO] == IPPROTO_SCTP) {
		nfct_set_attr_u8(ct, ATTR_SCTP_STATE, 4);
		nfct_set_attr_u32(ct, ATTR_SCTP_VTAG_ORIG, 1);
		nfct_set_attr_u32(ct, ATTR_SCTP_VTAG_REPL, 2);
	}
	row->nat = nat;
	if (nat) {
		row->field[R_SRC] = ONE_OF(0x90001, 0x90002);
		set_address(ct, row->family == AF_INET ? ATTR_DNAT_IPV4 : ATTR_DNAT_IPV6, row->family,
			    row->field[R_SRC]);
	}
	return ct;
}

/* Every entry as a plain dump tells it. */
static int note(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	struct row *row = &rows[number];

	(void)type, (void)data;
	if (number == MOST)
		return NFCT_CB_STOP;
	row->family = nfct_get_attr_u8(ct, ATTR_ORIG_L3PROTO);
	for (int field = 0; field < FIELDS; field++)
		row->field[field] = get_field(ct, row->family, field);
	row->zone = nfct_get_attr_u16(ct, ATTR_ZONE);
	if (row->zone != 0)
		row->field[ZONE] = row->field[R_ZONE] = row->zone;
	else
		row->zone = row->field[ZONE] | row->field[R_ZONE];
	row->mark = nfct_get_attr_u32(ct, ATTR_MARK);
	row->status = nfct_get_attr_u32(ct, ATTR_STATUS);
	row->id = nfct_get_attr_u32(ct, ATTR_ID);
	number++;
	return NFCT_CB_CONTINUE;
}

/* Whether an entry is the one that was created: all but what the kernel decides. */
static bool is_created(const struct row *created, const struct row *row)
{
	for (int field = 0; field < FIELDS; field++)
		if (created->field[field] != row->field[field] &&
		    !(created->nat && (field == R_SPORT || field == R_DPORT)))
			return false;
	return created->family == row->family && created->mark == row->mark &&
	       created->zone == row->zone &&
	       (row->status & (IPS_SEEN_REPLY | IPS_ASSURED)) == created->status;
}

static void create_table(struct nfct_handle *h)
{
	static struct row created[MOST];
	int count = 0;

	for (int i = 0; i < 330; i++) {
		struct row row = random_row();
		struct nf_conntrack *ct = creating(&row, below(4) == 0);
		int result = nfct_query(h, NFCT_Q_CREATE, ct);

		if (result == 0)
			created[count++] = row;
		else
			CHECK_INT(errno, EEXIST);
		nfct_destroy(ct);
	}
	CHECK(count > 200);
	nfct_callback_register(h, NFCT_T_ALL, note, NULL);
	CHECK_INT(dump(h), 0);
	CHECK_INT(number, count);
	for (int i = 0; i < count; i++) {
		int found = 0;

		about("protocol %u, family %d", created[i].field[PROTO], created[i].family);
		for (int k = 0; k < number; k++)
			found += is_created(&created[i], &rows[k]);
		CHECK_INT(found, 1);
	}
	about("");
}

/* What is asked for. */
struct wanted {
	bool by_mark, by_status, by_family, by_zone, by_tuple, derived;
	struct nfct_filter_dump_mark mark, status;
	uint32_t zone;
	int family;
	bool has[FIELDS];
	uint32_t field[FIELDS];
};

static bool selects(const struct wanted *w, const struct row *row)
{
	if (w->by_mark && (row->mark & w->mark.mask) != w->mark.val)
		return false;
	if (w->by_status && (row->status & w->status.mask) != w->status.val)
		return false;
	if (w->by_zone && row->zone != w->zone)
		return false;
	if ((w->by_family || w->by_tuple) && w->family != 0 && row->family != w->family)
		return false;
	for (int field = 0; field < FIELDS; field++)
		if (w->has[field] && row->field[field] != w->field[field])
			return false;
	return true;
}

/* Some members of a tuple, mostly those of one entry. */
static void want_tuple(struct wanted *w, const struct row *model)
{
	uint32_t often = ONE_OF(1, 2, 3, 6);

	w->by_tuple = true;
	w->family = model->family;
	memcpy(w->field, model->field, sizeof(w->field));
	if (below(6) == 0) {
		/* All that deriving the reply makes present. */
		struct row derived = *model;

		invert(&derived);
		memcpy(w->field, derived.field, sizeof(w->field));
		w->derived = true;
		for (int field = 0; field < FIELDS; field++)
			w->has[field] = has_field(model->field[PROTO], field) && field != ZONE &&
					field != R_ZONE;
		return;
	}
	for (int field = 0; field < FIELDS; field++)
		w->has[field] = has_field(model->field[PROTO], field) && below(6) < often;
	/* Without a protocol the kernel refuses what only some have. */
	w->has[PROTO] |= w->has[SPORT] | w->has[DPORT] | w->has[TYPE] | w->has[CODE] | w->has[ID];
	w->has[R_PROTO] |= w->has[R_SPORT] | w->has[R_DPORT];
	if (below(3) == 0) { /* a member of another entry */
		const struct row *other = &rows[below((uint32_t)number)];
		int field = (int)below(FIELDS);
		/* test_refused() has the types that begin no flow. */
		bool foreign = field == TYPE && other->field[PROTO] != model->field[PROTO];

		if (field != PROTO && field != R_PROTO && !foreign &&
		    has_field(other->field[PROTO], field) == has_field(model->field[PROTO], field))
			w->field[field] = other->field[field];
	}
}

static struct wanted random_wanted(void)
{
	const struct row *model = &rows[below((uint32_t)number)];
	struct wanted w = { .family = 0 };

	if (below(4) == 0) {
		w.by_mark = true;
		w.mark.mask = ONE_OF(UINT32_MAX, UINT32_MAX, 0xf, 1, 0x80000000, 0);
		w.mark.val = below(4) ? model->mark & w.mark.mask : model->mark;
	}
	if (below(4) == 0) {
		w.by_status = true;
		w.status.mask = ONE_OF(UINT32_MAX, IPS_ASSURED, IPS_SEEN_REPLY, IPS_ASSURED | IPS_DST_NAT,
				       IPS_SRC_NAT);
		w.status.val = below(4) ? model->status & w.status.mask : model->status;
	}
	if (below(4) == 0) {
		w.by_zone = true;
		w.zone = below(3) ? model->zone : ONE_OF(0, 1, 2);
	}
	if (below(4) != 0)
		want_tuple(&w, model);
	if (below(4) == 0) {
		w.by_family = true;
		if (!w.by_tuple)
			w.family = (int)ONE_OF(AF_INET, AF_INET6, 0);
	}
	return w;
}

static struct nf_conntrack *pattern_of(const struct wanted *w)
{
	struct nf_conntrack *ct = nfct_new();

	nfct_set_attr_u8(ct, ATTR_ORIG_L3PROTO, (uint8_t)w->family);
	for (int field = 0; field < FIELDS; field++)
		if (w->has[field] && !(w->derived && field >= R_PROTO))
			set_field(ct, w->family, field, w->field[field]);
	if (w->derived)
		nfct_setobjopt(ct, NFCT_SOPT_SETUP_REPLY);
	for (int field = R_PROTO; field < FIELDS; field++)
		if (w->has[field])
			nfct_set_attr_u8(ct, ATTR_REPL_L3PROTO, (uint8_t)w->family);
	return ct;
}

static struct nfct_filter_dump *filter_of(const struct wanted *w)
{
	struct nfct_filter_dump *f = nfct_filter_dump_create();
	struct nf_conntrack *pattern;

	if (w->by_mark)
		nfct_filter_dump_set_attr(f, NFCT_FILTER_DUMP_MARK, &w->mark);
	if (w->by_status)
		nfct_filter_dump_set_attr(f, NFCT_FILTER_DUMP_STATUS, &w->status);
	if (w->by_zone)
		nfct_filter_dump_set_attr_u16(f, NFCT_FILTER_DUMP_ZONE, (uint16_t)w->zone);
	if (w->by_family)
		nfct_filter_dump_set_attr_u8(f, NFCT_FILTER_DUMP_L3NUM, (uint8_t)w->family);
	if (w->by_tuple) {
		pattern = pattern_of(w);
		nfct_filter_dump_set_attr(f, NFCT_FILTER_DUMP_TUPLE, pattern);
		nfct_destroy(pattern);
	}
	return f;
}

static void describe(const struct wanted *w, const char *how)
{
	char text[256] = "";
	size_t used = 0;

	if (w->by_mark)
		used += (size_t)sprintf(text + used, " mark %x/%x", w->mark.val, w->mark.mask);
	if (w->by_status)
		used += (size_t)sprintf(text + used, " status %x/%x", w->status.val, w->status.mask);
	if (w->by_zone)
		used += (size_t)sprintf(text + used, " zone %u", w->zone);
	if (w->by_family || w->by_tuple)
		used += (size_t)sprintf(text + used, " family %d%s", w->family, w->derived ? "d" : "");
	for (int field = 0; field < FIELDS; field++)
		if (w->has[field] && used < 200)
			used += (size_t)sprintf(text + used, " %d=%u", field, w->field[field]);
	about("%s%s", how, text);
}

/* Which rows came, and how often. */
static int seen[MOST], unknown;

static int look(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	uint32_t id = nfct_get_attr_u32(ct, ATTR_ID);
	int i = 0;

	(void)data;
	while (i < number && rows[i].id != id)
		i++;
	if (i < number)
		seen[i]++;
	else
		unknown++;
	CHECK_INT(type, NFCT_T_UPDATE);
	return NFCT_CB_CONTINUE;
}

/* Compares what came with what should have; says how much that is. */
static int check_seen(const struct wanted *w)
{
	int missing = 0, too_many = 0, expected = 0;

	for (int i = 0; i < number; i++) {
		bool want = selects(w, &rows[i]);

		expected += want;
		missing += want && seen[i] == 0;
		too_many += seen[i] > want;
		seen[i] = 0;
	}
	CHECK_INT(missing, 0);
	CHECK_INT(too_many, 0);
	CHECK_INT(unknown, 0);
	unknown = 0;
	return expected;
}

/* Makes the query in one of the ways there are; the filter is gone before the answer is read. */
static int ask(struct nfct_handle *h, enum nf_conntrack_query query, const struct wanted *w,
	       bool by_send)
{
	struct nfct_filter_dump *f = filter_of(w);
	int result = by_send ? nfct_send(h, query, f) : nfct_query(h, query, f);

	nfct_filter_dump_destroy(f);
	if (!by_send || result == -1)
		return result;
	return nfct_catch(h);
}

static void test_random(struct nfct_handle *h)
{
	int some = 0, few = 0;

	nfct_callback_register(h, NFCT_T_ALL, look, NULL);
	for (int i = 0; i < 700; i++) {
		struct wanted w = random_wanted();
		int count;

		describe(&w, "query");
		CHECK_INT(ask(h, NFCT_Q_DUMP_FILTER, &w, false), 0);
		count = check_seen(&w);
		some += count > 0 && count < number;
		few += count > 0 && count < 10;
		if (i % 3 == 0) {
			describe(&w, "send and catch");
			CHECK_INT(ask(h, NFCT_Q_DUMP_FILTER, &w, true), 0);
			check_seen(&w);
		}
		if (i % 3 == 1) {
			describe(&w, "reset");
			CHECK_INT(ask(h, NFCT_Q_DUMP_FILTER_RESET, &w, false), 0);
			check_seen(&w);
		}
	}
	about("");
	CHECK(some > 300 && few > 100); /* filters that say something */
}

/* An ICMP type that begins no flow is refused by the kernel, and nothing is handed out. */
static void test_refused(struct nfct_handle *h)
{
	static const struct { uint32_t proto, type; int family, error; } types[] = {
		{ IPPROTO_ICMP, 8, AF_INET, 0 },	{ IPPROTO_ICMP, 3, AF_INET, EINVAL },
		{ IPPROTO_ICMP, 128, AF_INET, EINVAL }, { IPPROTO_ICMPV6, 128, AF_INET6, 0 },
		{ IPPROTO_ICMPV6, 8, AF_INET6, EINVAL }, { IPPROTO_ICMPV6, 1, AF_INET6, EINVAL },
	};

	for (size_t i = 0; i < COUNT(types); i++) {
		struct wanted w = { .by_tuple = true, .family = types[i].family };
		int result;

		w.has[PROTO] = w.has[TYPE] = true;
		w.field[PROTO] = types[i].proto;
		w.field[TYPE] = types[i].type;
		describe(&w, "query");
		errno = 0;
		result = ask(h, NFCT_Q_DUMP_FILTER, &w, false);
		CHECK_INT(result, types[i].error == 0 ? 0 : -1);
		CHECK_INT(errno, types[i].error);
		check_seen(&w);
	}
	about("");
}

int main(void)
{
	const char *seed = getenv("CTRS_SEED");
	struct nfct_handle *h;

	state = seed != NULL ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL) * 0x9e3779b97f4a7c15;
	state |= 1;
	printf("CTRS_SEED=%#llx\n", (unsigned long long)state);
	own_namespace();
	h = nfct_open(CONNTRACK, 0);
	create_table(h);
	test_random(h);
	test_refused(h);
	CHECK_INT(nfct_close(h), 0);
	return finish();
}
#endif
