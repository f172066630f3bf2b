/*
 * Any bytes as a configuration, then as commands: nothing may crash, hang or be lost, and what the
 * router prints must load back to what it prints.
 */
#include "ios.h"

#include "../base/arena.h"
#include "../base/diag.h"
#include "../base/fuzz.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const COMMANDS[] = {
    "show running-config",
    "show ip bgp summary",
    "show route-map",
    "show ip prefix-list",
    "show ip route",
    "show running | i bgp",
    "show access-lists",
    "show interfaces",
    "show interfaces description",
    "show hosts",
    "show ip route summary",
    "show ip community-list",
    "show ip as-path-access-list",
    "show ip interface brief",
};

static struct ios_router *router(void) {
    struct ios_interface i = {.name = "GigabitEthernet0/0", .length = 24, .up = true};
    i.addr = ip4(0x0A000001);
    struct ios_env env = {.hostname = "R1", .interfaces = &i, .interface_count = 1};
    struct ios_router *r = ios_router_new(&env);
    assert(r);
    return r;
}

static char *printed(struct ios_router *r) {
    struct ios_view view = {.wall_ms = 0};
    struct text out;
    text_init(&out);
    ios_exec(r, &view, "show running-config", &out);
    char *text = text_take(&out);
    assert(text);
    return text;
}

/* The first 200 bytes' lines again as typed, on a terminal and as exec commands. */
static void type_lines(struct ios_router *r, const uint8_t *data, size_t size) {
    struct ios_view view = {.wall_ms = 0};
    struct text out;
    char line[201];
    size_t count = size < 200 ? size : 200;
    text_init(&out);
    for (size_t i = 0, at = 0; i <= count; i++) {
        if (i < count && data[i] != '\n' && data[i] != '\0') {
            line[at++] = (char)data[i];
            continue;
        }
        line[at] = '\0';
        ios_exec(r, &view, line, &out);
        ios_config_line(r, line, &out);
        ios_terminal_line(r, &view, line, &out);
        at = 0;
    }
    for (size_t i = 0; i < sizeof COMMANDS / sizeof *COMMANDS; i++)
        ios_exec(r, &view, COMMANDS[i], &out);
    text_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct ios_router *first = router(), *second = router();
    struct diag_list *diags = diag_list_new();
    assert(diags);
    bool loaded = ios_load(first, (const char *)data, size, "fuzz", size % 2 == 0, diags);
    assert(loaded);
    (void)ios_bgp_config(first, diags);
    char *once = printed(first);
    loaded = ios_load(second, once, strlen(once), "again", false, diags);
    assert(loaded);
    char *twice = printed(second);
    if (strcmp(once, twice) != 0) {
        fprintf(stderr, "--- printed\n%s--- loaded and printed\n%s", once, twice);
        abort();
    }
    type_lines(first, data, size);
    alloc_free(once);
    alloc_free(twice);
    diag_list_free(diags);
    ios_router_free(first);
    ios_router_free(second);
    return 0;
}

static const struct fuzz_seed seeds[] = {
    FUZZ_SEED("hostname R1\n!\nrouter bgp 65000\n neighbor 10.0.0.2 remote-as 65001\n!\nend\n"),
};
static const char *const words[] = {
    " no ",       "\nexit\n", " 0 ",  " permit ", "neighbor ",
    "\nbgp ",     "<",        "!",    "|",        "banner motd #",
    " match ",    " set ",    "\r\n", "\x03",     "default ",
    "4294967295", "::",       "/33",  " in",      "no router bgp",
};

FUZZ_MAIN_WORDS(seeds, words)
