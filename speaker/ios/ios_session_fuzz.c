/*
 * Any octets typed on two terminals of one router with a running speaker: nothing may crash or
 * hang, every session goes on or is over, and the configuration that is left still prints and loads
 * to itself. The first octet chooses the lines; a letter types the rest, itself included, where
 * configurations are pasted, so that every running-config is an input too.
 */
#include "ios_session.h"

#include "../base/arena.h"
#include "../base/diag.h"
#include "../base/fuzz.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char CONFIG[] = "hostname R1\n"
                             "enable password e\n"
                             "username u privilege 15 password p\n"
                             "router bgp 64512\n"
                             " bgp router-id 10.0.0.1\n"
                             " network 10.1.0.0 mask 255.255.0.0\n"
                             " neighbor G peer-group\n"
                             " neighbor G remote-as 64512\n"
                             " neighbor 10.0.0.2 peer-group G\n"
                             " neighbor 10.0.0.3 remote-as 1\n"
                             "ip route 10.1.0.0 255.255.0.0 Null0\n"
                             "ip prefix-list P permit 10.0.0.0/8 le 32\n"
                             "ip community-list 1 permit 1:2\n"
                             "ip as-path access-list 1 permit ^$\n"
                             "route-map M permit 10\n"
                             " match ip address prefix-list P\n"
                             "logging host 10.0.0.9\n"
                             "line vty 0 1\n login local\n transport input telnet\n"
                             "line vty 2\n no login\n privilege level 15\n length 5\n"
                             "line vty 3\n login\n";

static const char PASTE[] = "terminal length 0\rconfigure terminal\r";

struct world {
    struct ios_router *r;
    struct bgp_speaker *speaker;
    struct ios_view view;
    struct text log;
};

/* What the host does after a line. */
static void settle(struct world *w) {
    struct bgp_event e;
    (void)ios_take_request(w->r);
    ios_take_log(w->r, &w->log);
    if (ios_config_pending(w->r)) {
        struct diag_list *diags = diag_list_new();
        const struct bgp_config *c = ios_bgp_config(w->r, diags);
        if (c && bgp_config_check(c, "fuzz", diags)) {
            bgp_speaker_free(w->speaker);
            struct bgp_env env = {.seed = 1};
            w->speaker = bgp_speaker_new(c, &env, w->view.now);
            assert(w->speaker);
            bgp_advance(w->speaker, w->view.now);
        }
        diag_list_free(diags);
    }
    while (w->speaker && bgp_next_event(w->speaker, &e))
        continue;
    w->view.speaker = w->speaker;
    w->view.now = nanotime_add_ms(w->view.now, 100);
}

static void type(struct world *w, struct ios_session *s, const uint8_t *data, size_t size) {
    for (size_t at = 0; at < size;) {
        size_t took = ios_session_input(s, w->r, &w->view, (const char *)data + at, size - at);
        assert(took > 0 && took <= size - at);
        at += took;
        settle(w);
        assert(!ios_session_output(s)->failed);
        text_clear(ios_session_output(s));
    }
}

static char *printed(struct world *w, struct ios_router *r) {
    struct text out;
    text_init(&out);
    (void)ios_exec(r, &w->view, "show running-config", &out);
    char *text = text_take(&out);
    assert(text);
    return text;
}

static struct ios_router *router(const char *config) {
    struct ios_interface i = {.name = "GigabitEthernet0/0", .length = 24, .up = true};
    i.addr = ip4(0x0A000001);
    struct ios_env env = {.hostname = "R1", .interfaces = &i, .interface_count = 1};
    struct diag_list *diags = diag_list_new();
    struct ios_router *r = ios_router_new(&env);
    assert(r && diags);
    bool loaded = ios_load(r, config, strlen(config), "fuzz", false, diags);
    assert(loaded);
    diag_list_free(diags);
    return r;
}

static void check_configuration(struct world *w) {
    char *once = printed(w, w->r);
    struct ios_router *again = router(once);
    char *twice = printed(w, again);
    assert(strcmp(once, twice) == 0);
    alloc_free(once);
    alloc_free(twice);
    ios_router_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct world w = {.r = router(CONFIG), .view = {.now = {NANOS_PER_S}, .log = &w.log}};
    uint8_t kind = size ? data[0] : 0;
    text_init(&w.log);
    settle(&w);
    struct ios_session *a = ios_session_new(w.r, &w.view, (kind & 1) != 0, kind >> 2 & 3, "");
    struct ios_session *b = ios_session_new(w.r, &w.view, false, 2, "10.0.0.9");
    assert(a && b);
    size_t half = kind & 2 ? size / 2 : size;
    if (kind & 0x40) {
        type(&w, b, (const uint8_t *)PASTE, sizeof PASTE - 1);
        type(&w, b, data, size);
    } else if (size > 1) {
        type(&w, a, data + 1, half > 1 ? half - 1 : 0);
        ios_session_log(b, w.r, text_str(&w.log));
        type(&w, b, data + half, size - half);
    }
    ios_session_advance(a, w.r, ios_session_deadline(a));
    assert(ios_session_ended(a) || nanotime_is_never(ios_session_deadline(a)));
    ios_session_free(a, w.r);
    ios_session_free(b, w.r);
    check_configuration(&w);
    bgp_speaker_free(w.speaker);
    text_deinit(&w.log);
    ios_router_free(w.r);
    return 0;
}

static const struct fuzz_seed seeds[] = {
    FUZZ_SEED("\001en\re\rconf t\rrouter bgp 64512\rneighbor 10.0.0.4 remote-as 2\rend\r"),
    FUZZ_SEED("\010show ip bgp ?\rshow ip route | include B\r conf t\rno route-map M\r\032"),
};
static const char *const words[] = {
    "\r",
    "\r\n",
    "\t",
    "?",
    "\003",
    "\032",
    "\033[A",
    "\025",
    " | ",
    "show ",
    "ip bgp ",
    "conf t\r",
    "end\r",
    "no ",
    "do ",
    "exit\r",
    "\377\375\001",
    "\377\372\037",
    "enable\re\r",
    "u\rp\r",
    "summary\r",
    "neighbors ",
    "policy\r",
    "paths ",
    "rib-failure\r",
    "inconsistent-as\r",
    "template peer-policy\r",
    "all\r",
    "longer-prefixes\r",
    "access-lists\r",
    "interfaces ",
    "| redirect flash:\r",
    "hosts\r",
    "banner exec #",
    "route ",
    "regexp ",
    "community ",
    "update-group\r",
    "peer-group\r",
    "terminal length 3\r",
    "default ",
    "router bgp 64512\r",
};

FUZZ_MAIN_WORDS(seeds, words)
