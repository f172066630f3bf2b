/*
 * UPDATE: from a body to prefixes, attributes and an outcome, and back.
 *
 * Decoding goes by the three lengths first: nothing is read before the fields are cut apart, and
 * the prefix lists of the classic fields are validated before the attributes, because damage there
 * cannot be bounded (RFC 7606 5.3). Then attr_decode reads the attributes, and what remains is said
 * about the message as a whole: missing attributes, next hops, End-of-RIB.
 *
 * RFC 7606 5.2: an attribute error in an UPDATE without reachable prefixes resets the session,
 * since the prefixes it was about may be lost. Where the UPDATE has withdrawals and its attributes
 * are framed soundly, nothing can be lost: the withdrawals are applied and the session stays.
 *
 * Encoding puts MP_REACH or MP_UNREACH first (RFC 7606 5.1) and fills one message with as many
 * prefixes as fit. IPv4 prefixes go into the classic fields unless their next hop is IPv6.
 * RFC 4271 4.3, 5, 6.3; 2545; 4724 2; 4760; 8654; 8950.
 */
#include "attr_decode.h"
#include "framing.h"
#include "limits.h"
#include "nlri.h"

#include <assert.h>
#include <string.h>

#define UPDATE_HEAD_SIZE (BGP_HEADER_SIZE + 4) /* header and the two lengths */
#define UPDATE_MP_HEAD_SIZE 4                  /* flags, code, extended length */

/* ---- decode ---- */

/* A classic field as a list of IPv4 prefixes. */
static bool update_classic(const struct bgp_codec *codec, const uint8_t *data, size_t size,
                           struct bgp_update *u, struct bgp_nlri *list, uint8_t *count) {
    if (size == 0) {
        return true;
    }
    bool add_path = codec->add_path[BGP_IPV4_UNICAST];
    if (!nlri_valid(BGP_IPV4_UNICAST, add_path, data, size)) {
        update_reset(u, 0, framing_error(BGP_ERR_UPDATE, BGP_UPDATE_ERR_NETWORK, NULL, 0));
        return false;
    }
    if (!codec->families[BGP_IPV4_UNICAST]) {
        u->foreign_family = true;
        return true;
    }
    list[(*count)++] = (struct bgp_nlri){
        .family = BGP_IPV4_UNICAST, .add_path = add_path, .data = data, .size = (uint32_t)size};
    return true;
}

bool update_next_hop_usable(struct ip_addr a) {
    if (ip_is_multicast(a) || ip_is_loopback(a) || ip_is_unspecified(a)) {
        return false;
    }
    return a.family != IP_V4 || (a.bytes[0] != 0 && a.bytes[0] < 240);
}

/* RFC 7606 3 d: what announced prefixes cannot do without. */
static void update_check_mandatory(const struct attr_decoder *d, bool classic) {
    static const uint8_t mandatory[] = {ATTR_ORIGIN, ATTR_AS_PATH, ATTR_NEXT_HOP};
    for (size_t i = 0; i < sizeof mandatory; i++) {
        bool needed = mandatory[i] != ATTR_NEXT_HOP || classic;
        if (needed && !attr_decode_seen(d, mandatory[i])) {
            update_worsen(d->update, BGP_OUTCOME_TREAT_AS_WITHDRAW, mandatory[i]);
        }
    }
}

/* Gives every list its next hop, and the attributes that of the first list. */
static void update_settle_next_hops(struct attr_decoder *d, bool classic) {
    struct bgp_update *u = d->update;
    bool mp_only = !classic && attr_decode_seen(d, ATTR_MP_REACH);
    if (!mp_only) {
        attr_blame(d, d->next_hop, ATTR_NEXT_HOP, d->next_hop_at);
    }
    if (classic) {
        u->next_hop[0] = u->attrs.next_hop;
    }
    u->attrs.next_hop = u->next_hop[0];
    u->attrs.link_local = u->link_local[0];
    for (uint8_t i = 0; i < u->announced_count; i++) {
        if (ip_is_set(u->next_hop[i]) && !update_next_hop_usable(u->next_hop[i])) {
            bool first = classic && i == 0;
            update_worsen(u, BGP_OUTCOME_TREAT_AS_WITHDRAW, first ? ATTR_NEXT_HOP : ATTR_MP_REACH);
        }
    }
}

static void update_check_reachable(const struct attr_decoder *d) {
    struct bgp_update *u = d->update;
    if (u->outcome != BGP_OUTCOME_TREAT_AS_WITHDRAW || u->announced_count > 0 ||
        d->mp_reach_foreign) {
        return;
    }
    if (u->withdrawn_count == 0 || d->framing_lost) {
        update_reset(u, u->worst_attribute,
                     framing_error(BGP_ERR_UPDATE, BGP_UPDATE_ERR_LIST, NULL, 0));
    }
}

static void update_finish(struct attr_decoder *d, bool classic) {
    struct bgp_update *u = d->update;
    if (u->outcome == BGP_OUTCOME_SESSION_RESET) {
        return;
    }
    if (u->announced_count > 0) {
        update_check_mandatory(d, classic);
    }
    update_settle_next_hops(d, classic);
    attr_decode_merge_as4(d);
    update_check_reachable(d);
    u->end_of_rib = u->end_of_rib && !u->has_attrs && u->withdrawn_count == 0 &&
                    u->announced_count == 0 && u->outcome == BGP_OUTCOME_OK && !u->foreign_family;
}

void update_decode(const struct bgp_codec *codec, const uint8_t *body, size_t size,
                   struct arena *scratch, struct bgp_update *ret_update) {
    struct bgp_update *u = ret_update;
    memset(u, 0, sizeof *u);
    struct byte_reader r = bytes_reader(body, size);
    uint16_t withdrawn_size = bytes_u16(&r);
    struct byte_reader withdrawn = bytes_view(&r, withdrawn_size);
    uint16_t attrs_size = bytes_u16(&r);
    struct byte_reader attrs = bytes_view(&r, attrs_size);
    if (!bytes_ok(&attrs)) {
        update_reset(u, 0, framing_error(BGP_ERR_UPDATE, BGP_UPDATE_ERR_LIST, NULL, 0));
        return;
    }
    size_t nlri_bytes = bytes_left(&r);
    const uint8_t *nlri = bytes_take(&r, nlri_bytes);
    if (!update_classic(codec, withdrawn.data, withdrawn.size, u, u->withdrawn,
                        &u->withdrawn_count) ||
        !update_classic(codec, nlri, nlri_bytes, u, u->announced, &u->announced_count)) {
        return;
    }
    if (size == 4) {
        u->end_of_rib = codec->families[BGP_IPV4_UNICAST];
        u->end_of_rib_family = BGP_IPV4_UNICAST;
        u->foreign_family = !u->end_of_rib;
        return;
    }
    bool classic = u->announced_count > 0;
    struct attr_decoder d = {.codec = codec, .scratch = scratch, .update = u};
    attr_decode(&d, &attrs);
    update_finish(&d, classic);
}

/* ---- encode ---- */

/* How many prefixes fit into `room` octets, and how many octets they take. */
static size_t update_fit(const struct attr_encoding *how, const struct ip_prefix *prefixes,
                         size_t count, size_t room, size_t *ret_size) {
    size_t taken = 0;
    size_t size = 0, id_size = how->path_ids ? NLRI_PATH_ID_SIZE : 0;
    while (taken < count && size + id_size + nlri_size(prefixes[taken]) <= room) {
        size += id_size + nlri_size(prefixes[taken++]);
    }
    *ret_size = size;
    return taken;
}

static void update_put_prefixes(struct byte_writer *w, const struct attr_encoding *how,
                                const struct ip_prefix *prefixes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (how->path_ids) {
            bytes_put_u32(w, how->path_ids[i]);
        }
        nlri_put(w, prefixes[i]);
    }
}

static void update_put_mp_head(struct byte_writer *w, enum bgp_attr_code code, enum bgp_family f,
                               size_t size) {
    assert(size <= UINT16_MAX);
    bytes_put_u8(w, ATTR_FLAG_OPTIONAL | ATTR_FLAG_EXTENDED);
    bytes_put_u8(w, (uint8_t)code);
    bytes_put_u16(w, (uint16_t)size);
    bytes_put_u16(w, family_afi(f));
    bytes_put_u8(w, 1);
}

static size_t update_withdraw(const struct attr_encoding *how, const struct ip_prefix *prefixes,
                              size_t count, struct byte_writer *w) {
    bool classic = how->family == BGP_IPV4_UNICAST;
    size_t head = UPDATE_HEAD_SIZE + (classic ? 0 : UPDATE_MP_HEAD_SIZE + 3);
    size_t size;
    size_t taken = w->size > head ? update_fit(how, prefixes, count, w->size - head, &size) : 0;
    if (taken == 0) {
        return 0;
    }
    if (classic) {
        bytes_put_u16(w, (uint16_t)size);
        update_put_prefixes(w, how, prefixes, taken);
        bytes_put_u16(w, 0);
        return taken;
    }
    bytes_put_u16(w, 0);
    size_t mark = bytes_mark_u16(w);
    update_put_mp_head(w, ATTR_MP_UNREACH, how->family, size + 3);
    update_put_prefixes(w, how, prefixes, taken);
    bytes_patch_u16(w, mark);
    return taken;
}

static size_t update_announce_classic(const struct attr_values *v, const struct attr_encoding *how,
                                      const struct ip_prefix *prefixes, size_t count,
                                      struct byte_writer *w) {
    bytes_put_u16(w, 0);
    size_t mark = bytes_mark_u16(w);
    if (!attr_encode(v, how, w)) {
        return 0;
    }
    bytes_patch_u16(w, mark);
    size_t size;
    size_t taken = update_fit(how, prefixes, count, w->size - w->at, &size);
    update_put_prefixes(w, how, prefixes, taken);
    return taken;
}

/* The other attributes are written first, to learn what room they leave, and then moved behind
 * MP_REACH. */
static size_t update_announce_mp(const struct attr_values *v, const struct attr_encoding *how,
                                 const struct ip_prefix *prefixes, size_t count,
                                 struct byte_writer *w) {
    bytes_put_u16(w, 0);
    size_t mark = bytes_mark_u16(w);
    size_t start = w->at;
    if (v->next_hop.family != IP_V6 || !attr_encode(v, how, w)) {
        return 0;
    }
    size_t attrs_size = w->at - start;
    size_t next_hop_size = ip_is_set(v->link_local) ? 32 : 16;
    size_t head = 3 + 1 + next_hop_size + 1;
    size_t room = w->size - w->at;
    size_t size;
    if (room <= UPDATE_MP_HEAD_SIZE + head) {
        return 0;
    }
    size_t taken = update_fit(how, prefixes, count, room - UPDATE_MP_HEAD_SIZE - head, &size);
    size_t shift = UPDATE_MP_HEAD_SIZE + head + size;
    memmove(w->data + start + shift, w->data + start, attrs_size);
    w->at = start;
    update_put_mp_head(w, ATTR_MP_REACH, how->family, head + size);
    bytes_put_u8(w, (uint8_t)next_hop_size);
    bytes_put(w, v->next_hop.bytes, 16);
    bytes_put(w, v->link_local.bytes, next_hop_size - 16);
    bytes_put_u8(w, 0);
    update_put_prefixes(w, how, prefixes, taken);
    assert(w->at == start + shift);
    w->at += attrs_size;
    bytes_patch_u16(w, mark);
    return taken;
}

size_t update_encode(const struct attr_values *v, const struct attr_encoding *how,
                     const struct ip_prefix *prefixes, size_t count, uint8_t *out, size_t out_size,
                     size_t *ret_size) {
    size_t size_max = how->extended ? BGP_MESSAGE_EXTENDED_MAX : BGP_MESSAGE_SIZE_MAX;
    size_max = out_size < size_max ? out_size : size_max;
    struct byte_writer w = framing_begin(BGP_MSG_UPDATE, out, size_max);
    size_t taken;
    if (!v) {
        taken = update_withdraw(how, prefixes, count, &w);
    } else if (how->family == BGP_IPV4_UNICAST && v->next_hop.family != IP_V6) {
        taken = update_announce_classic(v, how, prefixes, count, &w);
    } else {
        taken = update_announce_mp(v, how, prefixes, count, &w);
    }
    *ret_size = taken > 0 ? framing_end(&w) : 0;
    assert(taken == 0 || *ret_size > 0);
    return taken;
}

size_t end_of_rib_encode(enum bgp_family family, uint8_t *out, size_t out_size) {
    struct byte_writer w = framing_begin(BGP_MSG_UPDATE, out, out_size);
    bytes_put_u16(&w, 0);
    size_t mark = bytes_mark_u16(&w);
    if (family != BGP_IPV4_UNICAST) {
        bytes_put_u8(&w, ATTR_FLAG_OPTIONAL);
        bytes_put_u8(&w, ATTR_MP_UNREACH);
        bytes_put_u8(&w, 3);
        bytes_put_u16(&w, family_afi(family));
        bytes_put_u8(&w, 1);
    }
    bytes_patch_u16(&w, mark);
    return framing_end(&w);
}
