/*
 * Netlink transport: queues of requests, acknowledgements, dumps.
 *
 * Owns: the socket of one namespace, the queue, the matching of refusals to requests.
 * Leaves to others: what is asked (link.c, nft.c, routes.c, sockets.c); the bytes of attributes
 * (libnl-3).
 *
 * Only the last message of a queue asks for an acknowledgement (RFC 3549 2.3.2.2): the kernel
 * works through a datagram in order and reports every refusal by its sequence number, so one
 * answer tells about all. For nf_tables the frames around a batch are never acknowledged, and a
 * refusal of one of them ends the batch.
 *
 * Invariants: count == 0 exactly when size == 0; entries[i] describes sequence first + i; `error`
 * keeps the first refusal and is never overwritten.
 */
#include "netlink.h"

#include "../../speaker/base/addr.h"
#include "../../speaker/base/arena.h"
#include "step.h"

#include <errno.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_BYTES 65536u
#define ANSWER_TIMEOUT_S 10

bool netlink_open(struct netlink *nl, int protocol) {
    const int on = 1;
    const struct timeval timeout = {.tv_sec = ANSWER_TIMEOUT_S};

    memset(nl, 0, sizeof(*nl));
    nl->fd = -1;
    if (!step_ok())
        return false;
    nl->queue = alloc_zero(1, NETLINK_QUEUE_BYTES_MAX);
    if (nl->queue == NULL) {
        errno = ENOMEM;
        return false;
    }
    nl->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (nl->fd < 0) {
        netlink_close(nl);
        return false;
    }
    /* Best effort: they only make refusals shorter and say more. */
    (void)setsockopt(nl->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
    (void)setsockopt(nl->fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
    (void)setsockopt(nl->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    return true;
}

void netlink_close(struct netlink *nl) {
    int saved = errno;

    if (nl->fd >= 0)
        close(nl->fd);
    nl->fd = -1;
    alloc_free(nl->queue);
    nl->queue = NULL;
    nl->count = nl->size = 0;
    errno = saved;
}

/* ---- building a request ---- */

struct request request_new(uint16_t type, uint16_t flags, const void *header, size_t header_size) {
    struct request r = {.message = nlmsg_alloc_size(2048)};

    r.failed = r.message == NULL;
    if (!r.failed)
        r.failed = nlmsg_put(r.message, 0, 0, type, 0, flags) == NULL;
    request_append(&r, header, header_size);
    return r;
}

void request_append(struct request *r, const void *data, size_t size) {
    if (!r->failed) {
        void *copy = nlmsg_reserve(r->message, size, NLMSG_ALIGNTO);
        r->failed = copy == NULL;
        if (copy != NULL)
            memcpy(copy, data, size);
    }
}

void request_put(struct request *r, int attribute, const void *data, size_t size) {
    if (!r->failed)
        r->failed = nla_put(r->message, attribute, (int)size, data) < 0;
}

void request_put_u8(struct request *r, int attribute, uint8_t v) {
    request_put(r, attribute, &v, sizeof(v));
}

void request_put_u32(struct request *r, int attribute, uint32_t v) {
    request_put(r, attribute, &v, sizeof(v));
}

void request_put_be32(struct request *r, int attribute, uint32_t v) {
    uint8_t bytes[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

    request_put(r, attribute, bytes, sizeof(bytes));
}

void request_put_text(struct request *r, int attribute, const char *text) {
    request_put(r, attribute, text, strlen(text) + 1);
}

void request_put_addr(struct request *r, int attribute, const struct ip_addr *a) {
    request_put(r, attribute, a->bytes, ip_size((enum ip_family)a->family));
}

struct nlattr *request_nest(struct request *r, int attribute) {
    struct nlattr *nest = NULL;

    if (!r->failed) {
        nest = nla_nest_start(r->message, attribute | NLA_F_NESTED);
        r->failed = nest == NULL;
    }
    return nest;
}

void request_end(struct request *r, struct nlattr *nest) {
    /* Not nla_nest_end: that one drops empty nests, and an empty one means something here. */
    if (!r->failed)
        nest->nla_len = (uint16_t)((uint8_t *)nlmsg_tail(nlmsg_hdr(r->message)) - (uint8_t *)nest);
}

void request_free(struct request *r) {
    nlmsg_free(r->message);
    r->message = NULL;
}

/* ---- the queue ---- */

static void keep_error(struct netlink *nl, int error, const char *what, const char *text) {
    if (nl->error != 0)
        return;
    nl->error = error;
    nl->error_what = what;
    snprintf(nl->error_text, sizeof(nl->error_text), "%s", text == NULL ? "" : text);
}

bool netlink_queue(struct netlink *nl, struct request *r, struct netlink_entry entry) {
    struct nlmsghdr *h;
    size_t size;

    if (r->failed) {
        keep_error(nl, ENOMEM, entry.what, NULL);
        request_free(r);
        return false;
    }
    h = nlmsg_hdr(r->message);
    size = NLMSG_ALIGN(h->nlmsg_len);
    if (nl->count == NETLINK_QUEUE_COUNT_MAX || nl->size + size > NETLINK_QUEUE_BYTES_MAX)
        (void)netlink_flush(nl);
    if (nl->count == 0)
        nl->first = nl->sequence + 1;
    h->nlmsg_seq = ++nl->sequence;
    h->nlmsg_flags |= NLM_F_REQUEST;
    memset(nl->queue + nl->size, 0, size);
    memcpy(nl->queue + nl->size, h, h->nlmsg_len);
    nl->size += size;
    nl->entries[nl->count++] = entry;
    request_free(r);
    return nl->error == 0;
}

/* Asks for an acknowledgement of the last message that can have one; its sequence, 0: none. */
static uint32_t request_ack(struct netlink *nl) {
    uint32_t last = 0;
    size_t at = 0, index = 0;
    struct nlmsghdr *h, *chosen = NULL;

    while (at < nl->size) {
        h = (struct nlmsghdr *)(void *)(nl->queue + at);
        if (!nl->entries[index].framing) {
            chosen = h;
            last = h->nlmsg_seq;
        }
        at += NLMSG_ALIGN(h->nlmsg_len);
        index++;
    }
    if (chosen != NULL)
        chosen->nlmsg_flags |= NLM_F_ACK;
    return last;
}

static const char *refusal_text(const struct nlmsghdr *h) {
    const size_t head = NLMSG_HDRLEN + sizeof(struct nlmsgerr);
    const struct nlattr *a;

    if ((h->nlmsg_flags & NLM_F_ACK_TLVS) == 0 || (h->nlmsg_flags & NLM_F_CAPPED) == 0 ||
        h->nlmsg_len <= head)
        return NULL;
    a = nla_find((const struct nlattr *)(const void *)((const uint8_t *)h + head),
                 (int)(h->nlmsg_len - head), NLMSGERR_ATTR_MSG);
    return a == NULL ? NULL : nla_get_string(a);
}

/* Takes one answer. True: it was the one that ends the batch. */
static bool take_answer(struct netlink *nl, const struct nlmsghdr *h, uint32_t last) {
    const struct nlmsgerr *e = (const void *)((const char *)h + NLMSG_HDRLEN);
    uint32_t index = h->nlmsg_seq - nl->first;
    bool framing = false;

    if (h->nlmsg_type != NLMSG_ERROR || h->nlmsg_len < NLMSG_LENGTH(sizeof(*e)))
        return false;
    if (index >= nl->count)
        return false; /* of an older batch that timed out */
    framing = nl->entries[index].framing;
    if (e->error != 0 && -e->error != nl->entries[index].tolerated)
        keep_error(nl, -e->error, nl->entries[index].what, refusal_text(h));
    return h->nlmsg_seq == last || (framing && e->error != 0);
}

static void read_answers(struct netlink *nl, uint32_t last) {
    static _Thread_local _Alignas(struct nlmsghdr) uint8_t buffer[ANSWER_BYTES];
    bool done = false;

    while (!done) {
        ssize_t got = recv(nl->fd, buffer, sizeof(buffer), 0);
        int left;
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            keep_error(nl, got < 0 ? errno : EPIPE, "wait for the kernel's answer", NULL);
            return;
        }
        left = (int)got;
        for (struct nlmsghdr *h = (void *)buffer; nlmsg_ok(h, left); h = nlmsg_next(h, &left))
            done = take_answer(nl, h, last) || done;
    }
}

bool netlink_flush(struct netlink *nl) {
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    uint32_t last;

    if (nl->count == 0)
        return nl->error == 0;
    last = request_ack(nl);
    if (!step_ok() || sendto(nl->fd, nl->queue, nl->size, 0, (const struct sockaddr *)&kernel,
                             sizeof(kernel)) < 0)
        keep_error(nl, errno, nl->entries[0].what, NULL);
    else
        read_answers(nl, last);
    nl->count = nl->size = 0;
    return nl->error == 0;
}

/* ---- dumps ---- */

/* 1: more to come, 0: complete, negative errno. */
static int take_dump_part(const struct nlmsghdr *h, uint32_t sequence, bool *interrupted,
                          netlink_each_fn *each, void *context) {
    if (h->nlmsg_seq != sequence)
        return 1;
    if ((h->nlmsg_flags & NLM_F_DUMP_INTR) != 0)
        *interrupted = true;
    if (h->nlmsg_type == NLMSG_ERROR) {
        const struct nlmsgerr *e = (const void *)((const char *)h + NLMSG_HDRLEN);
        return h->nlmsg_len < NLMSG_LENGTH(sizeof(*e)) ? -EPROTO : e->error;
    }
    if (h->nlmsg_type == NLMSG_DONE)
        return *interrupted ? -EINTR : 0;
    each(context, h);
    return (h->nlmsg_flags & NLM_F_MULTI) != 0 ? 1 : 0;
}

static int read_dump(struct netlink *nl, uint32_t sequence, netlink_each_fn *each, void *context) {
    static _Thread_local _Alignas(struct nlmsghdr) uint8_t buffer[ANSWER_BYTES];
    bool interrupted = false;
    int state = 1;

    while (state > 0) {
        ssize_t got = recv(nl->fd, buffer, sizeof(buffer), 0);
        int left;
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : -EPIPE;
        left = (int)got;
        for (struct nlmsghdr *h = (void *)buffer; state > 0 && nlmsg_ok(h, left);
             h = nlmsg_next(h, &left))
            state = take_dump_part(h, sequence, &interrupted, each, context);
    }
    return state;
}

int netlink_dump(struct netlink *nl, struct request *r, netlink_each_fn *each, void *context) {
    struct nlmsghdr *h;
    ssize_t sent;

    if (r->failed) {
        request_free(r);
        return -ENOMEM;
    }
    h = nlmsg_hdr(r->message);
    h->nlmsg_seq = ++nl->sequence;
    h->nlmsg_flags |= NLM_F_REQUEST;
    sent = send(nl->fd, h, h->nlmsg_len, 0);
    request_free(r);
    if (sent < 0)
        return -errno;
    return read_dump(nl, nl->sequence, each, context);
}
