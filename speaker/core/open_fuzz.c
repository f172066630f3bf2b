/*
 * Fuzzes open_decode with any octets as the body of an OPEN.
 *
 * What is accepted must be written and read again to the same meaning; what is refused must say why
 * with an OPEN error. Broken promises abort.
 */
#include "message.h"

#include "../base/fuzz.h"
#include "limits.h"

static void open_fuzz_require(bool holds) {
    if (!holds) {
        abort();
    }
}

static void open_fuzz_same(const struct bgp_open *a, const struct bgp_open *b) {
    open_fuzz_require(a->asn == b->asn && a->hold_time_s == b->hold_time_s);
    open_fuzz_require(a->router_id == b->router_id);
    /* Capabilities we do not know leave none to write. */
    open_fuzz_require(a->has_capabilities || !b->has_capabilities);
    open_fuzz_require(a->refresh == b->refresh && a->refresh_old == b->refresh_old);
    open_fuzz_require(a->enhanced_refresh == b->enhanced_refresh && a->as4 == b->as4);
    open_fuzz_require(a->gr == b->gr && a->gr_restarting == b->gr_restarting);
    open_fuzz_require(a->gr_notification == b->gr_notification && a->gr_time_s == b->gr_time_s);
    open_fuzz_require(a->extended_message == b->extended_message && a->role == b->role);
    open_fuzz_require(a->extended_next_hop == b->extended_next_hop && a->llgr == b->llgr);
    for (int f = 0; f < BGP_FAMILIES; f++) {
        open_fuzz_require(a->add_path[f] == b->add_path[f]);
        open_fuzz_require(a->llgr_time_s[f] == b->llgr_time_s[f]);
        open_fuzz_require(a->gr_families[f].present == b->gr_families[f].present);
        open_fuzz_require(a->gr_families[f].forwarding == b->gr_families[f].forwarding);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t out[BGP_MESSAGE_SIZE_MAX];
    struct bgp_open o, again;
    struct bgp_error error;
    if (!open_decode(data, size, &o, &error)) {
        open_fuzz_require(error.code == BGP_ERR_OPEN && error.subcode <= 11);
        return 0;
    }
    open_fuzz_require(o.asn != 0 && o.router_id != 0);
    for (int each = 0; each < 2; each++) {
        o.one_capability_per_parameter = each;
        size_t whole = open_encode(&o, out, sizeof out);
        open_fuzz_require(whole >= 29);
        open_fuzz_require(
            open_decode(out + BGP_HEADER_SIZE, whole - BGP_HEADER_SIZE, &again, &error));
        open_fuzz_same(&o, &again);
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
