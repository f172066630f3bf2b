/*
 * Where log lines go: the buffer, terminals, syslog hosts; `show logging`.
 *
 * Owns: severities, what each destination takes (`logging buffered|console|monitor|trap LEVEL`),
 * the form of a line on the wire (<PRI>SEQUENCE: LINE; local7 unless `logging facility`), the
 * layout of `show logging`. Leaves: the buffer and the socket to the host.
 *
 * IOS: every destination is on by default: buffer, console and monitor at debugging, hosts at
 * informational.
 */
#include "ios_syslog.h"
#include "ios_log.h"
#include "ios_show.h"

#include <stdio.h>
#include <string.h>

#define FACILITY_DEFAULT 23 /* local7 */
#define BUFFER_BYTES 8192

static const char *const LEVELS[] = {"emergencies", "alerts",        "critical",      "errors",
                                     "warnings",    "notifications", "informational", "debugging"};

/* `word` as a severity, a number or a name that may be cut; -1: neither. */
static int level_of(const char *word) {
    uint64_t n = 0;
    if (text_to_u64(word, 0, 7, &n))
        return (int)n;
    for (int i = 0; i < 8 && *word; i++)
        if (strncmp(LEVELS[i], word, strlen(word)) == 0)
            return i;
    return -1;
}

/* The statement `logging KIND …`; its words may stand in one rest of the line. */
static const struct ios_stmt *logging_stmt(const struct ios_router *r, const char *kind,
                                           uint32_t skip) {
    for (uint32_t i = 0; i < r->root->count; i++) {
        const struct ios_stmt *s = r->root->items[i];
        size_t size = strlen(kind);
        const char *rest = ios_stmt_word(s, 1);
        if (ios_stmt_is(s, 0, "logging") && strncmp(rest, kind, size) == 0 &&
            (rest[size] == '\0' || rest[size] == ' ') && skip-- == 0)
            return s;
    }
    return NULL;
}

/* The n-th blank-separated word behind `logging`, copied. */
static void logging_word(const struct ios_stmt *s, unsigned n, char *word, size_t size) {
    word[0] = '\0';
    for (uint16_t i = 1; s && i < s->count; i++)
        for (const char *at = s->words[i]; *at;) {
            size_t length = strcspn(at, " ");
            if (n-- == 0) {
                snprintf(word, size, "%.*s", (int)length, at);
                return;
            }
            at += length + strspn(at + length, " ");
        }
}

/* Up to which severity "buffered", "console", "monitor" or "trap" takes lines; -1: it is off. */
static int log_level(const struct ios_router *r, const char *destination) {
    const struct ios_stmt *s = logging_stmt(r, destination, 0);
    int otherwise = strcmp(destination, "trap") == 0 ? 6 : 7;
    char word[32];
    if (!s)
        return otherwise;
    if (s->negated)
        return -1;
    for (unsigned n = 1; n < 3; n++) {
        logging_word(s, n, word, sizeof word);
        /* `buffered 8192`: a size is no level. */
        if (level_of(word) >= 0)
            return level_of(word);
    }
    return otherwise;
}

/* The severity in `%FACILITY-5-MNEMONIC`; 7 for a line without one. */
static int log_severity(const char *line) {
    const char *percent = strchr(line, '%');
    const char *dash = percent ? strchr(percent, '-') : NULL;
    return dash && dash[1] >= '0' && dash[1] <= '7' && dash[2] == '-' ? dash[1] - '0' : 7;
}

/* ---- syslog ---- */

bool ios_syslog_host(const struct ios_router *r, uint32_t n, struct ip_addr *ret_addr,
                     uint16_t *ret_port) {
    for (uint32_t i = 0; i < r->root->count; i++) {
        const struct ios_stmt *s = r->root->items[i];
        char word[64];
        uint64_t port = 514;
        if (!ios_stmt_is(s, 0, "logging") || s->negated)
            continue;
        logging_word(s, 0, word, sizeof word);
        bool named = strcmp(word, "host") == 0;
        logging_word(s, named, word, sizeof word);
        if (!ip_parse(word, ret_addr) || n-- > 0)
            continue;
        /* host A transport udp port N */
        logging_word(s, named + 4u, word, sizeof word);
        (void)text_to_u64(word, 1, 65535, &port);
        *ret_port = (uint16_t)port;
        return true;
    }
    return false;
}

static unsigned facility(const struct ios_router *r) {
    char word[32];
    uint64_t n = 0;
    logging_word(logging_stmt(r, "facility", 0), 1, word, sizeof word);
    if (strncmp(word, "local", 5) == 0 && text_to_u64(word + 5, 0, 7, &n))
        return 16 + (unsigned)n;
    return FACILITY_DEFAULT;
}

bool ios_syslog_line(struct ios_router *r, const char *line, size_t size, struct text *out) {
    int severity = log_severity(line);
    if (severity > log_level(r, "trap"))
        return false;
    text_printf(out, "<%u>%u: ", facility(r) * 8 + (unsigned)severity, ++r->syslog_count);
    text_put(out, line, size - (size > 0 && line[size - 1] == '\n'));
    return true;
}

/* ---- show logging ---- */

static unsigned count_lines(const struct text *log) {
    unsigned lines = 0;
    for (const char *c = log ? text_str(log) : ""; *c; c++)
        lines += *c == '\n';
    return lines;
}

static void put_destination(const struct ios_router *r, const char *label, const char *kind,
                            unsigned lines, struct text *out) {
    int level = log_level(r, kind);
    bool buffer = strcmp(kind, "buffered") == 0;
    if (level < 0)
        text_printf(out, "    %s logging: disabled\n", label);
    else
        text_printf(out,
                    "    %s logging: %slevel %s, %u messages logged, xml disabled,\n"
                    "                    %sfiltering disabled\n",
                    label, buffer ? " " : "", LEVELS[level], lines, buffer ? "" : " ");
}

static void put_trap(const struct ios_router *r, struct text *out) {
    struct ip_addr a;
    uint16_t port;
    int level = log_level(r, "trap");
    if (level < 0)
        text_puts(out, "    Trap logging: disabled\n");
    else
        text_printf(out, "    Trap logging: level %s, %u message lines logged\n", LEVELS[level],
                    r->syslog_count);
    text_puts(out, "        Logging Source-Interface:       VRF Name:\n");
    for (uint32_t n = 0; ios_syslog_host(r, n, &a, &port); n++) {
        text_puts(out, "        Logging to ");
        ios_put_addr(a, out);
        text_printf(out, "  (udp port %u, audit disabled,\n              link up),\n", port);
    }
}

bool ios_show_logging(struct ios_edit *e) {
    const struct text *log = e->sink->view->log;
    struct text *out = e->sink->out;
    unsigned lines = count_lines(log);
    text_puts(out, "Syslog logging: enabled (0 messages dropped, 0 messages rate-limited, 0 "
                   "flushes, 0 overruns, xml disabled, filtering disabled)\n\n"
                   "No Active Message Discriminator.\n\n\n\n"
                   "No Inactive Message Discriminator.\n\n\n");
    put_destination(e->r, "Console", "console", lines, out);
    put_destination(e->r, "Monitor", "monitor", 0, out);
    put_destination(e->r, "Buffer", "buffered", lines, out);
    text_puts(out, "    Exception Logging: size (8192 bytes)\n"
                   "    Count and timestamp logging messages: disabled\n"
                   "    Persistent logging: disabled\n\n"
                   "No active filter modules.\n\n");
    put_trap(e->r, out);
    char word[16];
    uint64_t size = BUFFER_BYTES;
    logging_word(logging_stmt(e->r, "buffered", 0), 1, word, sizeof word);
    (void)text_to_u64(word, 4096, 2147483647, &size);
    text_printf(out, "\nLog Buffer (%lu bytes):\n\n", (unsigned long)size);
    if (log && log_level(e->r, "buffered") >= 0)
        text_put(out, text_str(log), log->size);
    return false;
}

bool ios_show_clear_logging(struct ios_edit *e) {
    e->r->request = (struct ios_request){.kind = IOS_REQUEST_CLEAR_LOG};
    return false;
}
