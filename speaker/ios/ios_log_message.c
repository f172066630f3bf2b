/*
 * Messages that could not be read, as the log has them: in groups of four digits, and the prefixes
 * a malformed UPDATE was about.
 *
 * Owns: both layouts. Leaves: the lines around them to ios_log.c, the messages to the core, which
 * keeps the last ones.
 */
#include "ios_log.h"

#include "../base/arena.h"
#include "../core/message.h"

#include <string.h>

#define GROUPS_PER_LINE 16u

struct dump {
    struct text *out;
    size_t octets;
};

static void dump_octet(struct dump *d, uint8_t octet) {
    size_t group = d->octets / 2;
    if (d->octets % 2 == 0 && d->octets)
        text_putc(d->out, group % GROUPS_PER_LINE ? ' ' : '\n');
    text_printf(d->out, "%02X", octet);
    d->octets++;
}

void ios_log_put_message(uint8_t type, const uint8_t *body, uint32_t size, struct text *out) {
    struct dump d = {.out = out};
    size_t whole = (size_t)size + BGP_HEADER_SIZE;
    for (size_t i = 0; i < BGP_HEADER_SIZE - 3; i++)
        dump_octet(&d, 0xff);
    dump_octet(&d, (uint8_t)(whole >> 8));
    dump_octet(&d, (uint8_t)whole);
    dump_octet(&d, type);
    for (size_t i = 0; i < size; i++)
        dump_octet(&d, body[i]);
    text_putc(out, '\n');
}

static void put_list(const struct bgp_nlri *list, struct text *out) {
    struct ip_prefix p;
    char text[IP_PREFIX_TEXT_MAX];
    for (uint32_t at = 0; nlri_next(list, &at, &p);)
        text_printf(out, "%s ", ip_prefix_format(p, text));
}

void ios_log_put_prefixes(const struct bgp_peer_info *p, const uint8_t *body, uint32_t size,
                          struct text *out) {
    struct bgp_codec codec = {
        .as4 = p->as4, .external = true, .extended_next_hop = p->extended_next_hop};
    struct arena *scratch = arena_new();
    struct bgp_update update;
    if (!scratch)
        return;
    for (unsigned f = 0; f < BGP_FAMILIES; f++)
        codec.add_path[f] = p->path_ids[f];
    memcpy(codec.families, p->families, sizeof codec.families);
    update_decode(&codec, body, size, scratch, &update);
    for (uint8_t i = 0; i < update.announced_count; i++)
        put_list(&update.announced[i], out);
    arena_free(scratch);
}
