/*
 * The multiprotocol attributes as fields, whatever their family: RFC 4760 3, 4.
 *
 * Prefixes of families that are ours are the codec's to read; of others a reader gets the family,
 * the next hop and the octets.
 */
#include "decode_mp.h"

#include "../base/text.h"

#define ROUTE_DISTINGUISHER_SIZE 8

bool decode_mp_fields(const struct decode_attr *a, struct decode_mp *ret_mp) {
    struct byte_reader r = bytes_reader(a->data, a->size);
    struct decode_mp mp = {.afi = bytes_u16(&r), .safi = bytes_u8(&r)};
    if (a->code != ATTR_MP_REACH && a->code != ATTR_MP_UNREACH)
        return false;
    if (a->code == ATTR_MP_REACH) {
        mp.next_hop_size = bytes_u8(&r);
        mp.next_hop = bytes_take(&r, mp.next_hop_size);
        (void)bytes_u8(&r); /* reserved */
    }
    mp.nlri_size = bytes_left(&r);
    mp.nlri = bytes_take(&r, mp.nlri_size);
    if (!bytes_ok(&r))
        return false;
    *ret_mp = mp;
    return true;
}

void decode_mp_next_hop(const struct decode_mp *mp, struct text *out) {
    struct byte_reader r = bytes_reader(mp->next_hop, mp->next_hop_size);
    bool has_rd = mp->next_hop_size == 12 || mp->next_hop_size == 24 || mp->next_hop_size == 48;
    size_t rd_size = has_rd ? ROUTE_DISTINGUISHER_SIZE : 0;
    size_t size = mp->next_hop_size == 4 || mp->next_hop_size == 12 ? 4 : 16;
    if (mp->next_hop_size == 0 || mp->next_hop_size % (rd_size + size) != 0 ||
        mp->next_hop_size > 2 * (rd_size + size)) {
        for (size_t i = 0; i < mp->next_hop_size; i++)
            text_printf(out, "%02x", mp->next_hop[i]);
        return;
    }
    while (bytes_left(&r) > 0) {
        (void)bytes_take(&r, rd_size);
        decode_put_address(bytes_take(&r, size), size, out);
        if (bytes_left(&r) > 0)
            text_putc(out, ' ');
    }
}

bool decode_mp_is_read(const struct decode_message *m, const struct decode_mp *mp) {
    enum bgp_family family;
    return family_from_afi(mp->afi, mp->safi, &family) && m->how.codec.families[family];
}
