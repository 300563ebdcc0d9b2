/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Every function of libnetfilter_log with each of its pointers NULL and each of its numbers out of range:
 * an error return with errno, and never an abort. The reference crashes on nearly all of it. */
#include "logged.h"

#if !defined(REFERENCE) || defined(DROPIN)

static void test_handle(void)
{
	CHECK_NULL(nflog_open_nfnl(NULL), EINVAL);
	CHECK_ERR(nflog_close(NULL), -1, EINVAL);
	CHECK_ERR(nflog_fd(NULL), -1, EINVAL);
	CHECK_NULL(nflog_nfnlh(NULL), EINVAL);
	CHECK_ERR(nflog_bind_pf(NULL, AF_INET), -1, EINVAL);
	CHECK_ERR(nflog_unbind_pf(NULL, AF_INET), -1, EINVAL);
	CHECK_NULL(nflog_bind_group(NULL, 1), EINVAL);
	CHECK_ERR(nflog_unbind_group(NULL), -1, EINVAL);
	CHECK_ERR(nflog_set_mode(NULL, NFULNL_COPY_PACKET, 0xffff), -1, EINVAL);
	CHECK_ERR(nflog_set_timeout(NULL, 1), -1, EINVAL);
	CHECK_ERR(nflog_set_qthresh(NULL, 1), -1, EINVAL);
	CHECK_ERR(nflog_set_nlbufsiz(NULL, 4096), -1, EINVAL);
	CHECK_ERR(nflog_set_flags(NULL, NFULNL_CFG_F_SEQ), -1, EINVAL);
	CHECK_ERR(nflog_callback_register(NULL, hear, NULL), -1, EINVAL);
	CHECK_ERR(nflog_callback_register(NULL, NULL, NULL), -1, EINVAL);
}

/* The kernel says what it does not know; the rest it accepts. */
static void test_numbers(void)
{
	struct nflog_handle *h = nflog_open();
	struct nflog_g_handle *gh = nflog_bind_group(h, 65535);

	CHECK(gh != NULL);
	CHECK_ERR(nflog_bind_pf(h, 11), -1, EINVAL);
	CHECK_ERR(nflog_bind_pf(h, 255), -1, EINVAL);
	CHECK_ERR(nflog_bind_pf(h, 256 + AF_INET), 0, UNTOUCHED);
	CHECK_ERR(nflog_unbind_pf(h, 255), 0, UNTOUCHED);
	CHECK_ERR(nflog_set_mode(gh, 255, 0xffffffff), 0, UNTOUCHED);
	CHECK_ERR(nflog_set_timeout(gh, 0xffffffff), 0, UNTOUCHED);
	CHECK_ERR(nflog_set_qthresh(gh, 0xffffffff), 0, UNTOUCHED);
	CHECK_ERR(nflog_set_nlbufsiz(gh, 0), 0, UNTOUCHED);
	CHECK_ERR(nflog_set_nlbufsiz(gh, 0xffffffff), 0, UNTOUCHED);
	CHECK_ERR(nflog_set_flags(gh, 0xfff8), 0, UNTOUCHED);
	CHECK_ERR(nflog_callback_register(gh, NULL, NULL), 0, UNTOUCHED);
	CHECK_ERR(nflog_unbind_group(gh), 0, UNTOUCHED);
	CHECK_INT(nflog_close(h), 0);
}

static void test_handle_packet(void)
{
	static char datagram[64];
	struct nflog_handle *h = nflog_open();

	CHECK_ERR(nflog_handle_packet(NULL, datagram, sizeof(datagram)), -1, EINVAL);
	CHECK_ERR(nflog_handle_packet(NULL, NULL, 0), -1, EINVAL);
	CHECK_ERR(nflog_handle_packet(h, NULL, sizeof(datagram)), -1, EINVAL);
	CHECK_ERR(nflog_handle_packet(h, datagram, -1), -1, EINVAL);
	CHECK_ERR(nflog_handle_packet(h, datagram, INT32_MIN), -1, EINVAL);
	CHECK_ERR(nflog_handle_packet(h, NULL, -1), -1, EINVAL);
	for (int size = 0; size < 16; size++) /* no message fits */
		CHECK_ERR(nflog_handle_packet(h, datagram, size), 0, UNTOUCHED);
	CHECK_INT(nflog_handle_packet(h, datagram, sizeof(datagram)), -1);
	CHECK_INT(nflog_close(h), 0);
}

#ifndef REFERENCE /* what the header makes of nflog_get_timestamp() where times are wider than a long */
int nflog_get_timestamp_time64(struct nflog_data *nfad, void *tv);
#endif

static void test_getters_of_nothing(void)
{
	struct timeval tv;
	char *payload;
	uint32_t value;

	CHECK_NULL(nflog_get_msg_packet_hdr(NULL), EINVAL);
	CHECK_ERR(nflog_get_hwtype(NULL), 0, EINVAL);
	CHECK_ERR(nflog_get_msg_packet_hwhdrlen(NULL), 0, EINVAL);
	CHECK_NULL(nflog_get_msg_packet_hwhdr(NULL), EINVAL);
	CHECK_ERR(nflog_get_nfmark(NULL), 0, EINVAL);
	CHECK_ERR(nflog_get_timestamp(NULL, &tv), -1, EINVAL);
	CHECK_ERR(nflog_get_indev(NULL), 0, EINVAL);
	CHECK_ERR(nflog_get_physindev(NULL), 0, EINVAL);
	CHECK_ERR(nflog_get_outdev(NULL), 0, EINVAL);
	CHECK_ERR(nflog_get_physoutdev(NULL), 0, EINVAL);
	CHECK_NULL(nflog_get_packet_hw(NULL), EINVAL);
	CHECK_ERR(nflog_get_payload(NULL, &payload), -1, EINVAL);
	CHECK_NULL(nflog_get_prefix(NULL), EINVAL);
	CHECK_ERR(nflog_get_uid(NULL, &value), -1, EINVAL);
	CHECK_ERR(nflog_get_gid(NULL, &value), -1, EINVAL);
	CHECK_ERR(nflog_get_seq(NULL, &value), -1, EINVAL);
	CHECK_ERR(nflog_get_seq_global(NULL, &value), -1, EINVAL);
	CHECK_ERR(nflog_get_ctid(NULL, &value), -1, EINVAL);
#ifndef REFERENCE
	CHECK_ERR(nflog_get_timestamp_time64(NULL, NULL), -1, EINVAL);
#endif
}

/* Of a packet that has the attribute, and of one that does not. */
static void check_stores(struct nflog_data *nfd)
{
	CHECK_ERR(nflog_get_timestamp(nfd, NULL), -1, EINVAL);
	CHECK_ERR(nflog_get_payload(nfd, NULL), -1, EINVAL);
	CHECK_ERR(nflog_get_uid(nfd, NULL), -1, EINVAL);
	CHECK_ERR(nflog_get_gid(nfd, NULL), -1, EINVAL);
	CHECK_ERR(nflog_get_seq(nfd, NULL), -1, EINVAL);
	CHECK_ERR(nflog_get_seq_global(nfd, NULL), -1, EINVAL);
	CHECK_ERR(nflog_get_ctid(nfd, NULL), -1, EINVAL);
}

static void check_text(struct nflog_data *nfd, struct nlattr **attributes, const struct nlmsghdr *message)
{
	char text[64];

	CHECK_ERR(nflog_snprintf_xml(NULL, 0, NULL, 0), -1, EINVAL);
	CHECK_ERR(nflog_snprintf_xml(text, sizeof(text), NULL, 0), -1, EINVAL);
	CHECK_ERR(nflog_snprintf_xml(NULL, sizeof(text), nfd, 0), -1, EINVAL);
	CHECK(nflog_snprintf_xml(NULL, 0, nfd, 0) >= 0);
	CHECK(nflog_snprintf_xml(text, sizeof(text), nfd, (int)0xffffff00) >= 0);
	CHECK_ERR(nflog_nlmsg_snprintf(NULL, sizeof(text), message, attributes, NFLOG_OUTPUT_XML, 0), -1,
		  EINVAL);
	CHECK_ERR(nflog_nlmsg_snprintf(text, sizeof(text), message, NULL, NFLOG_OUTPUT_XML, 0), -1, EINVAL);
	/* The message is not looked at. */
	CHECK(nflog_nlmsg_snprintf(text, sizeof(text), NULL, attributes, NFLOG_OUTPUT_XML, 0) >= 0);
	for (int type = 1; type < 32; type++)
		CHECK_ERR(nflog_nlmsg_snprintf(text, sizeof(text), message, attributes,
					       (enum nflog_output_type)(1u << type), 0), -1, EOPNOTSUPP);
	CHECK_ERR(nflog_nlmsg_snprintf(NULL, 0, NULL, NULL, (enum nflog_output_type)1, 0), -1, EOPNOTSUPP);
}

static void test_packets(void)
{
	struct nlattr *attributes[NFULA_MAX + 1] = { NULL };
	void *first = &attributes[1]; /* the attribute of type 1: what a packet's pointer is to */
	struct message m;
	uint64_t now[2] = { 0, 0 };

	message_start(&m, NFNL_SUBSYS_ULOG << 8, AF_INET);
	check_stores((struct nflog_data *)&first);
	check_text((struct nflog_data *)&first, attributes, &m.u.header);
	put(&m, NFULA_TIMESTAMP, now, sizeof(now));
	put(&m, NFULA_PAYLOAD, "payload", 7);
	for (uint16_t type = NFULA_UID; type <= NFULA_GID; type++)
		put_be32(&m, type, type);
	CHECK_ERR(nflog_nlmsg_parse(&m.u.header, NULL), -1, EINVAL);
	CHECK_ERR(nflog_nlmsg_parse(NULL, attributes), -1, EINVAL);
	CHECK_ERR(nflog_nlmsg_parse(NULL, NULL), -1, EINVAL);
	CHECK_ERR(nflog_nlmsg_parse(&m.u.header, attributes), 1, UNTOUCHED);
	check_stores((struct nflog_data *)&first);
	check_text((struct nflog_data *)&first, attributes, &m.u.header);
	m.u.header.nlmsg_len = 0; /* less than a header */
	CHECK_ERR(nflog_nlmsg_parse(&m.u.header, attributes), 1, UNTOUCHED);
}

static void test_builders(void)
{
	struct message m;
	struct nlmsghdr *header;

	CHECK_NULL(nflog_nlmsg_put_header(NULL, 255, 255, 65535), EINVAL);
	CHECK_ERR(nflog_attr_put_cfg_mode(NULL, 255, 0xffffffff), -1, EINVAL);
	CHECK_ERR(nflog_attr_put_cfg_cmd(NULL, 255), -1, EINVAL);
	header = nflog_nlmsg_put_header((char *)m.u.bytes, 255, 255, 65535);
	CHECK(header == &m.u.header);
	CHECK_INT(header->nlmsg_type, NFNL_SUBSYS_ULOG << 8 | 255);
	CHECK_ERR(nflog_attr_put_cfg_mode(header, 255, 0xffffffff), 0, UNTOUCHED);
	CHECK_ERR(nflog_attr_put_cfg_cmd(header, 255), 0, UNTOUCHED);
	CHECK_INT(header->nlmsg_len, 20 + 12 + 8);
}

int main(void)
{
	own_namespace();
	test_handle();
	test_numbers();
	test_handle_packet();
	test_getters_of_nothing();
	test_packets();
	test_builders();
	return finish();
}

#else

int main(void)
{
	return finish(); /* there is nothing that it survives */
}

#endif
