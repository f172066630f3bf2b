#ifndef RIBCAGE_IOS_LAB_TEST_H
#define RIBCAGE_IOS_LAB_TEST_H

/*
 * Routers made from their configurations, with real speakers, joined by pipes under virtual time.
 * The first one is looked at: its log is kept.
 */

#include "../core/pipe_test.h"
#include "ios.h"

#include "../base/diag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define IOS_LAB_ROUTERS_MAX 4
#define IOS_LAB_WALL_MS UINT64_C(1597874341079) /* Aug 19 2020 21:59:01.079 */

struct ios_lab {
    struct pipe_world world;
    struct ios_router *routers[IOS_LAB_ROUTERS_MAX];
    struct text log;
    ios_tcp_fn *tcp; /* may be NULL */
};

PIPE_UNUSED static struct ios_view ios_lab_view(const struct ios_lab *l) {
    return (struct ios_view){.speaker = l->world.nodes[0].speaker,
                             .now = l->world.now,
                             .wall_ms = IOS_LAB_WALL_MS,
                             .booted = {NANOS_PER_S},
                             .log = &l->log,
                             .tcp = l->tcp};
}

static void ios_lab_event(struct pipe_node *n, const struct bgp_event *e, struct nanotime now) {
    struct ios_lab *l = n->context;
    struct ios_view view = ios_lab_view(l);
    view.speaker = n->speaker;
    view.now = now;
    ios_log_event(l->routers[0], &view, e, &l->log);
}

PIPE_UNUSED static void ios_lab_init(struct ios_lab *l) {
    memset(l, 0, sizeof *l);
    text_init(&l->log);
    pipe_init(&l->world, 1);
}

/* A router with `address` on GigabitEthernet0/0. Nothing of its configuration may be refused. */
PIPE_UNUSED static void ios_lab_add(struct ios_lab *l, uint32_t address, const char *config) {
    const uint32_t index = l->world.node_count;
    const struct ios_interface i = {
        .name = "GigabitEthernet0/0", .addr = ip4(address), .length = 24, .up = true};
    const struct ios_env env = {.hostname = "R", .interfaces = &i, .interface_count = 1};
    const struct bgp_env speaker_env = {.seed = index + 1};
    struct diag_list *d = diag_list_new();
    assert_true(index < IOS_LAB_ROUTERS_MAX);
    l->routers[index] = ios_router_new(&env);
    assert_non_null(l->routers[index]);
    assert_true(ios_load(l->routers[index], config, strlen(config), "lab", false, d));
    pipe_add(&l->world, ios_bgp_config(l->routers[index], d), &speaker_env);
    assert_int_equal(diag_error_count(d), 0);
    diag_list_free(d);
    l->world.nodes[0].on_event = ios_lab_event;
    l->world.nodes[0].context = l;
}

/* What the first router prints; the text is cleared before. */
PIPE_UNUSED static const char *ios_lab_show(struct ios_lab *l, const char *command,
                                            struct text *out) {
    const struct ios_view view = ios_lab_view(l);
    text_clear(out);
    (void)ios_exec(l->routers[0], &view, command, out);
    return text_str(out);
}

PIPE_UNUSED static void ios_lab_free(struct ios_lab *l) {
    pipe_free(&l->world);
    text_deinit(&l->log);
    for (size_t i = 0; i < IOS_LAB_ROUTERS_MAX; i++)
        ios_router_free(l->routers[i]);
}

#endif
