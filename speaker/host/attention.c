/*
 * When the kernel's changes are listened to, and when they are looked up afterwards.
 *
 * Owns the memberships of the monitor's socket. The kernel keeps the sockets that listen to any of
 * rtnetlink's groups in one list for all namespaces, and walks it for every route that anybody
 * writes: with a thousand listeners a route costs 15 us more than with none, with four thousand
 * 100 us. A lab of a thousand speakers writes a million routes.
 *
 * So in a lab of many nodes nobody listens while routes are written in bulk. Whoever writes says so
 * on the scoreboard, as a time until which the rush lasts (it ends by itself when the writer dies).
 * When it is over, each speaker listens again and looks once at what stands in the kernel: nothing
 * that changed meanwhile is missed, it is noticed later. A rush that does not end is
 * interrupted by looks at an interval that grows with the lab, so that they cost a share of its
 * time and no more.
 *
 * Alone, and in a lab of fewer nodes, a speaker always listens.
 */
#include "attention.h"

#include "board.h"
#include "host.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#define NODES_MIN 128u /* of a lab in which listening is too dear */
#define ROUTES_MIN 64u /* written at once: a rush begins */
#define RUSH_MS 500u   /* it lasts so long after the last write */
#define LOOK_MS 20u    /* per node: between two looks */

#define GROUPS                                                                                     \
    (RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE)

/* Binding once more changes all memberships in one step. */
static bool listen_to(const struct attention *a, uint32_t groups) {
    struct sockaddr_nl at = {.nl_family = AF_NETLINK, .nl_pid = a->port, .nl_groups = groups};
    return bind(a->fd, (const struct sockaddr *)&at, sizeof at) == 0;
}

static bool is_large(const struct attention *a) {
    return board_slots(a->host->board) >= NODES_MIN;
}

static bool pay(struct attention *a) {
    if (!listen_to(a, GROUPS))
        return false;
    a->paying = true;
    a->look_at = NANOTIME_NEVER;
    board_listening(a->host->board, true);
    return true;
}

/* Some time after the rush, and not all at the same. */
static struct nanotime look_time(const struct attention *a, struct nanotime now) {
    struct nanotime until = board_rush_until(a->host->board);
    struct nanotime latest = nanotime_add_ms(now, RUSH_MS);
    uint32_t nodes = board_slots(a->host->board), spread_ms = nodes / 2 + 1;
    if (nanotime_before(until, now))
        until = now;
    if (nanotime_before(latest, until))
        until = latest;
    return nanotime_add_ms(until, a->host->options.slot * UINT32_C(7919) % spread_ms);
}

static void stop_paying(struct attention *a, struct nanotime now) {
    (void)listen_to(a, 0);
    a->paying = false;
    a->looked = now;
    a->look_at = look_time(a, now);
    board_listening(a->host->board, false);
}

bool attention_begin(struct attention *a, struct host *h, int fd) {
    struct sockaddr_nl at = {.nl_family = AF_NETLINK};
    socklen_t size = sizeof at;
    *a = (struct attention){.host = h, .fd = fd};
    if (getsockname(fd, (struct sockaddr *)&at, &size) != 0)
        return false;
    a->port = at.nl_pid;
    if (!is_large(a))
        return pay(a);
    board_rush(h->board, nanotime_add_ms(loop_now(), RUSH_MS));
    stop_paying(a, loop_now());
    return true;
}

enum attention_turn attention_rush(struct attention *a, uint32_t routes) {
    struct nanotime now;
    if (!is_large(a) || (a->paying && routes < ROUTES_MIN))
        return ATTENTION_AS_BEFORE;
    now = loop_now();
    board_rush(a->host->board, nanotime_add_ms(now, RUSH_MS));
    if (!a->paying)
        return ATTENTION_AS_BEFORE;
    stop_paying(a, now);
    return ATTENTION_LOOK;
}

enum attention_turn attention_advance(struct attention *a, struct nanotime now) {
    if (a->paying || nanotime_before(now, a->look_at))
        return ATTENTION_AS_BEFORE;
    if (!nanotime_before(now, board_rush_until(a->host->board)) && pay(a))
        return ATTENTION_LOOK;
    a->look_at = look_time(a, now);
    if (nanotime_before(
            now, nanotime_add_ms(a->looked, (uint64_t)LOOK_MS * board_slots(a->host->board))))
        return ATTENTION_AS_BEFORE;
    a->looked = now;
    return ATTENTION_LOOK;
}

struct nanotime attention_next_deadline(const struct attention *a) {
    return a->paying ? NANOTIME_NEVER : a->look_at;
}
