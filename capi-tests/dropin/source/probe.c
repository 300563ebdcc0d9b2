/* Written against the reference's headers: creates a flow, finds it, changes it, deletes it. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack_tcp.h>

struct seen {
    unsigned int count;
    uint32_t last_mark;
};

static void fail(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static int print(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
    struct seen *seen = data;
    char line[1024];

    nfct_snprintf(line, sizeof(line), ct, type, NFCT_O_DEFAULT, NFCT_OF_SHOW_LAYER3);
    printf("%s\n", line);
    seen->count++;
    seen->last_mark = nfct_get_attr_u32(ct, ATTR_MARK);
    return NFCT_CB_CONTINUE;
}

static struct nf_conntrack *flow(void)
{
    struct nf_conntrack *ct = nfct_new();

    if (!ct)
        fail("nfct_new");
    nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET);
    nfct_set_attr_u32(ct, ATTR_IPV4_SRC, inet_addr("10.1.0.1"));
    nfct_set_attr_u32(ct, ATTR_IPV4_DST, inet_addr("10.2.0.1"));
    nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_TCP);
    nfct_set_attr_u16(ct, ATTR_PORT_SRC, htons(1234));
    nfct_set_attr_u16(ct, ATTR_PORT_DST, htons(80));
    nfct_setobjopt(ct, NFCT_SOPT_SETUP_REPLY);
    return ct;
}

static void query(struct nfct_handle *handle, enum nf_conntrack_query what, const void *data,
                  const char *name)
{
    if (nfct_query(handle, what, data) < 0)
        fail(name);
}

int main(void)
{
    struct seen seen = { 0, 0 };
    uint32_t family = AF_INET;
    struct nf_conntrack *ct = flow();
    struct nfct_handle *handle = nfct_open(CONNTRACK, 0);

    if (!handle)
        fail("nfct_open");
    if (nfct_callback_register(handle, NFCT_T_ALL, print, &seen) < 0)
        fail("nfct_callback_register");
    nfct_set_attr_u8(ct, ATTR_TCP_STATE, TCP_CONNTRACK_ESTABLISHED);
    nfct_set_attr_u32(ct, ATTR_TIMEOUT, 3000);
    query(handle, NFCT_Q_CREATE, ct, "create");
    query(handle, NFCT_Q_GET, ct, "get");
    nfct_set_attr_u32(ct, ATTR_MARK, 0x2a);
    query(handle, NFCT_Q_UPDATE, ct, "update");
    query(handle, NFCT_Q_DUMP, &family, "dump");
    query(handle, NFCT_Q_DESTROY, ct, "destroy");
    if (nfct_query(handle, NFCT_Q_GET, ct) != -1 || errno != ENOENT)
        fail("get of nothing");
    printf("seen %u, mark %#x\n", seen.count, seen.last_mark);
    nfct_destroy(ct);
    nfct_close(handle);
    return seen.count == 2 && seen.last_mark == 0x2a ? EXIT_SUCCESS : EXIT_FAILURE;
}
