/*
 * nf_tables requests, written as raw netlink.
 *
 * Owns: the attributes of tables, chains, rules and expressions that a block of TCP needs.
 * Leaves to others: which block stands where (fault.c), transport (netlink.c).
 *
 * One table of family inet per block: chains at local input and output, priority 0, policy accept,
 * and a named counter. Per remote address and chain there are three rules: count a SYN to the
 * port, drop what goes to the port, drop what comes from it. A SYN is a segment with SYN and
 * without ACK (RFC 9293 3.5), retransmissions included.
 *
 * Requests travel in one transaction between a begin and an end message; the kernel applies all of
 * them or none.
 */
#include "nft.h"

#include "netlink.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>
#include <sys/socket.h>

#define COUNTER "syns"
#define TCP_FLAG_SYN 0x02
#define TCP_FLAG_ACK 0x10

static const struct nft_chain {
    const char *name;
    uint32_t hook;
    uint32_t remote4, remote6; /* offset of the remote address in the network header */
} chains[] = {
    {"in", NF_INET_LOCAL_IN, 12, 8},
    {"out", NF_INET_LOCAL_OUT, 16, 24},
};

static struct request nft_request(uint16_t kind, uint16_t flags) {
    struct nfgenmsg m = {.nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0};

    return request_new((uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | kind), flags, &m, sizeof(m));
}

static void queue_frame(struct netlink *nl, uint16_t kind) {
    struct nfgenmsg m = {.version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES)};
    struct request r = request_new(kind, 0, &m, sizeof(m));

    netlink_queue(nl, &r, (struct netlink_entry){.what = "use nf_tables", .framing = true});
}

/* ---- expressions ---- */

struct expression {
    struct nlattr *element, *data;
};

static struct expression begin_expression(struct request *r, const char *name) {
    struct expression e = {.element = request_nest(r, NFTA_LIST_ELEM)};

    request_put_text(r, NFTA_EXPR_NAME, name);
    e.data = request_nest(r, NFTA_EXPR_DATA);
    return e;
}

static void end_expression(struct request *r, struct expression e) {
    request_end(r, e.data);
    request_end(r, e.element);
}

static void put_value(struct request *r, int attribute, const void *data, size_t size) {
    struct nlattr *nest = request_nest(r, attribute);

    request_put(r, NFTA_DATA_VALUE, data, size);
    request_end(r, nest);
}

static void put_equal(struct request *r, const void *data, size_t size) {
    struct expression e = begin_expression(r, "cmp");

    request_put_be32(r, NFTA_CMP_SREG, NFT_REG_1);
    request_put_be32(r, NFTA_CMP_OP, NFT_CMP_EQ);
    put_value(r, NFTA_CMP_DATA, data, size);
    end_expression(r, e);
}

static void match_meta(struct request *r, uint32_t key, uint8_t value) {
    struct expression e = begin_expression(r, "meta");

    request_put_be32(r, NFTA_META_DREG, NFT_REG_1);
    request_put_be32(r, NFTA_META_KEY, key);
    end_expression(r, e);
    put_equal(r, &value, sizeof(value));
}

static void load_payload(struct request *r, uint32_t base, uint32_t offset, uint32_t size) {
    struct expression e = begin_expression(r, "payload");

    request_put_be32(r, NFTA_PAYLOAD_DREG, NFT_REG_1);
    request_put_be32(r, NFTA_PAYLOAD_BASE, base);
    request_put_be32(r, NFTA_PAYLOAD_OFFSET, offset);
    request_put_be32(r, NFTA_PAYLOAD_LEN, size);
    end_expression(r, e);
}

static void match_remote(struct request *r, const struct nft_chain *c, const struct ip_addr *a) {
    bool v4 = a->family == IP_V4;
    size_t size = ip_size((enum ip_family)a->family);

    match_meta(r, NFT_META_NFPROTO, v4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
    load_payload(r, NFT_PAYLOAD_NETWORK_HEADER, v4 ? c->remote4 : c->remote6, (uint32_t)size);
    put_equal(r, a->bytes, size);
}

static void match_port(struct request *r, uint32_t offset, uint16_t port) {
    uint16_t wire = htons(port);

    load_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, offset, sizeof(wire));
    put_equal(r, &wire, sizeof(wire));
}

static void match_syn(struct request *r) {
    static const uint8_t mask = TCP_FLAG_SYN | TCP_FLAG_ACK, zero = 0, syn = TCP_FLAG_SYN;
    struct expression e;

    load_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1);
    e = begin_expression(r, "bitwise");
    request_put_be32(r, NFTA_BITWISE_SREG, NFT_REG_1);
    request_put_be32(r, NFTA_BITWISE_DREG, NFT_REG_1);
    request_put_be32(r, NFTA_BITWISE_LEN, 1);
    put_value(r, NFTA_BITWISE_MASK, &mask, 1);
    put_value(r, NFTA_BITWISE_XOR, &zero, 1);
    end_expression(r, e);
    put_equal(r, &syn, 1);
}

static void do_count(struct request *r) {
    struct expression e = begin_expression(r, "objref");

    request_put_be32(r, NFTA_OBJREF_IMM_TYPE, NFT_OBJECT_COUNTER);
    request_put_text(r, NFTA_OBJREF_IMM_NAME, COUNTER);
    end_expression(r, e);
}

static void do_drop(struct request *r) {
    struct expression e = begin_expression(r, "immediate");
    struct nlattr *data, *verdict;

    request_put_be32(r, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    data = request_nest(r, NFTA_IMMEDIATE_DATA);
    verdict = request_nest(r, NFTA_DATA_VERDICT);
    request_put_be32(r, NFTA_VERDICT_CODE, NF_DROP);
    request_end(r, verdict);
    request_end(r, data);
    end_expression(r, e);
}

/* ---- rules ---- */

enum rule_kind { RULE_COUNT_SYN, RULE_DROP_TO, RULE_DROP_FROM };

struct block {
    const char *table;
    uint16_t port;
};

static void queue_rule(struct netlink *nl, const struct block *b, const struct nft_chain *c,
                       const struct ip_addr *remote, enum rule_kind kind) {
    struct request r = nft_request(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
    struct nlattr *list;

    request_put_text(&r, NFTA_RULE_TABLE, b->table);
    request_put_text(&r, NFTA_RULE_CHAIN, c->name);
    list = request_nest(&r, NFTA_RULE_EXPRESSIONS);
    if (remote != NULL)
        match_remote(&r, c, remote);
    match_meta(&r, NFT_META_L4PROTO, IPPROTO_TCP);
    match_port(&r, kind == RULE_DROP_FROM ? 0 : 2, b->port);
    if (kind == RULE_COUNT_SYN) {
        match_syn(&r);
        do_count(&r);
    } else {
        do_drop(&r);
    }
    request_end(&r, list);
    netlink_queue(nl, &r, (struct netlink_entry){.what = "add a rule to drop TCP"});
}

static void queue_rules(struct netlink *nl, const struct block *b, const struct ip_addr *remote) {
    for (size_t i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
        queue_rule(nl, b, &chains[i], remote, RULE_COUNT_SYN);
        queue_rule(nl, b, &chains[i], remote, RULE_DROP_TO);
        queue_rule(nl, b, &chains[i], remote, RULE_DROP_FROM);
    }
}

static void queue_table(struct netlink *nl, const char *table) {
    struct request r = nft_request(NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL);
    struct nlattr *data;

    request_put_text(&r, NFTA_TABLE_NAME, table);
    netlink_queue(nl, &r, (struct netlink_entry){.what = "make an nf_tables table"});
    r = nft_request(NFT_MSG_NEWOBJ, NLM_F_CREATE | NLM_F_EXCL);
    request_put_text(&r, NFTA_OBJ_TABLE, table);
    request_put_text(&r, NFTA_OBJ_NAME, COUNTER);
    request_put_be32(&r, NFTA_OBJ_TYPE, NFT_OBJECT_COUNTER);
    data = request_nest(&r, NFTA_OBJ_DATA);
    request_end(&r, data);
    netlink_queue(nl, &r, (struct netlink_entry){.what = "make an nf_tables counter"});
}

static void queue_chain(struct netlink *nl, const char *table, const struct nft_chain *c) {
    struct request r = nft_request(NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_EXCL);
    struct nlattr *hook;

    request_put_text(&r, NFTA_CHAIN_TABLE, table);
    request_put_text(&r, NFTA_CHAIN_NAME, c->name);
    hook = request_nest(&r, NFTA_CHAIN_HOOK);
    request_put_be32(&r, NFTA_HOOK_HOOKNUM, c->hook);
    request_put_be32(&r, NFTA_HOOK_PRIORITY, 0);
    request_end(&r, hook);
    request_put_text(&r, NFTA_CHAIN_TYPE, "filter");
    netlink_queue(nl, &r, (struct netlink_entry){.what = "make an nf_tables chain"});
}

/* A transaction is one datagram: more rules than a queue holds need further ones, for which the
 * table stands already. */
static void restart_when_full(struct netlink *nl) {
    if (nl->count + 8 < NETLINK_QUEUE_COUNT_MAX && nl->size + 8192 < NETLINK_QUEUE_BYTES_MAX)
        return;
    queue_frame(nl, NFNL_MSG_BATCH_END);
    (void)netlink_flush(nl);
    queue_frame(nl, NFNL_MSG_BATCH_BEGIN);
}

bool nft_block(struct netlink *nl, const char *table, uint16_t port, const struct ip_addr *remotes,
               size_t count) {
    struct block b = {.table = table, .port = port};

    queue_frame(nl, NFNL_MSG_BATCH_BEGIN);
    queue_table(nl, table);
    for (size_t i = 0; i < sizeof(chains) / sizeof(chains[0]); i++)
        queue_chain(nl, table, &chains[i]);
    if (count == 0)
        queue_rules(nl, &b, NULL);
    for (size_t i = 0; i < count; i++) {
        restart_when_full(nl);
        queue_rules(nl, &b, &remotes[i]);
    }
    queue_frame(nl, NFNL_MSG_BATCH_END);
    return netlink_flush(nl);
}

bool nft_unblock(struct netlink *nl, const char *table) {
    struct request r = nft_request(NFT_MSG_DELTABLE, 0);

    queue_frame(nl, NFNL_MSG_BATCH_BEGIN);
    request_put_text(&r, NFTA_TABLE_NAME, table);
    netlink_queue(nl, &r, (struct netlink_entry){.what = "remove an nf_tables table"});
    queue_frame(nl, NFNL_MSG_BATCH_END);
    return netlink_flush(nl);
}

static void take_counter(void *context, const struct nlmsghdr *m) {
    struct nlattr *data =
        nlmsg_find_attr((struct nlmsghdr *)(uintptr_t)m, sizeof(struct nfgenmsg), NFTA_OBJ_DATA);
    struct nlattr *packets =
        data == NULL ? NULL : nla_find(nla_data(data), nla_len(data), NFTA_COUNTER_PACKETS);
    uint64_t value = 0;

    if (packets == NULL || nla_len(packets) != (int)sizeof(value))
        return;
    for (size_t i = 0; i < sizeof(value); i++)
        value = value << 8 | ((const uint8_t *)nla_data(packets))[i];
    *(uint64_t *)context += value;
}

uint64_t nft_dropped_syns(struct netlink *nl, const char *table) {
    struct request r = nft_request(NFT_MSG_GETOBJ, 0);
    uint64_t count = 0;

    request_put_text(&r, NFTA_OBJ_TABLE, table);
    request_put_text(&r, NFTA_OBJ_NAME, COUNTER);
    request_put_be32(&r, NFTA_OBJ_TYPE, NFT_OBJECT_COUNTER);
    return netlink_dump(nl, &r, take_counter, &count) == 0 ? count : 0;
}
