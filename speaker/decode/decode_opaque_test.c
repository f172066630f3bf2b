/*
 * Attributes that are only carried, in words: sound values, and each of them cut everywhere.
 */
#include "decode_opaque.h"

#include "../base/text.h"
#include "../core/codec_test.h"

#include <stdlib.h>
#include <string.h>

#define AIGP 26
#define BFD 38
#define EXT6 25
#define PMSI 22
#define SET 128
#define SID 40
#define TUNNEL 23

#define RT6 "0002 20010db8000000000000000000000001 0064"
#define SRV6_SID "00 20010db8000f00000000000000000000 00 0013 00"

struct row {
    uint8_t code;
    const char *hex, *words; /* NULL: nothing but octets */
};

static const struct row rows[] = {
    {AIGP, "01000b 00000000000003e9", "metric 1001"},
    {AIGP, "01000b ffffffffffffffff", "metric 18446744073709551615"},
    {AIGP, "010003 ", NULL},
    {AIGP, "01000a 00000000000003", NULL},
    {AIGP, "01000c 00000000000003e900", NULL},
    {AIGP, "020005abcd", "TLV 2 of 5 octets"},
    {AIGP, "02000301000b 0000000000000007", "TLV 2 of 3 octets, metric 7"},
    {AIGP, "020002", NULL},
    {AIGP, "020000", NULL},
    {AIGP, "0200ff00", NULL},

    {PMSI, "00 06 000641 c0000207", "ingress-replication, label 100 (VNI 1601), tunnel 192.0.2.7"},
    {PMSI, "00 06 000000 20010db8000000000000000000000007",
     "ingress-replication, tunnel 2001:db8::7"},
    {PMSI, "00 00 000000", "no tunnel"},
    {PMSI, "01 03 000000 c0000207 e8010101", "pim-ssm, flags 0x01, tunnel 192.0.2.7 232.1.1.1"},
    {PMSI, "00 02 000010 06000104c000020700",
     "mldp-p2mp, label 1 (VNI 16), tunnel "
     "06000104c000020700"},
    {PMSI, "00 06 000000 c00002", "ingress-replication, tunnel c00002"},
    {PMSI, "00 0a 000000", "type 10"},
    {PMSI, "00 06 0000", NULL},

    {TUNNEL, "0008 0000", "vxlan"},
    {TUNNEL, "0008 0006 0404 0000000a", "vxlan sub-TLVs 4"},
    {TUNNEL, "000f 000b 0d02 0000 800004 01020304 0002 0000", "sr-policy sub-TLVs 13 128, gre"},
    {TUNNEL, "0008 0001 04", NULL},
    {TUNNEL, "0008 0002 0401", NULL},
    {TUNNEL, "0008 0003 800001", NULL},
    {TUNNEL, "0008 00", NULL},

    {EXT6, RT6, "rt:[2001:db8::1]:100"},
    {EXT6, RT6 RT6, "rt:[2001:db8::1]:100 rt:[2001:db8::1]:100"},
    {EXT6, RT6 "00", NULL},

    {SID, "01 0007 00 0000 00000009", "label index 9"},
    {SID, "01 0006 00 0000 000009", NULL},
    {SID, "01 0008 00 0000 00000009 00", NULL},
    {SID, "01 0007 00 0000 00000009 03 0008 0000 004e20 0003e8", "label index 9, SRGB 20000+1000"},
    {SID, "03 000e 0000 004e20 0003e8 007530 000064", "SRGB 20000+1000 30000+100"},
    {SID, "03 0007 0000 004e20 0003", NULL},
    {SID, "05 0019 00 01 0015 " SRV6_SID, "SRv6 L3 SID 2001:db8:f:: behaviour 0x0013"},
    {SID, "06 0019 00 01 0015 " SRV6_SID, "SRv6 L2 SID 2001:db8:f:: behaviour 0x0013"},
    {SID, "05 0014 00 01 0010 00 20010db8000f000000000000000000", NULL},
    {SID, "05 0005 00 02 0001 00", "SRv6 L3"},
    {SID, "05 0000", NULL},
    {SID, "09 0002 abcd", "TLV 9 of 2 octets"},
    {SID, "00 0000 00 0000", "TLV 0 of 0 octets, TLV 0 of 0 octets"},
    {SID, "00 0000 00 00", NULL},

    {BFD, "01 0000000b", "mode 1, discriminator 11"},
    {BFD, "01 0000000b 01 04 c0000201", "mode 1, discriminator 11"},
    {BFD, "01 000000", NULL},

    {SET, "0000fe0c 40010100 40020a 0202 0000fe0d 0000fe0e 400504 000000c8 c06302 abcd",
     "origin AS 65036: ORIGIN igp, AS_PATH, LOCAL_PREF 200, unknown"},
    {SET, "0000fe0c 5005 0004 000000c8", "origin AS 65036: LOCAL_PREF 200"},
    {SET, "0000fe0c 400503 0000c8", "origin AS 65036: LOCAL_PREF"},
    {SET, "0000fe0c", "origin AS 65036:"},
    {SET, "0000fe0c 400504 0000c8", NULL},
    {SET, "0000fe", NULL},

    {29, "0102", NULL},
    {99, "0102", NULL},
    {AIGP, "", NULL},
    {TUNNEL, "", NULL},
};

static void test_words(void **state) {
    struct text out;
    (void)state;
    text_init(&out);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t data[256];
        size_t size = codec_hex(rows[i].hex, data, 0, sizeof data);
        text_clear(&out);
        bool read = decode_opaque_put(rows[i].code, data, size, &out);
        if (read != (rows[i].words != NULL))
            fail_msg("%u %s: \"%s\"", rows[i].code, rows[i].hex, text_str(&out));
        assert_string_equal(text_str(&out), read ? rows[i].words : "");
    }
    text_deinit(&out);
}

/* Each value cut short, in memory of just that size: nothing behind it is read, and what is not
 * read leaves nothing. */
static void test_cut(void **state) {
    struct text out;
    (void)state;
    text_init(&out);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t whole[256];
        size_t size = codec_hex(rows[i].hex, whole, 0, sizeof whole);
        for (size_t cut = 0; cut < size; cut++) {
            uint8_t *data = malloc(cut + 1);
            assert_non_null(data);
            memcpy(data + 1, whole, cut);
            text_clear(&out);
            if (!decode_opaque_put(rows[i].code, data + 1, cut, &out))
                assert_int_equal(out.size, 0);
            free(data);
        }
    }
    text_deinit(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests_name("decode_opaque", tests, NULL, NULL);
}
