/*
 * Fuzzes open_decode with any octets as the body of an OPEN.
 *
 * A second reading (open_model_fixture.c) says whether it is to be refused, with which subcode, and
 * else what it says. What is accepted must be written and read again to the same meaning. Broken
 * promises abort.
 */
#include "message.h"

#include "../base/fuzz.h"
#include "limits.h"
#include "open_model_fixture.h"

static void open_fuzz_require(bool holds) {
    if (!holds) {
        abort();
    }
}

/* Families that are not ours leave none to write, and which of two roles was first is lost. */
static void open_fuzz_same(const struct bgp_open *a, struct bgp_open b) {
    b.role_conflict = a->role_conflict;
    if (!b.mp_present) {
        b.mp_present = a->mp_present;
        memcpy(b.families, a->families, sizeof b.families);
    }
    open_fuzz_require(open_model_same(a, &b));
    open_fuzz_require(a->has_capabilities || !b.has_capabilities);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t out[BGP_MESSAGE_SIZE_MAX];
    struct bgp_open o, again;
    struct bgp_error error;
    int refused = open_model_read(data, size, &again);
    if (!open_decode(data, size, &o, &error)) {
        open_fuzz_require(error.code == BGP_ERR_OPEN && error.subcode == refused);
        return 0;
    }
    open_fuzz_require(refused < 0 && open_model_same(&o, &again));
    open_fuzz_require(o.has_capabilities == again.has_capabilities);
    for (int each = 0; each < 2; each++) {
        o.one_capability_per_parameter = each;
        size_t whole = open_encode(&o, out, sizeof out);
        open_fuzz_require(whole >= 29);
        open_fuzz_require(
            open_decode(out + BGP_HEADER_SIZE, whole - BGP_HEADER_SIZE, &again, &error));
        open_fuzz_same(&o, again);
    }
    return 0;
}

#define HEAD "\x04\xfd\xe9\0\xb4\x01\x02\x03\x04"

static const struct fuzz_seed open_fuzz_seeds[] = {
    FUZZ_SEED(HEAD "\0"),
    FUZZ_SEED(HEAD "\x08\x02\x06\x01\x04\0\x01\0\x01"),
    FUZZ_SEED(HEAD "\x1c\x02\x06\x01\x04\0\x01\0\x01\x02\x02\x80\0\x02\x02\x02\0\x02\x02\x46\0"
                   "\x02\x06\x41\x04\0\0\xff\xff"),
    FUZZ_SEED(HEAD "\x22\x02\x20\x01\x04\0\x01\0\x01\x01\x04\0\x02\0\x01\x02\0\x40\x0a\x80\x78\0"
                   "\x01\x01\x80\0\x02\x01\0\x41\x04\0\x01\0\0"),
    FUZZ_SEED(HEAD "\x22\x02\x20\x05\x06\0\x01\0\x01\0\x02\x06\0\x09\x01\x03\x45\x04\0\x01\x01\x03"
                   "\x47\x07\0\x02\x01\x80\x01\x51\x80"),
    FUZZ_SEED(HEAD "\xff\xff\0\x09\x02\0\x06\x01\x04\0\x02\0\x01"),
    FUZZ_SEED(HEAD "\x10\x02\x0e\x49\x06\x04host\0\x4b\x04\x03"
                   "bgp"),
};

FUZZ_MAIN(open_fuzz_seeds)
