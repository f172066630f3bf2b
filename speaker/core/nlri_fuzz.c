/*
 * Fuzzes prefix lists: validation and walk agree with a second reading that works bit by bit, and
 * what was read, written again, is what came in but for bits behind the prefix.
 *
 * The input: an octet for the list (bit 0 IPv6, bit 1 path identifiers), then the list.
 */
#include "nlri.h"

#include "../base/fuzz.h"
#include "limits.h"

#include <assert.h>

/* One prefix, read bit by bit. */
struct plain {
    uint32_t path_id;
    uint8_t length;
    uint8_t bits[16];
};

/* Octets taken; 0: no whole prefix with a possible length stands there. */
static size_t plain_read(const uint8_t *data, size_t size, bool ipv6, bool add_path,
                         struct plain *ret) {
    size_t at = 0;
    *ret = (struct plain){0};
    for (; add_path && at < 4; at++) {
        if (at == size) {
            return 0;
        }
        ret->path_id = ret->path_id << 8 | data[at];
    }
    if (at >= size || data[at] > (ipv6 ? 128 : 32)) {
        return 0;
    }
    ret->length = data[at++];
    for (unsigned bit = 0; bit < ret->length; bit++) {
        if (at + bit / 8 >= size) {
            return 0;
        }
        ret->bits[bit / 8] |= (uint8_t)(data[at + bit / 8] & 0x80 >> bit % 8);
    }
    return at + (ret->length + 7u) / 8;
}

static void same(const struct plain *want, struct ip_prefix p, uint32_t path_id) {
    assert(p.length == want->length && path_id == want->path_id);
    assert(memcmp(p.addr.bytes, want->bits, sizeof want->bits) == 0);
    assert(ip_prefix_is_masked(p));
}

static void written(const struct plain *want, struct ip_prefix p) {
    uint8_t out[32];
    struct plain back;
    struct byte_writer w = bytes_writer(out, sizeof out);
    nlri_put(&w, p);
    assert(!w.failed && w.at == nlri_size(p));
    assert(plain_read(out, w.at, p.addr.family == IP_V6, false, &back) == w.at);
    assert(back.length == want->length && memcmp(back.bits, want->bits, sizeof back.bits) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1 || size > BGP_MESSAGE_EXTENDED_MAX) {
        return 0;
    }
    bool ipv6 = data[0] & 1, add_path = data[0] & 2;
    enum bgp_family family = ipv6 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST;
    struct bgp_nlri list = {
        .family = family, .add_path = add_path, .data = data + 1, .size = (uint32_t)(size - 1)};
    bool valid = nlri_valid(family, add_path, list.data, list.size);
    struct plain want;
    struct ip_prefix p;
    uint32_t at = 0, unicast_at = 0, path_id, all = 0, unicast = 0;
    size_t step;
    for (size_t from = 0; from < list.size; from += step, all++) {
        step = plain_read(list.data + from, list.size - from, ipv6, add_path, &want);
        if (step == 0) {
            assert(!valid);
            return 0;
        }
        if (valid) {
            bool more = nlri_next_path(&list, &at, &p, &path_id);
            assert(more && at == from + step);
            same(&want, p, path_id);
            written(&want, p);
        }
    }
    assert(valid && !nlri_next_path(&list, &at, &p, &path_id));
    for (; nlri_next(&list, &unicast_at, &p); unicast++) {
        assert(!ip_is_multicast(p.addr) || p.length < 4);
    }
    assert(unicast <= all);
    return 0;
}

static const struct fuzz_seed nlri_fuzz_seeds[] = {
    FUZZ_SEED("\0\x18\xc0\0\2\x08\x0a\0\x20\x0a\1\2\3\x09\x0a\xff"),
    FUZZ_SEED("\1\x40\x20\1\x0d\xb8\0\0\0\0\0\x80\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"),
    FUZZ_SEED("\2\0\0\0\1\x18\xc0\0\2\xff\xff\xff\xff\0\0\0\0\0\x08\x0a"),
    FUZZ_SEED("\3\0\0\0\7\x31\x20\1\x0d\xb8\xff\xff\xff"),
    FUZZ_SEED("\0\x20\xe0\0\0\1\x08\x7f\x08\0\x04\xf0"),
};

FUZZ_MAIN(nlri_fuzz_seeds)
