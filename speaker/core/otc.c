/*
 * Only to Customer (RFC 9234 5): which routes are leaks, and marking those that may become one.
 *
 * The attribute travels among the unknown transitive ones, sorted by code, as it came; a damaged
 * one never gets here (attr_decode.c: treat-as-withdraw). Once there it is never changed.
 *
 * Leaves roles and their negotiation to session_open.c, and calling at the right places to
 * rib_import.c and export.c. Without a role there are no rules.
 */
#include "otc.h"

#include "../base/arena.h"

#include <string.h>

/* The AS in the attribute; 0: it is not there (AS 0 is refused, RFC 7607). */
static uint32_t otc_value(const struct attr_values *v) {
    for (uint32_t i = 0; i < v->unknown_count; i++) {
        const struct attr_unknown *a = &v->unknown[i];
        if (a->code == ATTR_OTC && a->size == 4) {
            return (uint32_t)a->data[0] << 24 | (uint32_t)a->data[1] << 16 |
                   (uint32_t)a->data[2] << 8 | a->data[3];
        }
    }
    return 0;
}

const char *otc_import_obstacle(enum bgp_role role, uint32_t remote_as,
                                const struct attr_values *v) {
    uint32_t otc = otc_value(v);
    if (otc == 0) {
        return NULL;
    }
    if (role == BGP_ROLE_PROVIDER || role == BGP_ROLE_RS) {
        return "route leak: only-to-customer from a customer";
    }
    if (role == BGP_ROLE_PEER && otc != remote_as) {
        return "route leak: only-to-customer of another AS from a peer";
    }
    return NULL;
}

const char *otc_export_obstacle(enum bgp_role role, const struct attr_values *v) {
    bool upwards = role == BGP_ROLE_CUSTOMER || role == BGP_ROLE_PEER || role == BGP_ROLE_RS_CLIENT;
    return upwards && otc_value(v) ? "only-to-customer towards a provider, peer or route server"
                                   : NULL;
}

static bool otc_add(uint32_t asn, struct arena *arena, struct attr_values *v) {
    struct attr_unknown *list = arena_array(arena, (size_t)v->unknown_count + 1, sizeof *list);
    uint8_t *data = arena_alloc(arena, 4);
    uint32_t at = 0;
    if (!list || !data) {
        return false;
    }
    while (at < v->unknown_count && v->unknown[at].code < ATTR_OTC) {
        at++;
    }
    if (v->unknown_count) {
        memcpy(list, v->unknown, at * sizeof *list);
        memcpy(list + at + 1, v->unknown + at, (v->unknown_count - at) * sizeof *list);
    }
    const uint8_t value[4] = {(uint8_t)(asn >> 24), (uint8_t)(asn >> 16), (uint8_t)(asn >> 8),
                              (uint8_t)asn};
    memcpy(data, value, sizeof value);
    list[at] = (struct attr_unknown){.flags = ATTR_FLAG_OPTIONAL | ATTR_FLAG_TRANSITIVE,
                                     .code = ATTR_OTC,
                                     .size = 4,
                                     .data = data};
    v->unknown = list;
    v->unknown_count++;
    return true;
}

bool otc_import(enum bgp_role role, uint32_t remote_as, struct arena *arena,
                struct attr_values *v) {
    bool from_above =
        role == BGP_ROLE_CUSTOMER || role == BGP_ROLE_PEER || role == BGP_ROLE_RS_CLIENT;
    return !from_above || otc_value(v) || otc_add(remote_as, arena, v);
}

bool otc_export(enum bgp_role role, uint32_t local_as, struct arena *arena, struct attr_values *v) {
    bool downwards = role == BGP_ROLE_PROVIDER || role == BGP_ROLE_PEER || role == BGP_ROLE_RS;
    return !downwards || otc_value(v) || otc_add(local_as, arena, v);
}
