/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Filtered dumps hand out exactly the entries that were asked for: random filters over a table of
 * every protocol, against what this program works out from its own list of the entries.
 *
 * CTRS_SEED repeats a run. */
#include "kernel.h"

#ifdef REFERENCE
int main(void)
{
	/* 1.0.9 has no criterion for zones, and hands out other entries than were asked for. */
	nfct_destroy(nfct_new());
	return finish();
}
#else
#include "any_entries.h"

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
