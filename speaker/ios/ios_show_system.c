/*
 * The router itself: version, clock, log buffer, terminals.
 *
 * Owns: the layouts of 15.7 on IOSv. What a real chassis has and a mock has not (serial number,
 * processor board, flash) is not made up, but for the lines that clients read: version, uptime,
 * image, configuration register.
 */
#include "ios_editor.h"
#include "ios_log.h"
#include "ios_show.h"
#include "ios_time.h"

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

/* Names are not looked up, so there are none. */
bool ios_show_hosts(struct ios_edit *e) {
    const struct ios_stmt *domain = ios_block_first(e->r->root, "ip", "domain-name", NULL);
    text_printf(e->sink->out, "Default domain is %s\n",
                domain && !domain->negated ? ios_stmt_word(domain, 2) : "not set");
    text_puts(e->sink->out, "Name/address lookup uses static mappings\n\n"
                            "Codes: UN - unknown, EX - expired, OK - OK, ?? - revalidate\n"
                            "       temp - temporary, perm - permanent\n"
                            "       NA - Not Applicable None - Not defined\n\n"
                            "Host                      Port  Flags      Age Type   Address(es)\n");
    return false;
}

bool ios_show_privilege(struct ios_edit *e) {
    const struct ios_terminal *t = e->r->terminal;
    text_printf(e->sink->out, "Current privilege level is %u\n", t ? t->privilege : 15);
    return false;
}

/* Nothing is ever traced. */
bool ios_show_undebug(struct ios_edit *e) {
    text_puts(e->sink->out, "All possible debugging has been turned off\n");
    return false;
}

bool ios_show_write(struct ios_edit *e) {
    text_puts(e->sink->out, "Building configuration...\n[OK]\n");
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
