/*
 * BIRD: the show commands of birdcl that Calico's users type.
 *
 * Owns the words and the layout of `show protocols [all] [NAME]` and `show status`; `show route` is
 * exec_route.c's. The layout is BIRD 1.6's: header, `%-8s %-8s %-8s %-5s  %-10s  %s`, and `%-14s`
 * for the BGP state. Only BGP protocols are shown. What cannot be known here is shown as "-".
 */
#include "exec.h"

#include "../base/text.h"
#include "host.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define EXEC_WORDS_MAX 16
#define EXEC_LINE_MAX 512

/* ---- time ---- */

static time_t wall_of(unsigned long long ns) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    unsigned long long ago = loop_now().ns > ns ? (loop_now().ns - ns) / NANOS_PER_S : 0;
    return now.tv_sec - (time_t)ago;
}

void exec_since(struct host *h, unsigned long long ns, char text[16]) {
    struct tm then, today;
    time_t at = wall_of(ns), now = time(NULL);
    (void)h;
    gmtime_r(&at, &then);
    gmtime_r(&now, &today);
    bool same = then.tm_yday == today.tm_yday && then.tm_year == today.tm_year;
    strftime(text, 16, same ? "%H:%M:%S" : "%Y-%m-%d", &then);
}

static void put_time(struct text *out, const char *label, unsigned long long ns) {
    char text[32];
    struct tm then;
    time_t at = wall_of(ns);
    gmtime_r(&at, &then);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &then);
    text_printf(out, "%s %s\n", label, text);
}

/* ---- show status ---- */

static void show_status(struct host *h, struct text *out) {
    char id[IP_ADDR_TEXT_MAX];
    text_printf(out, "Ribcage " RIBCAGE_VERSION "\n");
    if (h->speaker)
        text_printf(out, "Router ID is %s\n", ip_format(bgp_config_of(h->speaker)->router_id, id));
    put_time(out, "Current server time is", loop_now().ns);
    put_time(out, "Last reboot on", h->started.ns);
    put_time(out, "Last reconfiguration on", h->configured.ns);
    text_puts(out, h->stopping ? "Shutdown in progress\n" : "Daemon is up and running\n");
}

/* ---- show protocols ---- */

static const char *protocol_state(const struct bgp_peer_info *p) {
    if (p->admin_down)
        return "down";
    return p->state == BGP_ESTABLISHED ? "up" : "start";
}

/* BIRD: a passive session without a connection is "Passive"; one that waits for the lock "Idle". */
static const char *info_state(const struct bgp_peer_info *p) {
    bool waits_for_call = p->state == BGP_IDLE || p->state == BGP_ACTIVE;
    if (p->admin_down)
        return "";
    if (p->waiting_for_lock)
        return "Idle";
    if (p->config->options->passive && waits_for_call)
        return "Passive";
    return bgp_state_name(p->state);
}

static void protocol_line(struct host *h, const struct bgp_peer_info *p, struct text *out) {
    char since[16], line[EXEC_LINE_MAX], info[128];
    exec_since(h, p->since.ns, since);
    snprintf(info, sizeof info, "%-14s%s", info_state(p), p->last_error ? p->last_error : "");
    snprintf(line, sizeof line, "%-8s %-8s %-8s %-5s  %-10s  %s\n", p->config->name, "BGP",
             "master", protocol_state(p), since, p->admin_down ? "" : info);
    text_puts(out, line);
}

static void put_timers(const struct bgp_peer_info *p, struct text *out) {
    char local[IP_ADDR_TEXT_MAX], id[IP_ADDR_TEXT_MAX];
    text_printf(out, "    Neighbor ID:      %s\n", ip_format(ip4(p->remote_id), id));
    text_printf(out, "    Neighbor caps:   %s%s%s%s\n", p->refresh ? " refresh" : "",
                p->enhanced_refresh ? " enhanced-refresh" : "",
                p->graceful_restart ? " restart-aware" : "", p->as4 ? " AS4" : "");
    text_printf(out, "    Source address:   %s\n", ip_format(p->local.addr, local));
    text_printf(out, "    Hold timer:       -/%u\n", p->hold_time_s);
    text_printf(out, "    Keepalive timer:  -/%u\n", p->keepalive_s);
}

static void put_session(const struct bgp_config *c, const struct bgp_peer_info *p,
                        struct text *out) {
    uint32_t local_as = p->config->options->local_as ? p->config->options->local_as : c->local_as;
    bool internal = local_as == p->config->remote_as;
    text_printf(out, "    Session:          %s%s%s%s\n", internal ? "internal" : "external",
                p->config->options->multihop ? " multihop" : "",
                p->config->options->rr_client ? " route-reflector" : "", p->as4 ? " AS4" : "");
}

static void protocol_details(const struct bgp_config *c, const struct bgp_peer_info *p,
                             struct text *out) {
    char addr[IP_ADDR_TEXT_MAX];
    if (bgp_neighbor_description(p->config))
        text_printf(out, "  Description:    %s\n", bgp_neighbor_description(p->config));
    text_printf(out,
                "  Preference:     100\n  Routes:         %u imported, %u exported, %u "
                "preferred\n",
                p->prefixes_accepted[0] + p->prefixes_accepted[1],
                p->prefixes_sent[0] + p->prefixes_sent[1],
                p->prefixes_best[0] + p->prefixes_best[1]);
    text_printf(out, "  BGP state:          %s\n", *info_state(p) ? info_state(p) : "Down");
    text_printf(out, "    Neighbor address: %s\n", ip_format(p->config->remote_addr, addr));
    if (p->config->options->remote_port && p->config->options->remote_port != BGP_PORT)
        text_printf(out, "    Neighbor port:    %u\n", p->config->options->remote_port);
    text_printf(out, "    Neighbor AS:      %u\n", p->config->remote_as);
    if (p->state == BGP_ESTABLISHED) {
        put_session(c, p, out);
        put_timers(p, out);
    } else if (p->last_error && p->last_error[0]) {
        text_printf(out, "    Last error:       %s\n", p->last_error);
    }
}

static void show_protocols(struct host *h, const char *name, bool all, struct text *out) {
    struct bgp_peer_info p;
    bool found = false;
    struct text rows;
    text_init(&rows);
    for (uint32_t i = 0; h->speaker && bgp_peer_at(h->speaker, i, &p); i++) {
        if (name && strcmp(name, p.config->name) != 0)
            continue;
        found = true;
        protocol_line(h, &p, &rows);
        if (all) {
            protocol_details(bgp_config_of(h->speaker), &p, &rows);
            text_putc(&rows, '\n');
        }
    }
    if (name && !found) {
        text_puts(out, "syntax error\n"); /* BIRD: the name is no symbol */
    } else {
        text_puts(out, "name     proto    table    state  since       info\n");
        text_puts(out, text_str(&rows));
    }
    text_deinit(&rows);
}

/* ---- words ---- */

static int split(char *line, char *words[EXEC_WORDS_MAX]) {
    int count = 0;
    char *rest = line, *word;
    while (count < EXEC_WORDS_MAX && (word = strsep(&rest, " \t\r\n")))
        if (*word)
            words[count++] = word;
    return count;
}

/* A word may be shortened, as in birdcl: "sh proto". */
static bool is_word(const char *word, const char *whole) {
    return *word && strncmp(word, whole, strlen(word)) == 0;
}

static void unquote(char *word) {
    size_t size = strlen(word);
    if (size >= 2 && word[0] == '"' && word[size - 1] == '"') {
        memmove(word, word + 1, size - 2);
        word[size - 2] = '\0';
    }
}

bool exec_run(struct host *h, const char *command, struct text *out) {
    char line[EXEC_LINE_MAX], *words[EXEC_WORDS_MAX];
    if ((size_t)snprintf(line, sizeof line, "%s", command) >= sizeof line) {
        text_puts(out, "syntax error\n");
        return false;
    }
    int count = split(line, words);
    for (int i = 0; i < count; i++)
        unquote(words[i]);
    if (count >= 2 && is_word(words[0], "show") && strlen(words[1]) > 1) {
        bool all = count > 2 && strcmp(words[2], "all") == 0;
        if (is_word(words[1], "status") && count == 2) {
            show_status(h, out);
            return true;
        }
        if (is_word(words[1], "protocols") && count <= 3 + all) {
            show_protocols(h, count > 2 + all ? words[2 + all] : NULL, all, out);
            return true;
        }
        if (is_word(words[1], "route")) {
            exec_route(h, words + 2, count - 2, out);
            return true;
        }
    }
    text_puts(out, "syntax error\n");
    return false;
}
