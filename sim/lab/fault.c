/*
 * Faults: signals to speakers, links without carrier, blocked TCP.
 *
 * Owns: which fault needs what; the list of blocks of each host.
 * Leaves to others: the requests (nft.c, fabric.c).
 *
 * A block is set at the host it is asked for only, in both directions; the other side sees lost
 * packets, as with a firewall on the way. A link goes down at the fabric's end (see fabric.c). A
 * fault "with a peer" concerns the peer's addresses (block) or the segments both are on (link).
 * Setting a fault that stands, or clearing one that does not, is fine and changes nothing.
 */
#include "../../speaker/base/arena.h"
#include "../../speaker/core/limits.h"
#include "lab_internal.h"
#include "nft.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>

#define TABLE_TEXT_MAX 40

/* ---- processes ---- */

static bool signal_speaker(struct lab *lab, uint32_t host, int signal, bool expected,
                           struct diag_list *diags) {
    struct speaker *s = &lab->nodes[host].speaker;

    if (s->pid <= 0) {
        lab_add_finding(diags, lab->nodes[host].name, "signal the speaker", ESRCH,
                        "it is not running");
        return false;
    }
    s->expected = s->expected || expected;
    return process_signal(s, signal);
}

/* ---- links ---- */

static bool on_segment(const struct lab_node *n, uint32_t segment) {
    for (size_t i = 0; i < n->link_count; i++)
        if (n->links[i].segment == segment)
            return true;
    return false;
}

static bool set_links(struct lab *lab, uint32_t host, uint32_t peer, bool up,
                      struct diag_list *diags) {
    const struct lab_node *n = &lab->nodes[host];

    for (uint32_t i = 0; i < n->link_count; i++) {
        if (n->links[i].down == !up)
            continue;
        if (peer != UINT32_MAX && !on_segment(&lab->nodes[peer], n->links[i].segment))
            continue;
        if (!fabric_set_link(lab, host, i, up)) {
            lab_add_finding(diags, n->name, "set a link up or down", errno, n->links[i].name);
            return false;
        }
    }
    return true;
}

/* ---- blocks ---- */

static void table_name(struct lab_block b, char text[TABLE_TEXT_MAX]) {
    if (b.peer == UINT32_MAX)
        snprintf(text, TABLE_TEXT_MAX, "ribcage-all-%u", b.port);
    else
        snprintf(text, TABLE_TEXT_MAX, "ribcage-%u-%u", b.peer, b.port);
}

static size_t find_block(const struct lab_node *n, struct lab_block b) {
    size_t i = 0;

    while (i < n->block_count && (n->blocks[i].peer != b.peer || n->blocks[i].port != b.port))
        i++;
    return i;
}

/* All addresses of a host; alloc_free. NULL: no memory. */
static struct ip_addr *addresses_of(const struct lab_node *n, size_t *ret_count) {
    struct ip_addr *list = alloc_zero(2 * n->link_count + n->local_count + 1, sizeof(*list));
    size_t count = 0;

    if (list == NULL)
        return NULL;
    for (size_t i = 0; i < n->link_count; i++) {
        if (ip_is_set(n->links[i].addr4))
            list[count++] = n->links[i].addr4;
        if (ip_is_set(n->links[i].addr6))
            list[count++] = n->links[i].addr6;
    }
    for (size_t i = 0; i < n->local_count; i++)
        list[count++] = n->locals[i];
    *ret_count = count;
    return list;
}

static bool set_block(struct lab *lab, struct lab_block b, struct netlink *nl) {
    char table[TABLE_TEXT_MAX];
    struct ip_addr *remotes = NULL;
    size_t count = 0;
    bool ok;

    table_name(b, table);
    if (b.peer != UINT32_MAX) {
        remotes = addresses_of(&lab->nodes[b.peer], &count);
        if (remotes == NULL || count == 0) {
            alloc_free(remotes);
            nl->error = remotes == NULL ? ENOMEM : EADDRNOTAVAIL;
            nl->error_what = "block a host without addresses";
            return false;
        }
    }
    ok = nft_block(nl, table, b.port, remotes, count);
    alloc_free(remotes);
    return ok;
}

static bool remember_block(struct lab_node *n, struct lab_block b) {
    struct lab_block *grown = alloc_resize(n->blocks, n->block_count + 1, sizeof(struct lab_block));

    if (grown == NULL)
        return false;
    n->blocks = grown;
    n->blocks[n->block_count++] = b;
    return true;
}

static bool block(struct lab *lab, uint32_t host, struct lab_block b, struct diag_list *diags) {
    struct lab_node *n = &lab->nodes[host];
    struct netlink nl;
    bool ok;

    if (find_block(n, b) < n->block_count)
        return true;
    if (!lab_open_netlink(lab, host, NETLINK_NETFILTER, &nl) || !remember_block(n, b)) {
        lab_add_finding(diags, n->name, "reach nf_tables", errno,
                        "blocking TCP needs CONFIG_NF_TABLES and CONFIG_NF_TABLES_INET");
        return false;
    }
    ok = set_block(lab, b, &nl);
    if (!ok) {
        n->block_count--;
        lab_add_netlink_finding(diags, n->name, &nl);
    }
    netlink_close(&nl);
    return ok;
}

static bool unblock(struct lab *lab, uint32_t host, struct lab_block b, struct diag_list *diags) {
    struct lab_node *n = &lab->nodes[host];
    size_t at = find_block(n, b);
    char table[TABLE_TEXT_MAX];
    struct netlink nl;
    bool ok;

    if (at == n->block_count)
        return true;
    if (!lab_open_netlink(lab, host, NETLINK_NETFILTER, &nl)) {
        lab_add_finding(diags, n->name, "reach nf_tables", errno, NULL);
        return false;
    }
    table_name(b, table);
    ok = nft_unblock(&nl, table);
    if (ok)
        n->blocks[at] = n->blocks[--n->block_count];
    else
        lab_add_netlink_finding(diags, n->name, &nl);
    netlink_close(&nl);
    return ok;
}

uint64_t lab_blocked_syns(struct lab *lab, uint32_t host) {
    const struct lab_node *n = &lab->nodes[host];
    char table[TABLE_TEXT_MAX];
    struct netlink nl;
    uint64_t sum = 0;

    if (n->block_count == 0 || !lab_open_netlink(lab, host, NETLINK_NETFILTER, &nl))
        return 0;
    for (size_t i = 0; i < n->block_count; i++) {
        table_name(n->blocks[i], table);
        sum += nft_dropped_syns(&nl, table);
    }
    netlink_close(&nl);
    return sum;
}

bool lab_fault(struct lab *lab, enum lab_fault f, uint32_t host, uint32_t peer, uint16_t port,
               struct diag_list *diags) {
    struct lab_block b = {.peer = peer, .port = port == 0 ? BGP_PORT : port};

    switch (f) {
    case LAB_FAULT_KILL:
        return signal_speaker(lab, host, SIGKILL, true, diags);
    case LAB_FAULT_STOP:
        return signal_speaker(lab, host, SIGTERM, true, diags);
    case LAB_FAULT_FREEZE:
        return signal_speaker(lab, host, SIGSTOP, false, diags);
    case LAB_FAULT_THAW:
        return signal_speaker(lab, host, SIGCONT, false, diags);
    case LAB_FAULT_LINK_DOWN:
        return set_links(lab, host, peer, false, diags);
    case LAB_FAULT_LINK_UP:
        return set_links(lab, host, peer, true, diags);
    case LAB_FAULT_BLOCK_BGP:
        return block(lab, host, b, diags);
    case LAB_FAULT_UNBLOCK_BGP:
        return unblock(lab, host, b, diags);
    }
    return false;
}
