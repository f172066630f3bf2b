/*
 * decode: what it makes of files, by the program; and the MRT files of a run.
 */

#include "cli_fixture.h"

#include "../../speaker/base/text.h"
#include "../../speaker/decode/decode_line.h"

static int setup(void **state) {
    if (world_enter(state) != 0)
        return -1;
    fixture_scenario("mesh", "  - name: up\n    expect: {sessions: mesh, converged: true}\n");
    return 0;
}

/* One command: its exit status, and what it says on either stream (NULL: anything). */
static void says(const char *const *words, int status, const char *what) {
    struct run r = run_words(words);

    if (r.status != status)
        fail_msg("%s: %d, not %d: %s %s", words[0], r.status, status, written(r.out),
                 written(r.err));
    if (what && !strstr(written(r.out), what) && !strstr(written(r.err), what))
        fail_msg("%s: no \"%s\" in: %s %s", words[0], what, written(r.out), written(r.err));
    run_close(&r);
}

#define KEEPALIVE "ffffffffffffffffffffffffffffffff001304"

/* What a file holds is seen from its first octets. */
static void test_decode(void **state) {
    (void)state;
    static const char peers[] =
        "eS/\x80\0\x0d\0\x01\0\0\0\x15\x0a\0\0\x01\0\0\0\x01\x02\x0a\0\0\x02"
        "\x0a\0\0\x02\0\0\xfd\xe9";
    says(WORDS("decode", KEEPALIVE), 0, "KEEPALIVE, 19 octets");
    says(WORDS("decode", "--json", KEEPALIVE), 0, "{\"type\":\"keepalive\",\"length\":19}");
    says(WORDS("decode", "not hexadecimal"), 1, "not hexadecimal");
    says(WORDS("decode", "--add-path", "ipv5", KEEPALIVE), 2, "--add-path");
    fixture_text("messages.hex", "# two\n" KEEPALIVE "\n\n" KEEPALIVE "\n");
    /* As `xxd -p -c 0` writes a long session: a part of it would be read as something else. */
    struct text long_line;
    text_init(&long_line);
    while (long_line.size <= DECODE_LINE_MAX)
        text_puts(&long_line, KEEPALIVE);
    text_puts(&long_line, "\n" KEEPALIVE "\n");
    fixture_write("long.hex", long_line.data, long_line.size);
    says(WORDS("decode", fixture_path("long.hex")), 1,
         "the line is too long\nKEEPALIVE, 19 octets\n");
    text_deinit(&long_line);
    says(WORDS("decode", fixture_path("messages.hex")), 0,
         "KEEPALIVE, 19 octets\nKEEPALIVE, 19 octets\n");
    fixture_write("peers.mrt", peers, sizeof peers - 1);
    says(WORDS("decode", fixture_path("peers.mrt")), 0, "");
    fixture_write("cut.mrt", peers, sizeof peers - 2);
    says(WORDS("decode", fixture_path("cut.mrt")), 1, "record 1 at octet 0: truncated");
    fixture_write("empty", "", 0);
    says(WORDS("decode", fixture_path("empty")), 2, "empty");
    fixture_text("text", "hello, world: this is nothing that BGP has\n");
    says(WORDS("decode", fixture_path("text")), 2, "neither hexadecimal");
}

#define TWICE "KEEPALIVE, 19 octets\nKEEPALIVE, 19 octets\n"

/* Messages one behind the other, as octets and as hexadecimal; blanks that nobody quoted. */
static void test_octets(void **state) {
    static const char octets[] =
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\x13\4"
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\x13\4";
    char wrong[sizeof octets];
    (void)state;
    fixture_write("two.bin", octets, sizeof octets - 1);
    says(WORDS("decode", fixture_path("two.bin")), 0, TWICE);
    fixture_write("cut.bin", octets, sizeof octets - 3);
    says(WORDS("decode", fixture_path("cut.bin")), 1, "octets\nnot a message\n  error: ");
    memcpy(wrong, octets, sizeof wrong);
    wrong[17] = 5; /* no message is so short: where the next one begins is not known */
    fixture_write("wrong.bin", wrong, sizeof wrong - 1);
    struct run r = run_words(WORDS("decode", fixture_path("wrong.bin")));
    assert_int_equal(r.status, 1);
    assert_string_equal(written(r.out), "not a message\n  error: session-reset, 1/2 Bad Message "
                                        "Length\n");
    run_close(&r);
    says(WORDS("decode", KEEPALIVE KEEPALIVE), 0, TWICE);
    says(WORDS("decode", KEEPALIVE "00"), 1, "octets behind the message's end");
    says(WORDS("decode", "ffffffff", "ffffffff", "ff:ff:ff:ff", "ffff ffff", "001304"), 1, NULL);
    says(WORDS("decode", "ffffffff", "ffffffff", "ffffffff", "ff", "ffffff", "00", "1304"), 0,
         "KEEPALIVE, 19 octets\n");
}

static void test_no_file(void **state) {
    (void)state;
    says(WORDS("decode", "session.pcap"), 1, "not hexadecimal, and no file of this name is there");
    says(WORDS("decode", fixture_path("")), 2, ": Is a directory");
}

/* A reader that goes away has had enough: no fault, and nothing more is read for it. */
static void test_reader_goes_away(void **state) {
    static char hex[400000];
    int ends[2];
    (void)state;
    for (size_t at = 0; at + sizeof KEEPALIVE <= sizeof hex; at += sizeof KEEPALIVE)
        memcpy(hex + at, KEEPALIVE "\n", sizeof KEEPALIVE);
    fixture_write("many.hex", hex, sizeof hex / sizeof KEEPALIVE * sizeof KEEPALIVE);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    close(ends[0]);
    struct run_options o = {.out = ends[1]};
    struct run r = run_start_with(&o, WORDS("decode", fixture_path("many.hex")));
    run_end(&r);
    close(ends[1]);
    assert_int_equal(r.status, 0);
    assert_string_equal(written(r.err), "");
    run_close(&r);
}

/* A message alone, read as what it was not: which options would make it sound. */
#define MARKER "ffffffffffffffffffffffffffffffff"
#define TWO_OCTETS MARKER "002f02000000144001010040020602020017fde94003040a00000118c00002"
#define WITH_PATHS MARKER "003302000000144001010040020602010000fde94003040a0000010000000718c00002"
#define BOTH MARKER "003302000000144001010040020602020017fde94003040a0000010000000718c00002"

#define NEXT_HOP6                                                                                  \
    MARKER "003a0200000023400101004002 00800e190001011020010db8000000000000000000000001 "          \
           "00180a0102"

static void test_hints(void **state) {
    (void)state;
    char large[2 * 4097 + 1] = MARKER "1001020fea"; /* 4,074 octets of withdrawn default routes */
    memset(large + strlen(large), '0', sizeof large - 1 - strlen(large));
    says(WORDS("decode", TWO_OCTETS), 0, "attribute 2 AS_PATH\n  (sound with --as2)\n");
    says(WORDS("decode", "--as2", TWO_OCTETS), 0, "via 10.0.0.1\n");
    says(WORDS("decode", WITH_PATHS), 1, "\n  (sound with --add-path FAMILY)\n");
    says(WORDS("decode", "--as2", WITH_PATHS), 1,
         "\n  (sound without --as2 and with --add-path FAMILY)\n");
    says(WORDS("decode", BOTH), 1, "\n  (sound with --as2 and with --add-path FAMILY)\n");
    says(WORDS("decode", "--add-path", "ipv4 unicast", BOTH), 0, "\n  (sound with --as2)\n");
    says(WORDS("decode", NEXT_HOP6), 1, "\n  (sound with --extended-next-hop)\n");
    says(WORDS("decode", "--extended-next-hop", NEXT_HOP6), 0,
         "announce ipv4 unicast 10.1.2.0/24 via 2001:db8::1\n");
    says(WORDS("decode", large), 1,
         "not a message\n  error: session-reset, 1/2 Bad Message Length\n"
         "  (sound with --extended)\n");
}

/* C216: the same capture as pcap and as pcapng. */
#define IP_AND_TCP                                                                                 \
    "\x45\0\0\x3b\0\0\0\0\x40\x06\0\0\x0a\0\0\x01\x0a\0\0\x02"                                     \
    "\x9c\x40\0\xb3\0\0\0\1\0\0\0\0\x50\x10\0\0\0\0\0\0"                                           \
    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\x13\4"

static void test_C216_captures(void **state) {
    (void)state;
    static const char pcap[] = "\xa1\xb2\xc3\xd4\0\2\0\4\0\0\0\0\0\0\0\0\0\0\xff\xff\0\0\0\x65"
                               "\0\0\0\1\0\0\0\2\0\0\0\x3b\0\0\0\x3b" IP_AND_TCP;
    static const char pcapng[] =
        "\x0a\x0d\x0d\x0a\0\0\0\x1c\x1a\x2b\x3c\x4d\0\1\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0"
        "\x1c"
        "\0\0\0\1\0\0\0\x14\0\x65\0\0\0\0\xff\xff\0\0\0\x14"
        "\0\0\0\6\0\0\0\x5c\0\0\0\0\0\0\0\0\0\x0f\x42\x42\0\0\0\x3b\0\0\0\x3b" IP_AND_TCP
        "\0\0\0\0\x5c";
    /* Another link type and snapshot length beside it. */
    static const char two_interfaces[] =
        "\x0a\x0d\x0d\x0a\0\0\0\x1c\x1a\x2b\x3c\x4d\0\1\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0"
        "\x1c"
        "\0\0\0\1\0\0\0\x14\0\1\0\0\0\4\0\0\0\0\0\x14"
        "\0\0\0\1\0\0\0\x14\0\x65\0\0\0\0\xff\xff\0\0\0\x14"
        "\0\0\0\6\0\0\0\x5c\0\0\0\1\0\0\0\0\0\x0f\x42\x42\0\0\0\x3b\0\0\0\x3b" IP_AND_TCP
        "\0\0\0\0\x5c";
    static const char want[] =
        "1970-01-01T00:00:01.000002Z 10.0.0.1:40000 > 10.0.0.2:179  KEEPALIVE, 19 octets\n";
    fixture_write("one.pcap", pcap, sizeof pcap - 1);
    fixture_write("one.pcapng", pcapng, sizeof pcapng - 1);
    says(WORDS("decode", fixture_path("one.pcap")), 0, want);
    says(WORDS("decode", fixture_path("one.pcapng")), 0, want);
    fixture_write("two.pcapng", two_interfaces, sizeof two_interfaces - 1);
    says(WORDS("decode", fixture_path("two.pcapng")), 0, want);
    fixture_write("cut.pcapng", two_interfaces, sizeof two_interfaces - 2);
    says(WORDS("decode", fixture_path("cut.pcapng")), 1, "cut.pcapng: truncated\n");
    fixture_write("cut.pcap", pcap, sizeof pcap - 10);
    says(WORDS("decode", fixture_path("cut.pcap")), 1, "truncated");
}

/* A capture that is shown in part, or not at all, is not passed over in silence. */
#define PCAP "\xa1\xb2\xc3\xd4\0\2\0\4\0\0\0\0\0\0\0\0\0\0\xff\xff"
#define ONE_PACKET(size, whole) "\0\0\0\1\0\0\0\2\0\0\0" size "\0\0\0" whole

static void test_C216_what_is_missing(void **state) {
    (void)state;
    static const char juniper_atm[] = PCAP "\0\0\0\x87" ONE_PACKET("\x3b", "\x3b") IP_AND_TCP;
    static const char short_packets[] = PCAP "\0\0\0\x65" ONE_PACKET(
        "\x3a",
        "\x3b") "\x45\0\0\x3b\0\0\0\0\x40\6\0\0\x0a\0\0\1"
                "\x0a\0\0\2\x9c\x40\0\xb3\0\0\0\1\0\0\0\0\x50\x10\0\0\0\0\0\0\xff\xff\xff\xff\xff"
                "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\x13" ONE_PACKET(
                    "\x14", "\x14") "\x45\0\0\x14\0\0\x20\0\x40\6\0\0\x0a\0\0\1\x0a\0\0\2";
    static const char nothing[] = PCAP "\0\0\0\x65" ONE_PACKET(
        "\x14", "\x14") "\x45\0\0\x14\0\0\0\0\x40\x11\0\0\x0a\0\0\1\x0a\0\0\2";
    fixture_write("link.pcap", juniper_atm, sizeof juniper_atm - 1);
    says(WORDS("decode", fixture_path("link.pcap")), 2,
         "packets: 1, 1 of a link type that is not read here (JUNIPER_ATM2, 135)");
    fixture_write("short.pcap", short_packets, sizeof short_packets - 1);
    says(WORDS("decode", fixture_path("short.pcap")), 0,
         "no BGP message here; packets: 2, 1 are fragments, 1 cut short by the capture");
    fixture_write("nothing.pcap", nothing, sizeof nothing - 1);
    says(WORDS("decode", fixture_path("nothing.pcap")), 0, "no BGP message here; packets: 1\n");
}

/* No OPEN is in there, and AS_PATH says what it must be. */
static void test_C216_guessed(void **state) {
    (void)state;
    static const char pcap[] = PCAP "\0\0\0\x65" ONE_PACKET(
        "\x55",
        "\x55") "\x45\0\0\x55\0\0\0\0\x40\6\0\0\x0a\0\0\1"
                "\x0a\0\0\2\x9c\x40\0\xb3\0\0\0\1\0\0\0\0\x50\x10\0\0\0\0\0\0\xff\xff\xff\xff\xff"
                "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\x2d\2\0\0\0\x12\x40\1\1\0\x40\2\4\2"
                "\1"
                "\xfd\xe9\x40\3\4\x0a\0\0\1\x18\x0a\1\2";
    fixture_write("middle.pcap", pcap, sizeof pcap - 1);
    says(WORDS("decode", fixture_path("middle.pcap")), 0,
         "(no OPEN is here: read with AS numbers of two octets from here on)\n");
    says(WORDS("decode", "--json", fixture_path("middle.pcap")), 0,
         "\"guessed\":{\"asn4\":false,\"add_path\":[],\"extended_next_hop\":false}");
}

/* C217: what a node wrote during a run is what the run was. */
static void test_C217_run_writes_mrt(void **state) {
    (void)state;
    struct run r =
        run_words(WORDS("run", fixture_path("mesh"), "--mrt", "--runs", fixture_path("runs")));
    char file[700];

    assert_int_equal(r.status, 0);
    run_close(&r);
    snprintf(file, sizeof file, "%s/kube-1.mrt", only_run("runs"));
    says(WORDS("decode", file), 0, "|STATE|10.0.0.3|64512|5|6\n");
    says(WORDS("decode", file), 0, "|A|10.0.0.3|64512|10.244.0.64/26||IGP|10.0.0.3|");
    says(WORDS("decode", "--json", file), 0, "\"sent\":true,\"type\":\"open\"");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_octets),
        cmocka_unit_test(test_no_file),
        cmocka_unit_test(test_reader_goes_away),
        cmocka_unit_test(test_hints),
        cmocka_unit_test(test_C216_captures),
        cmocka_unit_test(test_C216_what_is_missing),
        cmocka_unit_test(test_C216_guessed),
        cmocka_unit_test(test_C217_run_writes_mrt),
    };
    return cmocka_run_group_tests(tests, setup, world_leave);
}
