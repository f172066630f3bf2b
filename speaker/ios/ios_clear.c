/*
 * clear ip bgp: whom it concerns and how.
 *
 * Owns: the request the host takes and carries out. IOS: `soft` alone means both directions, and
 * `in` or `out` alone is soft too. A family named in the command does not narrow it: sessions carry
 * what they carry.
 */
#include "ios_edit.h"
#include "ios_router.h"
#include "ios_show.h"

#include <stdio.h>
#include <string.h>

static const char *group_of(const struct ios_router *r, const char *name) {
    const struct ios_block *bgp = ios_bgp_block(r);
    for (uint32_t i = 0; bgp && i < bgp->count; i++) {
        const struct ios_stmt *s = bgp->items[i];
        if (ios_stmt_is(s, 0, "neighbor") && ios_stmt_is(s, 1, name) &&
            ios_stmt_is(s, 2, "peer-group") && s->count == 4)
            return s->words[3];
    }
    return NULL;
}

/* A peer of a listen range has the group's name in front of its address. */
static bool is_member(const struct ios_router *r, const char *group, const struct bgp_neighbor *p) {
    const char *own = group_of(r, p->name);
    size_t size = strlen(group);
    struct ip_addr a;
    return own ? strcmp(own, group) == 0
               : strncmp(p->name, group, size) == 0 && p->name[size] == '_' &&
                     ip_parse(p->name + size + 1, &a);
}

bool ios_request_concerns(const struct ios_router *r, const struct ios_request *q,
                          const struct bgp_neighbor *p) {
    const struct bgp_config *c = r->config;
    uint32_t own = p->options->local_as ? p->options->local_as : c ? c->local_as : 0;
    switch (q->scope) {
    case IOS_CLEAR_ALL:
        return true;
    case IOS_CLEAR_ADDRESS:
        return ip_equal(p->remote_addr, q->peer);
    case IOS_CLEAR_AS:
        return p->remote_as == q->asn;
    case IOS_CLEAR_GROUP:
        return is_member(r, q->group, p);
    case IOS_CLEAR_EXTERNAL:
        return p->remote_as != own;
    }
    return false;
}

/* A neighbour of its own, or the address of a listen range's. */
static bool address_known(struct ios_edit *e, const char *name, struct ip_addr a) {
    const struct bgp_config *c = ios_bgp_config(e->r, NULL);
    return ios_neighbor_known(ios_bgp_block(e->r), name) || (c && bgp_config_range_of(c, a));
}

static bool read_whom(struct ios_edit *e, uint16_t at, struct ios_request *q) {
    const char *word = ios_word(e->words, at);
    if (strcmp(word, "*") == 0)
        return true;
    if (strcmp(word, "external") == 0) {
        q->scope = IOS_CLEAR_EXTERNAL;
        return true;
    }
    if (strcmp(word, "peer-group") == 0) {
        q->scope = IOS_CLEAR_GROUP;
        snprintf(q->group, sizeof q->group, "%s", ios_word(e->words, (uint16_t)(at + 1)));
        if (ios_neighbor_is_group(ios_bgp_block(e->r), q->group))
            return true;
    } else if (ip_parse(word, &q->peer)) {
        q->scope = IOS_CLEAR_ADDRESS;
        if (address_known(e, word, q->peer))
            return true;
    } else if (text_to_asn(word, &q->asn)) {
        q->scope = IOS_CLEAR_AS;
        return true;
    }
    text_printf(e->sink->out, "%%BGP: Unknown neighbor - \"%s\"\n", word);
    return false;
}

bool ios_show_clear(struct ios_edit *e) {
    const struct ios_words *w = e->words;
    struct ios_request q = {.kind = IOS_REQUEST_CLEAR, .how = BGP_CLEAR_HARD};
    bool in = false, out = false, soft = false;
    uint16_t at = ios_show_argument(w);
    for (uint16_t i = (uint16_t)(at + 1); i < w->count; i++) {
        soft |= strcmp(ios_word(w, i), "soft") == 0;
        in |= strcmp(ios_word(w, i), "in") == 0;
        out |= strcmp(ios_word(w, i), "out") == 0;
    }
    if (!ios_show_active(e) || !read_whom(e, at, &q))
        return false;
    if (out)
        q.how = BGP_CLEAR_SOFT_OUT;
    else if (in || soft)
        q.how = BGP_CLEAR_SOFT_IN;
    q.and_out = soft && !in && !out;
    e->r->request = q;
    return false;
}

struct ios_request ios_take_request(struct ios_router *r) {
    struct ios_request request = r->request;
    r->request = (struct ios_request){.kind = IOS_REQUEST_NONE};
    return request;
}
