/*
 * MP_REACH_NLRI and MP_UNREACH_NLRI for IPv4 and IPv6 unicast: RFC 4760 3-4, 2545 3.
 *
 * The families of a session are negotiated; anything else in these attributes is passed over whole
 * (RFC 4760 7 leaves it to us), because nothing in it can be trusted to be understood. Within a
 * negotiated family damage cannot be bounded to a route, so it resets the session with 3/9 and the
 * attribute as data (RFC 4760 7, 7606 7.11 and 5.3). IPv4 prefixes have IPv4 next hops here, and
 * IPv6 ones too where that was negotiated (RFC 8950).
 */
#include "attr_decode.h"
#include "framing.h"
#include "nlri.h"

static enum bgp_outcome mp_reset(struct attr_decoder *d, uint8_t code) {
    update_reset(d->update, code,
                 framing_error(BGP_ERR_UPDATE, BGP_UPDATE_ERR_OPTIONAL, d->start, d->start_size));
    return BGP_OUTCOME_SESSION_RESET;
}

/* AFI and SAFI; false with the update marked when the family is not ours to read. */
static bool mp_family(struct attr_decoder *d, struct byte_reader *r, enum bgp_family *ret_family) {
    uint16_t afi = bytes_u16(r);
    uint8_t safi = bytes_u8(r);
    enum bgp_family family;
    if (!bytes_ok(r)) {
        return false;
    }
    if (!family_from_afi(afi, safi, &family) || !d->codec->families[family]) {
        d->update->foreign_family = true;
        return false;
    }
    *ret_family = family;
    return true;
}

/* The rest of the attribute as a list of prefixes. */
static bool mp_nlri(const struct attr_decoder *d, struct byte_reader *r, enum bgp_family family,
                    struct bgp_nlri *ret_nlri) {
    bool add_path = d->codec->add_path[family];
    size_t size = bytes_left(r);
    const uint8_t *data = bytes_take(r, size);
    if (!data || !nlri_valid(family, add_path, data, size)) {
        return false;
    }
    *ret_nlri = (struct bgp_nlri){
        .family = family, .add_path = add_path, .data = data, .size = (uint32_t)size};
    return true;
}

/* RFC 2545 3: 16 octets, or 32 with a link-local address behind the global one. BIRD: a speaker
 * that has no global address on a link writes "::" in its place; what is meant is the other one. */
static bool mp_next_hop(const struct bgp_codec *codec, enum bgp_family family,
                        const struct byte_reader *r, struct ip_addr *ret_next_hop,
                        struct ip_addr *ret_link_local) {
    struct byte_reader next_hop = *r;
    *ret_link_local = (struct ip_addr){0};
    bool may_be_ipv6 = family == BGP_IPV6_UNICAST || codec->extended_next_hop;
    if (family == BGP_IPV4_UNICAST && next_hop.size == 4) {
        *ret_next_hop = ip4(bytes_u32(&next_hop));
        return true;
    }
    if (!may_be_ipv6 || (next_hop.size != 16 && next_hop.size != 32)) {
        return false;
    }
    *ret_next_hop = ip6(next_hop.data);
    if (next_hop.size == 32) {
        struct ip_addr second = ip6(next_hop.data + 16);
        *ret_link_local = ip_is_link_local(second) ? second : (struct ip_addr){0};
    }
    if (ip_is_unspecified(*ret_next_hop) && ip_is_set(*ret_link_local)) {
        *ret_next_hop = *ret_link_local;
        *ret_link_local = (struct ip_addr){0};
    }
    return true;
}

enum bgp_outcome mp_reach_decode(struct attr_decoder *d, struct byte_reader *r) {
    struct bgp_update *u = d->update;
    enum bgp_family family;
    struct bgp_nlri nlri;
    struct ip_addr next_hop, link_local;
    if (!mp_family(d, r, &family)) {
        d->mp_reach_foreign = bytes_ok(r);
        return bytes_ok(r) ? BGP_OUTCOME_OK : mp_reset(d, ATTR_MP_REACH);
    }
    uint8_t next_hop_size = bytes_u8(r);
    struct byte_reader next_hop_bytes = bytes_view(r, next_hop_size);
    bytes_u8(r); /* reserved, once the number of SNPAs: RFC 4760 3 ignores it */
    if (!bytes_ok(r) || !mp_next_hop(d->codec, family, &next_hop_bytes, &next_hop, &link_local) ||
        !mp_nlri(d, r, family, &nlri)) {
        return mp_reset(d, ATTR_MP_REACH);
    }
    if (nlri.size > 0) {
        uint8_t at = u->announced_count++;
        u->announced[at] = nlri;
        u->next_hop[at] = next_hop;
        u->link_local[at] = link_local;
    }
    return BGP_OUTCOME_OK;
}

enum bgp_outcome mp_unreach_decode(struct attr_decoder *d, struct byte_reader *r) {
    struct bgp_update *u = d->update;
    enum bgp_family family;
    struct bgp_nlri nlri;
    if (!mp_family(d, r, &family)) {
        return bytes_ok(r) ? BGP_OUTCOME_OK : mp_reset(d, ATTR_MP_UNREACH);
    }
    if (!mp_nlri(d, r, family, &nlri)) {
        return mp_reset(d, ATTR_MP_UNREACH);
    }
    if (nlri.size > 0) {
        u->withdrawn[u->withdrawn_count++] = nlri;
    } else {
        u->end_of_rib_family = family; /* of an End-of-RIB, if nothing else is in the UPDATE */
        u->end_of_rib = true;
    }
    return BGP_OUTCOME_OK;
}
