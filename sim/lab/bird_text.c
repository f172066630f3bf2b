/*
 * BIRD's answers as data: `show protocols all` and `show route all` of BIRD 1.6.
 *
 * Owns the syntax. Leaves to bird.c what is asked and over which socket.
 *
 * Invariants: nothing BIRD says can make this read beyond the text; a line that is not understood
 * is passed over, for newer versions say more.
 */
#include "bird_text.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CODE_PROTOCOL 1002
#define CODE_ROUTE 1007
#define WORDS_MAX 8

/* ---- lines ---- */

/* One line: its code (that of the line before when it continues it) and its text. */
struct line {
    unsigned code;
    bool first, last; /* of its code; of the answer */
    const char *text;
    size_t size;
};

static bool has_code(const char *s, size_t size) {
    for (size_t i = 0; i < 4; i++)
        if (i >= size || !isdigit((unsigned char)s[i]))
            return false;
    return size > 4 && (s[4] == ' ' || s[4] == '-');
}

static unsigned code_of(const char *s) {
    unsigned code = 0;
    for (size_t i = 0; i < 4; i++)
        code = code * 10 + (unsigned)(s[i] - '0');
    return code;
}

/* The next line from *at on; false at the end. */
static bool next_line(const char **at, unsigned *code, struct line *ret_line) {
    const char *s = *at;
    size_t size = strcspn(s, "\n");
    if (!*s)
        return false;
    *at = s + size + (s[size] == '\n');
    bool coded = has_code(s, size);
    if (coded)
        *code = code_of(s);
    size_t skip = coded ? 5 : *s == ' ' || *s == '+';
    *ret_line = (struct line){*code, coded, coded && s[4] == ' ', s + skip, size - skip};
    return true;
}

bool bird_complete(const struct text *in) {
    if (!in->size || in->data[in->size - 1] != '\n')
        return false;
    size_t at = in->size - 1;
    while (at > 0 && in->data[at - 1] != '\n')
        at--;
    return has_code(in->data + at, in->size - at) && in->data[at + 4] == ' ';
}

unsigned bird_code(const struct text *in) {
    const char *at = text_str(in);
    unsigned code = 0, end = 0;
    struct line l;
    while (next_line(&at, &code, &l))
        end = l.last ? l.code : end;
    return end;
}

void bird_plain(const struct text *in, struct text *out) {
    const char *at = text_str(in);
    unsigned code = 0;
    struct line l;
    while (next_line(&at, &code, &l)) {
        if (l.last && l.size == 0)
            continue;
        text_put_printable(out, l.text, l.size);
        text_putc(out, '\n');
    }
}

/* ---- words ---- */

struct words {
    char text[512];
    const char *list[WORDS_MAX];
    size_t count;
};

/* The last one takes the rest of the line. */
static void split(const struct line *l, size_t max, struct words *w) {
    size_t size = l->size < sizeof w->text - 1 ? l->size : sizeof w->text - 1;
    memcpy(w->text, l->text, size);
    w->text[size] = '\0';
    w->count = 0;
    char *at = w->text + strspn(w->text, " \t");
    while (*at && w->count < max) {
        w->list[w->count++] = at;
        size_t length = w->count == max ? strlen(at) : strcspn(at, " \t");
        char *end = at + length;
        at = end + strspn(end, " \t");
        *end = '\0';
    }
    if (w->count == max) {
        char *rest = w->text + (w->list[max - 1] - w->text);
        for (size_t n = strlen(rest); n && rest[n - 1] == ' ';)
            rest[--n] = '\0';
    }
}

/* The value behind "key:" at the beginning of a line; NULL: another line. */
static const char *value_of(const struct line *l, const char *key, char *buffer, size_t size) {
    const char *at = l->text, *end = l->text + l->size;
    size_t length = strlen(key);
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    if ((size_t)(end - at) <= length || memcmp(at, key, length) != 0 || at[length] != ':')
        return NULL;
    at += length + 1;
    while (at < end && *at == ' ')
        at++;
    while (end > at && end[-1] == ' ')
        end--;
    snprintf(buffer, size, "%.*s", (int)(end - at), at);
    return buffer;
}

static bool put(json_t *o, const char *name, json_t *value) {
    return json_object_set_new(o, name, value) == 0;
}

static bool put_number(json_t *o, const char *name, const char *text) {
    uint64_t n;
    return !text_read_u64(&text, &n) || put(o, name, json_integer((json_int_t)n));
}

/* ---- sessions ---- */

/* "name BGP master up since Established…" */
static bool begin_session(const struct line *l, json_t *list, json_t **ret_session) {
    struct words w;
    *ret_session = NULL;
    split(l, 6, &w);
    if (w.count < 5 || strcmp(w.list[1], "BGP") != 0)
        return true;
    json_t *o = json_pack("{s:s, s:s, s:b, s:b, s:i, s:i, s:s}", "name", w.list[0], "state", "Down",
                          "passive", 0, "waiting", 0, "hold_time_s", 0, "keepalive_s", 0,
                          "last_reason", w.count > 5 ? w.list[5] : "");
    *ret_session = o;
    return o && json_array_append_new(list, o) == 0;
}

/* "184/240": what is left of what was negotiated. */
static bool put_timer(json_t *o, const char *name, const char *value) {
    const char *slash = strchr(value, '/');
    return !slash || put_number(o, name, slash + 1);
}

/* "Passive" is BIRD's word for a session that only listens, Idle one that waits for a neighbour's
 * lock. */
static bool put_state(json_t *o, const char *state) {
    if (strcmp(state, "Passive") == 0)
        return put(o, "state", json_string("Active")) && put(o, "passive", json_true());
    return put(o, "state", json_string(state));
}

static bool session_line(const struct line *l, json_t *o) {
    char v[256];
    if (value_of(l, "BGP state", v, sizeof v))
        return put_state(o, v);
    if (value_of(l, "Neighbor address", v, sizeof v)) {
        v[strcspn(v, "%")] = '\0';
        return put(o, "remote", json_string(v));
    }
    if (value_of(l, "Neighbor AS", v, sizeof v))
        return put_number(o, "remote_as", v);
    if (value_of(l, "Neighbor ID", v, sizeof v))
        return put(o, "remote_id", json_string(v));
    if (value_of(l, "Last error", v, sizeof v))
        return put(o, "last_error", json_string(v));
    if (value_of(l, "Hold timer", v, sizeof v))
        return put_timer(o, "hold_time_s", v);
    if (value_of(l, "Keepalive timer", v, sizeof v))
        return put_timer(o, "keepalive_s", v);
    return true;
}

bool bird_read_sessions(const struct text *in, json_t *list) {
    const char *at = text_str(in);
    unsigned code = 0;
    struct line l;
    json_t *session = NULL;
    bool ok = true;
    while (ok && next_line(&at, &code, &l)) {
        if (l.first && l.code == CODE_PROTOCOL)
            ok = begin_session(&l, list, &session);
        else if (session)
            ok = session_line(&l, session);
    }
    return ok;
}

/* ---- routes ---- */

/* "[Mesh_a 05:30:28 from 10.9.0.2] * (100/0) [i]": whose, and whether it is the best. */
static bool begin_route(const struct line *l, char prefix[64], bool all_best, json_t *list,
                        json_t **ret_route) {
    struct words w;
    char head[512], peer[128] = "";
    snprintf(head, sizeof head, "%.*s", (int)l->size, l->text);
    const char *open = strchr(head, '[');
    *ret_route = NULL;
    if (!open)
        return true;
    if (head[0] != ' ' && head[0] != '\t') {
        split(l, 2, &w);
        snprintf(prefix, 64, "%.63s", w.count ? w.list[0] : "");
    }
    snprintf(peer, sizeof peer, "%.*s", (int)strcspn(open + 1, " ]"), open + 1);
    const char *close = strchr(open, ']');
    bool best = all_best || (close && strstr(close, "] * ") != NULL);
    json_t *o = json_pack("{s:s, s:s, s:b, s:s, s:{}}", "prefix", prefix, "peer", peer, "best",
                          (int)best, "source", "", "attrs");
    *ret_route = o;
    return o && json_array_append_new(list, o) == 0;
}

/* "BGP unicast univ", "device …", "static …", "inherit …" (from the kernel). */
static bool put_source(json_t *route, const char *type) {
    static const char *const words[][2] = {
        {"BGP", "bgp"}, {"static", "static"}, {"device", "direct"}, {"inherit", "kernel"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t n = strlen(words[i][0]);
        if (strncmp(type, words[i][0], n) != 0 || type[n] != ' ')
            continue;
        /* The protocol's name says nothing of a peer when it is not BGP. */
        return put(route, "source", json_string(words[i][1])) &&
               (i == 0 || put(route, "peer", json_string("")));
    }
    return true;
}

/* "(64512,1) (64512, 3, 4)" as "64512:1", "64512:3:4"; "10.0.0.1 10.0.0.2" word by word. */
static json_t *tuples(const char *value) {
    json_t *list = json_array();
    char one[64];
    size_t n = 0;
    for (const char *p = value; list; p++) {
        if (*p == '\0' || (*p == ' ' && (p == value || p[-1] != ','))) {
            if (n)
                json_array_append_new(list, json_stringn(one, n));
            n = 0;
        } else if (*p != '(' && *p != ')' && *p != ' ' && n < sizeof one) {
            one[n++] = *p == ',' ? ':' : *p;
        }
        if (!*p)
            break;
    }
    return list;
}

static json_t *lower(const char *value) {
    char text[32];
    size_t n = 0;
    for (; value[n] && n < sizeof text - 1; n++)
        text[n] = (char)tolower((unsigned char)value[n]);
    return json_stringn(text, n);
}

static json_t *number(const char *value) {
    uint64_t n;
    return text_read_u64(&value, &n) ? json_integer((json_int_t)n) : json_null();
}

/* "10.0.0.1 AS64512" as "64512:10.0.0.1" */
static json_t *aggregator(const char *value) {
    const char *as = strstr(value, " AS");
    return as ? json_sprintf("%s:%.*s", as + 3, (int)(as - value), value) : json_string(value);
}

/* IPv6: a link-local address may follow. */
static json_t *first_word(const char *value) {
    return json_stringn(value, strcspn(value, " "));
}

static json_t *present(const char *value) {
    (void)value;
    return json_true();
}

static const struct {
    const char *key, *name;
    json_t *(*read)(const char *value);
} attributes[] = {
    {"BGP.origin", "origin", lower},
    {"BGP.as_path", "as_path", json_string},
    {"BGP.next_hop", "next_hop", first_word},
    {"BGP.med", "med", number},
    {"BGP.local_pref", "local_pref", number},
    {"BGP.community", "communities", tuples},
    {"BGP.large_community", "large_communities", tuples},
    {"BGP.originator_id", "originator_id", json_string},
    {"BGP.cluster_list", "cluster_list", tuples},
    {"BGP.atomic_aggr", "atomic_aggregate", present},
    {"BGP.aggregator", "aggregator", aggregator},
};

static bool route_line(const struct line *l, json_t *route) {
    char v[8192]; /* the longest community list of a message is shorter */
    if (value_of(l, "Type", v, sizeof v))
        return put_source(route, v);
    for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++)
        if (value_of(l, attributes[i].key, v, sizeof v))
            return put(json_object_get(route, "attrs"), attributes[i].name, attributes[i].read(v));
    return true;
}

bool bird_read_routes(const struct text *in, bool all_best, json_t *list) {
    const char *at = text_str(in);
    char prefix[64] = "";
    unsigned code = 0;
    struct line l;
    json_t *route = NULL;
    bool ok = true;
    while (ok && next_line(&at, &code, &l)) {
        if (l.code == CODE_ROUTE && memchr(l.text, '[', l.size))
            ok = begin_route(&l, prefix, all_best, list, &route);
        else if (route)
            ok = route_line(&l, route);
    }
    return ok;
}
