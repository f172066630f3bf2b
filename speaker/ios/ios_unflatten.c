/*
 * Giving the lines back to a configuration that was pasted as one line.
 *
 * Web pages turn a configuration into one line with its `!` comments between the statements. IOS
 * would take that line for a comment. Here a line is cut before every statement starter: words that
 * can only begin a statement, with a first argument that is valid, because comments hold words like
 * "router BGP process". A `!` opens a comment that runs to the next starter.
 *
 * Owns: what a starter is, and when a line counts as flattened (several starters on it). A text
 * whose lines hold one statement each passes unchanged.
 */
#include "ios_unflatten.h"

#include "../base/addr.h"
#include "../base/text.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

/* @ an address, with or without a length; # a number; $ any word. */
static const char *const STARTERS[] = {
    "router bgp #",
    "router ospf #",
    "bgp router-id @",
    "bgp cluster-id #",
    "bgp cluster-id @",
    "bgp log-neighbor-changes",
    "bgp default ipv4-unicast",
    "bgp default local-preference #",
    "bgp always-compare-med",
    "bgp deterministic-med",
    "bgp bestpath $",
    "bgp graceful-restart",
    "bgp listen range $",
    "bgp listen limit #",
    "bgp client-to-client reflection",
    "bgp enforce-first-as",
    "bgp fast-external-fallover",
    "bgp scan-time #",
    "bgp update-delay #",
    "neighbor @",
    "neighbor $ remote-as #",
    "neighbor $ peer-group",
    "neighbor $ activate",
    "neighbor $ route-reflector-client",
    "neighbor $ next-hop-self",
    "neighbor $ send-community",
    "neighbor $ update-source $",
    "neighbor $ timers #",
    "neighbor $ route-map $ in",
    "neighbor $ route-map $ out",
    "neighbor $ prefix-list $ in",
    "neighbor $ prefix-list $ out",
    "timers bgp # #",
    "network @",
    "aggregate-address @",
    "redistribute connected",
    "redistribute static",
    "maximum-paths #",
    "maximum-paths ibgp #",
    "address-family ipv4",
    "address-family ipv6",
    "exit-address-family",
    "ip prefix-list $ seq #",
    "ip prefix-list $ permit @",
    "ip prefix-list $ deny @",
    "ipv6 prefix-list $ seq #",
    "ipv6 prefix-list $ permit @",
    "ipv6 prefix-list $ deny @",
    "ip community-list # permit $",
    "ip community-list # deny $",
    "ip community-list standard $",
    "ip community-list expanded $",
    "ip as-path access-list #",
    "ip bgp-community new-format",
    "ip route @ @",
    "ip address @ @",
    "route-map $ permit #",
    "route-map $ deny #",
    "match ip address $",
    "match as-path #",
    "match community $",
    "set local-preference #",
    "set community $",
    "set metric #",
    "set as-path prepend #",
    "set weight #",
    "set ip next-hop $",
    "access-list # permit $",
    "access-list # deny $",
    "interface Loopback#",
    "interface Loopback #",
    "interface GigabitEthernet#",
    "no shutdown",
    "no auto-summary",
    "no synchronization",
};

struct piece {
    const char *text;
    size_t size;
};

/* The next word of the line at *at; false at its end. */
static bool word_next(const char *line, size_t size, size_t *at, struct piece *ret) {
    while (*at < size && (line[*at] == ' ' || line[*at] == '\t' || line[*at] == '\r'))
        (*at)++;
    size_t start = *at;
    while (*at < size && line[*at] != ' ' && line[*at] != '\t' && line[*at] != '\r')
        (*at)++;
    *ret = (struct piece){line + start, *at - start};
    return ret->size > 0;
}

static bool is_number(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (!((text[i] >= '0' && text[i] <= '9') || text[i] == '/' || text[i] == '.'))
            return false;
    return size > 0;
}

static bool is_address(struct piece w) {
    char copy[IP_PREFIX_TEXT_MAX];
    struct ip_prefix p;
    if (w.size >= sizeof copy)
        return false;
    memcpy(copy, w.text, w.size);
    copy[w.size] = '\0';
    return ip_prefix_parse(copy, &p);
}

/* Does the word fit one word of a starter ("bgp", "#", "Loopback#")? */
static bool word_fits(const char *want, size_t want_size, struct piece w) {
    if (want_size == 1 && *want == '$')
        return w.text[0] != '!';
    if (want_size == 1 && *want == '@')
        return is_address(w);
    if (want[want_size - 1] != '#')
        return w.size == want_size && strncasecmp(want, w.text, w.size) == 0;
    size_t head = want_size - 1;
    return w.size > head && strncasecmp(want, w.text, head) == 0 &&
           is_number(w.text + head, w.size - head);
}

/* Where the starter ends that begins at `at`; 0: it does not. */
static size_t starter_fits(const char *starter, const char *line, size_t size, size_t at) {
    while (*starter) {
        size_t want = strcspn(starter, " ");
        struct piece w;
        if (!word_next(line, size, &at, &w) || !word_fits(starter, want, w))
            return 0;
        starter += want;
        starter += *starter == ' ';
    }
    return at;
}

/* Where the longest starter at `at` ends; 0: there is none. */
static size_t longest_starter(const char *line, size_t size, size_t at) {
    size_t longest = 0;
    for (size_t i = 0; i < sizeof STARTERS / sizeof *STARTERS; i++) {
        size_t end = starter_fits(STARTERS[i], line, size, at);
        longest = end > longest ? end : longest;
    }
    return longest;
}

static size_t starter_end(const char *line, size_t size, size_t at) {
    size_t behind = at, end = longest_starter(line, size, at);
    struct piece w;
    /* `no` before one begins the statement. */
    if (end || !word_next(line, size, &behind, &w) || w.size != 2 ||
        strncasecmp(w.text, "no", 2) != 0)
        return end;
    return longest_starter(line, size, behind);
}

/* After `no` the same words begin nothing new. */
static bool behind_no(struct piece previous) {
    return previous.size == 2 && strncasecmp(previous.text, "no", 2) == 0;
}

/* Words that may begin a statement, on their way along a line. What stands inside of a starter
 * begins none: `ip as-path access-list 1` is one. */
struct starters {
    struct piece previous;
    size_t covered;
};

static bool begins_statement(struct starters *s, const char *line, size_t size, struct piece w) {
    size_t start = (size_t)(w.text - line), end = 0;
    if (start >= s->covered && !behind_no(s->previous))
        end = starter_end(line, size, start);
    if (end)
        s->covered = end;
    s->previous = w;
    return end > 0;
}

static bool line_is_flat(const char *line, size_t size) {
    size_t at = 0, starters = 0;
    bool comment = false, free_text = false;
    struct starters s = {.previous = {"", 0}};
    struct piece w;
    for (size_t words = 0; word_next(line, size, &at, &w); words++) {
        comment |= words == 0 && w.text[0] == '!';
        free_text |= w.size == strlen("description") && strncasecmp(w.text, "description", 11) == 0;
        starters += begins_statement(&s, line, size, w);
    }
    return starters >= 3 || (starters == 2 && !comment && !free_text);
}

static void line_split(const char *line, size_t size, struct text *out) {
    size_t at = 0;
    bool first = true;
    struct starters s = {.previous = {"", 0}};
    struct piece w;
    while (word_next(line, size, &at, &w)) {
        bool starts = begins_statement(&s, line, size, w);
        if (!first)
            text_putc(out, starts || w.text[0] == '!' ? '\n' : ' ');
        text_put(out, w.text, w.size);
        first = false;
    }
    text_putc(out, '\n');
}

static size_t line_size(const char *text, size_t size) {
    const char *end = memchr(text, '\n', size);
    return end ? (size_t)(end - text) : size;
}

bool ios_unflatten(const char *text, size_t size, struct text *out) {
    bool flat = false;
    for (size_t at = 0; at < size && !flat; at += line_size(text + at, size - at) + 1)
        flat = line_is_flat(text + at, line_size(text + at, size - at));
    if (!flat)
        return false;
    for (size_t at = 0; at < size; at += line_size(text + at, size - at) + 1) {
        size_t line = line_size(text + at, size - at);
        if (line_is_flat(text + at, line))
            line_split(text + at, line, out);
        else
            text_printf(out, "%.*s\n", (int)line, text + at);
    }
    return true;
}
