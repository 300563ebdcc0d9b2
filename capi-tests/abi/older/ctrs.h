/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What a ctrs.h older than every release might have been: records that end sooner. Programs compiled with
 * it run on the present library; never make it what the present header is. */
#ifndef CTRS_H
#define CTRS_H

#include <libnetfilter_conntrack/libnetfilter_conntrack.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ctrs_tuple {
    uint8_t src[16];
    uint8_t dst[16];
    uint16_t sport;
    uint16_t dport;
    uint8_t l3proto;
    uint8_t l4proto;
    uint8_t icmp_type;
    uint8_t icmp_code;
    uint16_t icmp_id;
    uint16_t zone;
};

struct ctrs_flow {
    uint64_t present[2];
    uint64_t packets[2];
    uint64_t bytes[2];
    uint64_t start;
    uint64_t stop;
    uint64_t event_time;
    uint64_t dccp_handshake_seq;
    struct ctrs_tuple orig;
    struct ctrs_tuple reply;
    uint32_t status;
    uint32_t timeout;
    uint32_t mark;
    uint32_t id;
    uint32_t use_count;
    uint32_t secmark;
};

struct ctrs_expectation {
    uint64_t present;
    uint64_t master_present[2];
    uint64_t expected_present[2];
    uint64_t mask_present[2];
    uint64_t nat_present[2];
    struct ctrs_tuple master;
    struct ctrs_tuple expected;
    struct ctrs_tuple mask;
    struct ctrs_tuple nat;
    uint32_t timeout;
    uint32_t flags;
    uint32_t helper_class;
    uint32_t nat_dir;
};

struct ctrs_dump;
struct ctrs_filter;

const char *ctrs_version(void);
int ctrs_flow_from(struct ctrs_flow *flow, size_t size, const struct nf_conntrack *ct);
int ctrs_flow_to(struct nf_conntrack *ct, const struct ctrs_flow *flow, size_t size);
int ctrs_expectation_from(struct ctrs_expectation *expectation, size_t size, const struct nf_expect *exp);
int ctrs_expectation_to(struct nf_expect *exp, const struct ctrs_expectation *expectation, size_t size);
struct ctrs_dump *ctrs_dump_begin(struct nfct_handle *h, const struct ctrs_filter *filter, uint32_t flags);
ssize_t ctrs_dump_read(struct ctrs_dump *dump, struct ctrs_flow *flows, size_t n, size_t size);
int ctrs_dump_end(struct ctrs_dump *dump);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* CTRS_H */
