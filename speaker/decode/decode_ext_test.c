/*
 * Extended communities in words: each type by name, and octets of what has none.
 */
#include "decode_ext.h"

#include "../base/text.h"
#include "../core/codec_test.h"

#include <string.h>

struct row {
    const char *hex, *words;
};

static const struct row rows[] = {
    /* administrator and number, three ways */
    {"0002fe0c0000002a", "rt:65036:42"},
    {"0102c0000201000b", "rt:192.0.2.1:11"},
    {"0202fde800010007", "rt:4259840001:7"},
    {"0003fe0cffffffff", "soo:65036:4294967295"},
    {"0103c63364070100", "soo:198.51.100.7:256"},
    {"0203000100020003", "soo:65538:3"},
    {"4002fe0c0000002a", "rt:65036:42/non-transitive"},
    {"4202000100020003", "rt:65538:3/non-transitive"},
    {"000500c800000001", "ospf-domain-id:200:1"},
    {"0105c00002010000", "ospf-domain-id:192.0.2.1:0"},
    {"0008fe0c00000001", "data-collection:65036:1"},
    {"0009fe0c00000000", "source-as:65036:0"},
    {"0209000100020000", "source-as:65538:0"},
    {"000afe0c00000005", "l2vpn-id:65036:5"},
    {"010bc00002010064", "vrf-route-import:192.0.2.1:100"},
    {"0010fe0c00000007", "vpn-distinguisher:65036:7"},
    {"0013fe0c00000007", "rt-record:65036:7"},
    /* link bandwidth: a float, octets a second */
    {"4004fe0c4c3ebc20", "link-bandwidth:65036:50000000B/s"},
    {"0004fe0c00000000", "link-bandwidth:65036:0B/s"},
    {"4004fe0c7f7fffff", "link-bandwidth:65036:340282346638528859811704183484516925440B/s"},
    {"4004fe0c7f800000", "4004fe0c7f800000"}, /* infinite */
    {"4004fe0c7fc00000", "4004fe0c7fc00000"}, /* no number */
    {"4004fe0cc2c80000", "4004fe0cc2c80000"}, /* negative */
    /* opaque ones */
    {"0107c00002020000", "ospf-router-id:192.0.2.2"},
    {"0306000000050200", "ospf-route:0.0.0.5:2:0"},
    {"4301800a00000064", "cost:128:10:100"},
    {"030b000000000190", "color:400"},
    {"030b400000000190", "color:400/0x4000"},
    {"030c000000000008", "encapsulation:vxlan"},
    {"030c000000000002", "encapsulation:gre"},
    {"030c000000000013", "encapsulation:geneve"},
    {"030c000000000011", "encapsulation:17"},
    {"030c00000000ffff", "encapsulation:65535"},
    {"030d000000000000", "default-gateway"},
    {"4300000000000000", "validation:valid"},
    {"4300000000000001", "validation:not-found"},
    {"4300000000000002", "validation:invalid"},
    {"4300000000000003", "4300000000000003"},
    /* EVPN */
    {"0600010000000009", "mac-mobility:9/sticky"},
    {"0600000000000009", "mac-mobility:9"},
    {"0601010000003e90", "esi-label:1001/single-active"},
    {"06020200005e1001", "es-import:02:00:00:5e:10:01"},
    {"06030200005e1002", "router-mac:02:00:00:5e:10:02"},
    {"0604000205dc0000", "l2-attributes:0x0002:mtu-1500"},
    {"0606020000000000", "df-election:2"},
    /* flow specification */
    {"8006fe0c461c4000", "traffic-rate:10000B/s"},
    {"800cfe0c42c80000", "traffic-rate:100packets/s"},
    {"8007000000000003", "traffic-action:sample+continue"},
    {"8007000000000001", "traffic-action:continue"},
    {"8007000000000002", "traffic-action:sample"},
    {"8007000000000000", "8007000000000000"},
    {"8008fe0c00000005", "redirect:65036:5"},
    {"8108c00002010005", "redirect:192.0.2.1:5"},
    {"8208000100020005", "redirect:65538:5"},
    {"800900000000002e", "traffic-marking:dscp-46"},
    /* no name */
    {"0000000000000000", "0000000000000000"},
    {"00fffe0c00000001", "00fffe0c00000001"},
    {"2500498a00000262", "2500498a00000262"},
    {"ffffffffffffffff", "ffffffffffffffff"},
};

static const struct row rows6[] = {
    {"000220010db80000000000000000000000010064", "rt:[2001:db8::1]:100"},
    {"000320010db80000000000000000000000010064", "soo:[2001:db8::1]:100"},
    {"400220010db80000000000000000000000010064", "rt:[2001:db8::1]:100/non-transitive"},
    {"00ff20010db80000000000000000000000010064", "00ff20010db80000000000000000000000010064"},
    {"030220010db80000000000000000000000010064", "030220010db80000000000000000000000010064"},
};

static void check(const struct row *list, size_t count, size_t size,
                  void (*put)(const uint8_t *, struct text *)) {
    struct text out;
    text_init(&out);
    for (size_t i = 0; i < count; i++) {
        uint8_t data[DECODE_EXT6_SIZE];
        assert_int_equal(codec_hex(list[i].hex, data, 0, sizeof data), size);
        text_clear(&out);
        put(data, &out);
        assert_string_equal(text_str(&out), list[i].words);
    }
    text_deinit(&out);
}

static void test_words(void **state) {
    (void)state;
    check(rows, sizeof rows / sizeof rows[0], DECODE_EXT_SIZE, decode_ext_put);
}

static void test_ipv6_words(void **state) {
    (void)state;
    check(rows6, sizeof rows6 / sizeof rows6[0], DECODE_EXT6_SIZE, decode_ext6_put);
}

/* Every type and subtype, with values of all kinds: one word each, whatever they are. */
static void test_all_types(void **state) {
    static const uint8_t fills[] = {0x00, 0x01, 0x7F, 0x80, 0xFF};
    struct text out;
    (void)state;
    text_init(&out);
    for (unsigned type = 0; type <= UINT16_MAX; type++) {
        for (size_t f = 0; f < sizeof fills; f++) {
            uint8_t data[DECODE_EXT_SIZE];
            memset(data, fills[f], sizeof data);
            data[0] = (uint8_t)(type >> 8);
            data[1] = (uint8_t)type;
            text_clear(&out);
            decode_ext_put(data, &out);
            assert_true(out.size > 0);
            assert_null(strpbrk(text_str(&out), " \"\\,"));
        }
    }
    text_deinit(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_ipv6_words),
        cmocka_unit_test(test_all_types),
    };
    return cmocka_run_group_tests_name("decode_ext", tests, NULL, NULL);
}
