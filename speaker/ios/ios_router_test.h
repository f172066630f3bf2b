#ifndef RIBCAGE_IOS_ROUTER_TEST_H
#define RIBCAGE_IOS_ROUTER_TEST_H

#include "ios.h"

#include "../base/diag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* R1, 10.0.0.1/24 on GigabitEthernet0/0, with a configuration of which nothing is refused. */
static inline struct ios_router *ios_router_of(const char *text) {
    const struct ios_interface i = {
        .name = "GigabitEthernet0/0", .addr = ip4(0x0A000001), .length = 24, .up = true};
    const struct ios_env env = {.hostname = "R1", .interfaces = &i, .interface_count = 1};
    struct ios_router *r = ios_router_new(&env);
    struct diag_list *d = diag_list_new();
    assert_non_null(r);
    assert_true(ios_load(r, text, strlen(text), "t.ios", false, d));
    assert_int_equal(diag_error_count(d), 0);
    diag_list_free(d);
    return r;
}

#endif
