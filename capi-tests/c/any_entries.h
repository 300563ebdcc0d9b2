/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A table of random entries of every protocol, and what this program knows of each. Include it after
 * kernel.h. */
#ifndef ANY_ENTRIES_H
#define ANY_ENTRIES_H

#include <time.h>

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

#endif
