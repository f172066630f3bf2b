#ifndef RIBCAGE_NETLINK_H
#define RIBCAGE_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ip_addr;
struct nl_msg;
struct nlmsghdr;

/*
 * A netlink socket with a queue of requests. Messages are built with libnl-3 and sent many at a
 * time with one acknowledgement; the first refusal of a batch is kept with the words of its
 * request.
 */

#define NETLINK_QUEUE_BYTES_MAX 32768u
#define NETLINK_QUEUE_COUNT_MAX 128u

struct netlink_entry {
    const char *what; /* static text: "add an address" */
    int tolerated;    /* an errno that is fine for this request; 0: none */
    bool framing;     /* never acknowledged: the begin and end of an nf_tables batch */
};

struct netlink {
    int fd; /* -1: closed */
    uint32_t sequence;
    uint32_t first; /* sequence of entries[0] */
    size_t count, size;
    uint8_t *queue;
    struct netlink_entry entries[NETLINK_QUEUE_COUNT_MAX];
    int error; /* errno of the first refusal since netlink_open; 0: none */
    const char *error_what;
    char error_text[128]; /* the kernel's own words (NLMSGERR_ATTR_MSG) */
};

/* In the calling thread's network namespace. False: errno. */
bool netlink_open(struct netlink *nl, int protocol);
void netlink_close(struct netlink *nl);

/* One request while it is built; failure (no memory) is sticky and comes out in netlink_queue. */
struct request {
    struct nl_msg *message; /* NULL: failed */
    bool failed;
};
struct request request_new(uint16_t type, uint16_t flags, const void *header, size_t header_size);
void request_put(struct request *r, int attribute, const void *data, size_t size);
void request_put_u8(struct request *r, int attribute, uint8_t v);
void request_put_u32(struct request *r, int attribute, uint32_t v);
void request_put_be32(struct request *r, int attribute, uint32_t v);
void request_put_text(struct request *r, int attribute, const char *text);
void request_put_addr(struct request *r, int attribute, const struct ip_addr *a);
/* Returns the nest to hand to request_end. */
struct nlattr *request_nest(struct request *r, int attribute);
void request_end(struct request *r, struct nlattr *nest);
/* Bytes without an attribute header: the ifinfomsg inside VETH_INFO_PEER. */
void request_append(struct request *r, const void *data, size_t size);
void request_free(struct request *r);

/* Takes the request. Sends the queue first when it is full. False: something was refused. */
bool netlink_queue(struct netlink *nl, struct request *r, struct netlink_entry entry);
/* Sends what is queued and waits for the kernel's word. False: refused, see `error`. */
bool netlink_flush(struct netlink *nl);

/* Sends a dump request (taken) and calls `each` for every answer. 0 or a negative errno. */
typedef void netlink_each_fn(void *context, const struct nlmsghdr *message);
int netlink_dump(struct netlink *nl, struct request *r, netlink_each_fn *each, void *context);

#endif
