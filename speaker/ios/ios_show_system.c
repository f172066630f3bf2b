/*
 * The router itself: version, clock, log buffer, interfaces, terminals, TCP.
 *
 * Owns: the layouts of 15.7 on IOSv. What a real chassis has and a mock has not (serial number,
 * processor board, flash) is not made up, but for the lines that clients read: version, uptime,
 * image, configuration register.
 */
#include "ios_editor.h"
#include "ios_log.h"
#include "ios_show.h"
#include "ios_time.h"

#include "../base/hash.h"

#include <stdio.h>
#include <string.h>

bool ios_show_config(struct ios_edit *e) {
    ios_print_config(e->r, e->sink->view, e->sink->out);
    return false;
}

bool ios_show_version(struct ios_edit *e) {
    struct text *out = e->sink->out;
    const struct ios_view *view = e->sink->view;
    text_puts(out, "Cisco IOS Software, IOSv Software (VIOS-ADVENTERPRISEK9-M), Version "
                   "15.7(3)M3, RELEASE SOFTWARE (fc2)\n"
                   "Technical Support: http://www.cisco.com/techsupport\n\n\n"
                   "ROM: Bootstrap program is IOSv\n\n");
    text_printf(out, "%s uptime is ", ios_hostname(e->r));
    ios_time_uptime(nanotime_since(view->now, view->booted), out);
    text_puts(out, "\nSystem returned to ROM by reload\n"
                   "System image file is \"flash0:/vios-adventerprisek9-m\"\n"
                   "Last reload reason: Unknown reason\n\n"
                   "Cisco IOSv (revision 1.0) with  with 484609K/37888K bytes of memory.\n"
                   "DRAM configuration is 72 bits wide with parity disabled.\n\n"
                   "Configuration register is 0x0\n\n");
    return false;
}

bool ios_show_clock(struct ios_edit *e) {
    text_putc(e->sink->out, '*');
    ios_time_clock(e->sink->view->wall_ms, true, e->sink->out);
    text_putc(e->sink->out, '\n');
    return false;
}

bool ios_show_privilege(struct ios_edit *e) {
    const struct ios_terminal *t = e->r->terminal;
    text_printf(e->sink->out, "Current privilege level is %u\n", t ? t->privilege : 15);
    return false;
}

bool ios_show_write(struct ios_edit *e) {
    text_puts(e->sink->out, "Building configuration...\n[OK]\n");
    return false;
}

static void put_interface(const struct ios_interface *i, struct text *out) {
    struct text addr;
    text_init(&addr);
    ios_put_addr(i->addr, &addr);
    text_printf(out, "%-26s %-15s YES manual %-21s %s\n", i->name,
                addr.size ? text_str(&addr) : "unassigned", i->up ? "up" : "administratively down",
                i->up ? "up" : "down");
    text_deinit(&addr);
}

bool ios_show_interfaces(struct ios_edit *e) {
    struct ios_interface own[256];
    size_t count = ios_interfaces(e->r, own, sizeof own / sizeof *own);
    text_puts(e->sink->out, "Interface                  IP-Address      OK? Method Status        "
                            "        Protocol\n");
    if (count > sizeof own / sizeof *own)
        count = sizeof own / sizeof *own;
    for (size_t i = 0; i < count; i++)
        if (own[i].addr.family == IP_V4)
            put_interface(&own[i], e->sink->out);
    for (size_t i = 0; i < e->r->interface_count; i++) {
        bool known = false;
        for (size_t j = 0; j < count; j++)
            known |= strcmp(own[j].name, e->r->interfaces[i].name) == 0;
        if (!known && e->r->interfaces[i].addr.family != IP_V6)
            put_interface(&e->r->interfaces[i], e->sink->out);
    }
    return false;
}

/* ---- terminals ---- */

bool ios_show_history(struct ios_edit *e) {
    const struct ios_terminal *t = e->r->terminal;
    for (uint32_t back = IOS_HISTORY_LINES; t && back > 0; back--) {
        const char *line = ios_history_line(t, back);
        if (line)
            text_printf(e->sink->out, "  %s\n", line);
    }
    return false;
}

/* The console is line 0, the auxiliary port 1, vtys begin at 2. */
static unsigned line_number(const struct ios_terminal *t) {
    uint64_t n = 0;
    bool vty = strncmp(t->name, "vty ", 4) == 0 && text_to_u64(t->name + 4, 0, 999, &n);
    return vty ? (unsigned)n + 2 : 0;
}

bool ios_show_users(struct ios_edit *e) {
    struct text *out = e->sink->out;
    text_puts(out, "    Line       User       Host(s)              Idle       Location\n");
    for (const struct ios_terminal *t = e->r->terminals; t; t = t->next) {
        struct text idle;
        text_init(&idle);
        ios_time_age(nanotime_since(e->sink->view->now, t->active), &idle);
        text_printf(out, "%c%3u %-9s %-10s %-20s %-10s %s\n", t == e->r->terminal ? '*' : ' ',
                    line_number(t), t->name, t->user, "idle", text_str(&idle), t->remote);
        text_deinit(&idle);
    }
    text_puts(out, "\n  Interface    User               Mode         Idle     Peer Address\n\n");
    return false;
}

/* ---- TCP ---- */

/* The control block's address, which tells connections apart: of both ends. */
static unsigned block_address(const struct bgp_peer_info *p) {
    uint64_t seed = (uint64_t)p->local.port << 16 | p->remote.port;
    return (unsigned)hash_bytes(p->config->remote_addr.bytes,
                                ip_bits((enum ip_family)p->config->remote_addr.family) / 8, seed) &
           0x7ffffffcu;
}

static void put_end(struct ip_addr a, uint16_t port, struct text *out) {
    struct text end;
    text_init(&end);
    if (ip_is_set(a))
        ios_put_addr(a, &end);
    else
        text_puts(&end, "0.0.0.0");
    if (port)
        text_printf(&end, ".%u", port);
    else
        text_puts(&end, ".*");
    text_printf(out, "%-27s ", text_str(&end));
    text_deinit(&end);
}

static void put_connection(const struct bgp_peer_info *p, bool listener, struct text *out) {
    struct ip_addr any = {.family = IP_NONE};
    text_printf(out, "%08X  ", block_address(p) + listener);
    if (listener) {
        put_end(any, BGP_PORT, out);
        put_end(p->config->remote_addr, 0, out);
        text_puts(out, "LISTEN\n");
        return;
    }
    put_end(p->local.addr, p->local.port, out);
    put_end(p->remote.addr, p->remote.port, out);
    text_puts(out, "ESTAB\n");
}

bool ios_show_tcp(struct ios_edit *e) {
    const struct bgp_speaker *s = e->sink->view->speaker;
    struct text *out = e->sink->out;
    bool all = strcmp(ios_word(e->words, 3), "all") == 0;
    struct bgp_peer_info p;
    text_puts(out, "TCB       Local Address               Foreign Address             (state)\n");
    for (uint32_t n = 0; s && bgp_peer_at(s, n, &p); n++)
        if (p.state == BGP_ESTABLISHED)
            put_connection(&p, false, out);
    for (uint32_t n = 0; all && s && bgp_peer_at(s, n, &p); n++)
        put_connection(&p, true, out);
    return false;
}
