/*
 * UPDATE, octet by octet: every row is a message, what RFC 7606 makes of it, and the attributes
 * written again. Names start with the number of the conformance check they stand for.
 *
 * The rows stand in update_cases_test.h. Behind them: framing, whole bodies; and the sweeps: every
 * attribute code with every flag octet and many lengths, and every truncation of a message with
 * everything in it.
 */
#include "attr_decode.h"
#include "message.h"

#include "../base/arena.h"
#include "../base/text.h"
#include "cases_test.h"
#include "codec_test.h"
#include "limits.h"
#include "update_cases_test.h"

#include <stdlib.h>
#include <string.h>

/* ---- running a row ---- */

struct update_state {
    struct arena *scratch;
    uint8_t body[8192];
    size_t size;
};

static int update_setup(void **state) {
    struct update_state *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->scratch = arena_new();
    *state = s;
    return 0;
}

static int update_teardown(void **state) {
    struct update_state *s = *state;
    arena_free(s->scratch);
    free(s);
    return 0;
}

static size_t update_field(struct update_state *s, const char *hex) {
    size_t start = s->size;
    s->size = codec_hex(hex, s->body, start + 2, sizeof s->body);
    s->body[start] = (uint8_t)((s->size - start - 2) >> 8);
    s->body[start + 1] = (uint8_t)(s->size - start - 2);
    return start;
}

static void update_build(struct update_state *s, const char *withdrawn, const char *attrs,
                         const char *nlri) {
    s->size = 0;
    update_field(s, withdrawn);
    update_field(s, attrs);
    s->size = codec_hex(nlri, s->body, s->size, sizeof s->body);
}

/* The decoder gets a copy of exact size, so that reading past the end is seen. */
static void update_run(struct update_state *s, enum update_peer peer, struct bgp_update *ret) {
    arena_reset(s->scratch);
    uint8_t *body = arena_alloc(s->scratch, s->size + 1);
    uint8_t *exact = malloc(s->size ? s->size : 1);
    assert_non_null(exact);
    memcpy(exact, s->body, s->size);
    struct bgp_update first;
    update_decode(&codecs[peer], exact, s->size, s->scratch, &first);
    free(exact);
    memcpy(body, s->body, s->size);
    update_decode(&codecs[peer], body, s->size, s->scratch, ret);
    assert_int_equal(first.outcome, ret->outcome);
    assert_int_equal(first.announced_count, ret->announced_count);
}

static void update_list(const struct bgp_nlri *n, char sign, struct text *out) {
    struct ip_prefix p;
    char text[IP_PREFIX_TEXT_MAX];
    for (uint32_t at = 0; nlri_next(n, &at, &p);) {
        assert_true(ip_prefix_is_masked(p));
        text_printf(out, "%s%c%s", out->size ? " " : "", sign, ip_prefix_format(p, text));
    }
}

static void update_check_again(const struct update_case *c, const struct bgp_update *u) {
    uint8_t out[4096];
    struct byte_writer w = bytes_writer(out, sizeof out);
    bool ipv4 = u->attrs.next_hop.family == IP_V4;
    struct attr_encoding how = {.as4 = true, .family = ipv4 ? BGP_IPV4_UNICAST : BGP_IPV6_UNICAST};
    assert_true(attr_encode(&u->attrs, &how, &w));
    codec_assert_bytes(c->name, out, w.at, strcmp(c->again, "=") == 0 ? c->attrs : c->again);
}

static void update_check(struct update_state *s, const struct update_case *c) {
    struct bgp_update u;
    struct text prefixes;
    update_build(s, c->withdrawn, c->attrs, c->nlri);
    update_run(s, c->peer, &u);
    text_init(&prefixes);
    for (uint8_t i = 0; i < u.withdrawn_count; i++) {
        update_list(&u.withdrawn[i], '-', &prefixes);
    }
    for (uint8_t i = 0; i < u.announced_count; i++) {
        update_list(&u.announced[i], '+', &prefixes);
    }
    bool good = u.outcome == c->outcome && u.worst_attribute == c->worst &&
                u.error.code == (c->outcome == RESET ? BGP_ERR_UPDATE : 0) &&
                u.error.subcode == c->subcode &&
                (!c->prefixes || strcmp(text_str(&prefixes), c->prefixes) == 0);
    if (!good) {
        print_error("%s: got %s by %u (%u/%u), prefixes \"%s\"\n", c->name,
                    bgp_outcome_name(u.outcome), u.worst_attribute, u.error.code, u.error.subcode,
                    text_str(&prefixes));
    }
    assert_true(good);
    text_deinit(&prefixes);
    if (c->again) {
        update_check_again(c, &u);
    }
}

/* One row of a table, with a state of its own. */
static void test_case(void **state) {
    void *own = NULL;
    const struct update_case *c = *state;
    assert_int_equal(update_setup(&own), 0);
    update_check(own, c);
    update_teardown(&own);
}

/* ---- framing and single facts ---- */

static void test_C121_framing(void **state) {
    static const struct {
        const char *name, *body;
        uint8_t subcode; /* 0: fine */
    } cases[] = {
        {"C121 withdrawn length beyond the message", "0005 0000", 1},
        {"C121 attribute length beyond the message", "0000 0001", 1},
        {"C121 both, 65535", "FFFF FFFF", 1},
        {"C121 attribute length cut off", "0002 080A 00", 1},
        {"C121 sum one too large", "0002 080A 0004 400101", 1},
        {"C062 exactly empty", "0000 0000", 0},
    };
    struct update_state *s = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bgp_update u;
        s->size = codec_hex(cases[i].body, s->body, 0, sizeof s->body);
        update_run(s, EXT, &u);
        bool reset = cases[i].subcode != 0;
        if (u.error.subcode != cases[i].subcode || u.error.code != (reset ? BGP_ERR_UPDATE : 0) ||
            u.outcome != (reset ? RESET : OK) || u.announced_count || u.withdrawn_count) {
            fail_msg("%s: %s %u/%u", cases[i].name, bgp_outcome_name(u.outcome), u.error.code,
                     u.error.subcode);
        }
    }
}

static void test_C135_end_of_rib(void **state) {
    static const struct {
        const char *name;
        enum update_peer peer;
        const char *withdrawn, *attrs;
        bool is_end;
        enum bgp_family family;
        bool foreign;
    } cases[] = {
        {"C135 IPv4", EXT, "", "", true, BGP_IPV4_UNICAST, false},
        {"C135 IPv6", EXT, "", "80 0F 03 0002 01", true, BGP_IPV6_UNICAST, false},
        {"C135 IPv4 as MP_UNREACH", EXT, "", "80 0F 03 0001 01", true, BGP_IPV4_UNICAST, false},
        {"C135 IPv6 not negotiated", V4, "", "80 0F 03 0002 01", false, 0, true},
        {"C135 IPv4 not negotiated", V6, "", "", false, 0, true},
        {"C135 not with withdrawals", EXT, NET, "80 0F 03 0002 01", false, 0, false},
        {"C135 not with attributes", EXT, "", "80 0F 03 0002 01 " ORIGIN, false, 0, false},
        {"C135 not with prefixes in it", EXT, "", "80 0F 05 0002 01 08 20", false, 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bgp_update u;
        update_build(*state, cases[i].withdrawn, cases[i].attrs, "");
        update_run(*state, cases[i].peer, &u);
        if (u.end_of_rib != cases[i].is_end || u.foreign_family != cases[i].foreign ||
            (u.end_of_rib && u.end_of_rib_family != cases[i].family)) {
            fail_msg("%s: end of rib %d, foreign %d", cases[i].name, u.end_of_rib,
                     u.foreign_family);
        }
    }
}

static void test_C118_reset_carries_attribute(void **state) {
    struct bgp_update u;
    update_build(*state, "", BASE "40 63 02 BEEF", NET);
    update_run(*state, EXT, &u);
    codec_assert_bytes("C118 data", u.error.data, u.error.size, "40 63 02 BEEF");
    update_build(*state, "", ORIGIN PATH "80 0E 08 0002 01 20 20010DB8", "");
    update_run(*state, EXT, &u);
    codec_assert_bytes("C110 data", u.error.data, u.error.size, "80 0E 08 0002 01 20 20010DB8");
}

static void test_C131_next_hops(void **state) {
    struct bgp_update u;
    char text[IP_ADDR_TEXT_MAX];
    update_build(*state, "", BASE "80 0E 2A 0002 01 20 " G6 LL6 "00 " NET6, NET);
    update_run(*state, EXT, &u);
    assert_int_equal(u.outcome, OK);
    assert_int_equal(u.announced_count, 2);
    assert_string_equal(ip_format(u.next_hop[0], text), "10.0.0.2");
    assert_string_equal(ip_format(u.next_hop[1], text), "2001:db8::1");
    assert_string_equal(ip_format(u.link_local[1], text), "fe80::1");
    assert_string_equal(ip_format(u.attrs.next_hop, text), "10.0.0.2");
    assert_false(ip_is_set(u.attrs.link_local));
    update_build(*state, "", ORIGIN PATH "80 0E 2A 0002 01 20 " G6 LL6 "00 " NET6, "");
    update_run(*state, EXT, &u);
    assert_string_equal(ip_format(u.attrs.next_hop, text), "2001:db8::1");
    assert_string_equal(ip_format(u.attrs.link_local, text), "fe80::1");
    /* C131: what stands in the second place but is no link-local address is not used as one. */
    update_build(*state, "", ORIGIN PATH "80 0E 2A 0002 01 20 " G6 G6 "00 " NET6, "");
    update_run(*state, EXT, &u);
    assert_false(ip_is_set(u.link_local[0]));
    /* BIRD, on a link without global addresses. */
    update_build(*state, "", ORIGIN PATH "80 0E 2A 0002 01 20 " NONE6 LL6 "00 " NET6, "");
    update_run(*state, EXT, &u);
    assert_int_equal(u.outcome, OK);
    assert_string_equal(ip_format(u.next_hop[0], text), "fe80::1");
    assert_string_equal(ip_format(u.attrs.next_hop, text), "fe80::1");
    assert_false(ip_is_set(u.link_local[0]));
    assert_false(ip_is_set(u.attrs.link_local));
    update_build(*state, "", ORIGIN PATH "80 0E 2A 0002 01 20 " NONE6 G6 "00 " NET6, "");
    update_run(*state, EXT, &u);
    assert_int_equal(u.outcome, WITHDRAW);
    update_build(*state, "", ORIGIN PATH "80 0E 2A 0002 01 20 " NONE6 NONE6 "00 " NET6, "");
    update_run(*state, EXT, &u);
    assert_int_equal(u.outcome, WITHDRAW);
}

static void test_limits(void **state) {
    struct update_state *s = *state;
    struct bgp_update u;
    /* I8: more unknown attributes than are kept: the rest is discarded, the route stays. */
    update_build(s, "", BASE, "");
    size_t attrs_at = 4;
    size_t count = 0;
    for (unsigned code = 64; code < 64 + BGP_ATTRS_UNKNOWN_MAX + 1; code++, count++) {
        const uint8_t one[] = {0xC0, (uint8_t)code, 1, 7};
        memcpy(s->body + s->size, one, sizeof one);
        s->size += sizeof one;
    }
    s->body[2] = (uint8_t)((s->size - attrs_at) >> 8);
    s->body[3] = (uint8_t)(s->size - attrs_at);
    s->size = codec_hex(NET, s->body, s->size, sizeof s->body);
    update_run(s, EXT, &u);
    assert_int_equal(u.outcome, DISCARD);
    assert_int_equal(u.attrs.unknown_count, BGP_ATTRS_UNKNOWN_MAX);
    for (uint32_t i = 0; i < u.attrs.unknown_count; i++) {
        assert_int_equal(u.attrs.unknown[i].code, 64 + i);
    }
}

/* An UPDATE from a two-octet speaker with an AS_PATH of `count` ASes. */
static void update_build_long_path(struct update_state *s, unsigned count) {
    update_build(s, "", ORIGIN HOP "50 02 0000", "");
    size_t length_at = s->size - 2;
    for (unsigned left = count; left > 0;) {
        unsigned size = left < 255 ? left : 255;
        s->body[s->size++] = AS_SEQUENCE;
        s->body[s->size++] = (uint8_t)size;
        for (unsigned i = 0; i < size; i++) {
            s->body[s->size++] = 0x10;
            s->body[s->size++] = (uint8_t)i;
        }
        left -= size;
    }
    size_t length = s->size - length_at - 2;
    s->body[length_at] = (uint8_t)(length >> 8);
    s->body[length_at + 1] = (uint8_t)length;
    s->body[2] = (uint8_t)((s->size - 4) >> 8);
    s->body[3] = (uint8_t)(s->size - 4);
    s->size = codec_hex(NET, s->body, s->size, sizeof s->body);
}

static void test_long_paths(void **state) {
    static const unsigned counts[] = {254, 255, 256, 750, BGP_AS_PATH_MAX, BGP_AS_PATH_MAX + 1};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct bgp_update u;
        update_build_long_path(*state, counts[i]);
        update_run(*state, OLD, &u);
        bool fits = counts[i] <= BGP_AS_PATH_MAX;
        assert_int_equal(u.outcome, fits ? OK : WITHDRAW);
        assert_int_equal(as_path_length(u.attrs.as_path), fits ? counts[i] : 0);
    }
}

/* ---- sweeps ---- */

/* What must hold of any outcome: lists can be walked, sets can be built, a reset has a reason. */
static void update_check_sane(const struct bgp_update *u) {
    struct ip_prefix p;
    assert_true(u->outcome <= BGP_OUTCOME_SESSION_RESET);
    assert_int_equal(u->error.code != 0, u->outcome == BGP_OUTCOME_SESSION_RESET);
    assert_true(u->announced_count <= 2 && u->withdrawn_count <= 2);
    for (uint8_t i = 0; i < u->announced_count; i++) {
        for (uint32_t at = 0; nlri_next(&u->announced[i], &at, &p);) {
            assert_true(ip_prefix_is_masked(p));
        }
        if (u->outcome < BGP_OUTCOME_TREAT_AS_WITHDRAW) {
            assert_true(ip_is_set(u->next_hop[i]));
        }
    }
}

static void update_sweep_one(struct update_state *s, unsigned code, unsigned flags, size_t length,
                             uint8_t fill) {
    update_build(s, "", BASE, "");
    s->body[s->size++] = (uint8_t)(flags << 4);
    s->body[s->size++] = (uint8_t)code;
    if (flags & 1) {
        s->body[s->size++] = (uint8_t)(length >> 8);
    }
    s->body[s->size++] = (uint8_t)length;
    memset(s->body + s->size, fill, length);
    s->size += length;
    s->body[2] = (uint8_t)((s->size - 4) >> 8);
    s->body[3] = (uint8_t)(s->size - 4);
    s->size = codec_hex(NET, s->body, s->size, sizeof s->body);
    for (enum update_peer peer = EXT; peer <= OLD; peer++) {
        struct bgp_update u;
        arena_reset(s->scratch);
        update_decode(&codecs[peer], s->body, s->size, s->scratch, &u);
        update_check_sane(&u);
    }
}

/* I4: every code, flag nibble and length; the classic prefix is never lost but by a reset. */
static void test_sweep_attributes(void **state) {
    static const size_t lengths[] = {0, 1, 2, 3, 4, 5, 8, 20, 255, 256};
    for (unsigned code = 0; code < 256; code++) {
        for (unsigned flags = 0; flags < 16; flags++) {
            for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
                update_sweep_one(*state, code, flags, lengths[i], 0x00);
                update_sweep_one(*state, code, flags, lengths[i], 0xFF);
            }
        }
    }
}

#define EVERYTHING                                                                                 \
    REACH6 BASE "80 04 04 00000001 40 05 04 00000064 40 06 00 C0 07 08 0000FDE9 01020304 "         \
                "C0 08 08 00010001 FFFFFF01 80 09 04 01020304 80 0A 04 05060708 "                  \
                "80 0F 08 0002 01 20 20010DB9 C0 10 08 0002000100000001 "                          \
                "C0 11 06 02 01 00010000 C0 12 08 00010000 01020304 "                              \
                "C0 20 0C 000000010000000200000003 C0 23 04 0000FDE9 D0 63 0003 010203"

/* I2: every truncation, length fields left or fixed up; I3: every octet set to edge values. */
static void test_sweep_truncations(void **state) {
    static const uint8_t edges[] = {0, 1, 127, 128, 255};
    struct update_state *s = *state;
    struct bgp_update u;
    update_build(s, "18 C00002", EVERYTHING, "08 0A 18 0A0000");
    size_t whole = s->size;
    for (size_t size = 0; size < whole; size++) {
        for (enum update_peer peer = EXT; peer <= INT_OLD; peer++) {
            s->size = size;
            update_run(s, peer, &u);
            update_check_sane(&u);
        }
    }
    for (size_t at = 0; at < whole; at++) {
        uint8_t kept = s->body[at];
        s->size = whole;
        for (size_t i = 0; i < sizeof edges + 2; i++) {
            uint8_t near = (uint8_t)(i == sizeof edges ? kept - 1 : kept + 1);
            s->body[at] = i < sizeof edges ? edges[i] : near;
            update_run(s, INT, &u);
            update_check_sane(&u);
        }
        s->body[at] = kept;
    }
}

/* The n-th allocation fails: out of resources, never a wrong route. */
static void test_no_memory(void **state) {
    (void)state;
    uint8_t body[4096];
    struct update_state s = {0};
    update_build(&s, "", EVERYTHING, NET);
    memcpy(body, s.body, s.size);
    bool failed = false;
    for (unsigned long n = 1; n < 3; n++) {
        struct arena *scratch = arena_new();
        struct bgp_update u;
        alloc_fail_after(n, true);
        update_decode(&codecs[INT], body, s.size, scratch, &u);
        alloc_fail_after(0, false);
        if (u.outcome == RESET) {
            failed = true;
            assert_int_equal(u.error.code, BGP_ERR_CEASE);
            assert_int_equal(u.error.subcode, BGP_CEASE_OUT_OF_RESOURCES);
        } else {
            assert_int_equal(u.outcome, DISCARD); /* AS4_* from a NEW speaker */
        }
        arena_free(scratch);
    }
    assert_true(failed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_C121_framing, update_setup, update_teardown),
        cmocka_unit_test_setup_teardown(test_C135_end_of_rib, update_setup, update_teardown),
        cmocka_unit_test_setup_teardown(test_C118_reset_carries_attribute, update_setup,
                                        update_teardown),
        cmocka_unit_test_setup_teardown(test_C131_next_hops, update_setup, update_teardown),
        cmocka_unit_test_setup_teardown(test_limits, update_setup, update_teardown),
        cmocka_unit_test_setup_teardown(test_long_paths, update_setup, update_teardown),
        cmocka_unit_test_setup_teardown(test_sweep_attributes, update_setup, update_teardown),
        cmocka_unit_test_setup_teardown(test_sweep_truncations, update_setup, update_teardown),
        cmocka_unit_test(test_no_memory),
    };
    static struct cases all;
    CASES_ADD_TABLE(&all, sound_cases, test_case);
    CASES_ADD_TABLE(&all, damage_cases, test_case);
    CASES_ADD_TABLE(&all, as4_cases, test_case);
    cases_add_tests(&all, tests, sizeof tests / sizeof tests[0]);
    return cases_run(&all, "update");
}
