/*
 * Our decoder beside another: the same captures to `ribcage decode` and to tshark (C216). Its MRT
 * lines beside those of bgpdump are decoders_mrt_test.c's.
 *
 * Both are run as a user would. .ci/peers unpacks tshark; without it the tests are skipped. Where
 * it is wrong or has no word for a thing, a row or the fixtures say so.
 */
#include "cli_fixture.h"
#include "decoders_fixture.h"

#include "../../speaker/core/codec_test.h"
#include "../../speaker/core/limits.h"
#include "../../speaker/core/open_cases_test.h"
#include "../../speaker/core/update_cases_test.h"
#include "../../speaker/decode/mrt.h"

/* ---- C216: captures ---- */

#define MARKER "ffffffffffffffffffffffffffffffff"

/* Both decoders on what was captured, compared. tshark cannot know the size of AS numbers. */
static void compare(struct other *tshark, struct capture_file *f, bool as4,
                    struct told_counts *ret_counts) {
    const char *name = f->ng ? "test.pcapng" : "test.pcap";
    const char *path = fixture_path(name);
    struct told_list ours = {0}, theirs = {0};
    struct text json, pdml;
    text_init(&json);
    text_init(&pdml);
    assert_false(f->out.failed);
    fixture_write(name, f->out.data, f->out.size);
    ours_run(WORDS("decode", "--json", path), &json);
    other_run(tshark,
              WORDS("-n", "-r", path, "-T", "pdml", "-o", "tcp.reassemble_out_of_order:TRUE", "-o",
                    as4 ? "bgp.asn_len:4 octet" : "bgp.asn_len:2 octet"),
              &pdml);
    told_by_us(text_str(&json), json.size, &ours);
    told_by_tshark(text_str(&pdml), pdml.size, &theirs);
    told_compare(&ours, &theirs, ret_counts);
    told_list_deinit(&ours);
    told_list_deinit(&theirs);
    text_deinit(&json);
    text_deinit(&pdml);
    text_deinit(&f->out);
}

struct message {
    uint8_t data[BGP_MESSAGE_SIZE_MAX];
    size_t size;
};

static void message_of(enum bgp_message_type type, const uint8_t *body, size_t size,
                       struct message *out) {
    struct byte_writer w = bytes_writer(out->data, sizeof out->data);
    memset(out->data, 0xFF, 16);
    w.at = 16;
    bytes_put_u16(&w, (uint16_t)(19 + size));
    bytes_put_u8(&w, (uint8_t)type);
    bytes_put(&w, body, size);
    assert_false(w.failed);
    out->size = w.at;
}

static void send_hex(struct capture_file *f, struct capture_flow *flow, bool back,
                     const char *hex) {
    struct message m;
    m.size = codec_hex(hex, m.data, 0, sizeof m.data);
    capture_file_send(f, flow, back, m.data, m.size);
}

/* A connection whose OPENs agree on this. */
static void send_opens(struct capture_file *f, struct capture_flow *flow, bool as4, bool external) {
    capture_file_open(f, flow);
    send_hex(f, flow, false,
             as4 ? MARKER "002501 04 fde9 00b4 0a000001 08 02 06 4104 0000fde9"
                 : MARKER "001d01 04 fde9 00b4 0a000001 00");
    send_hex(f, flow, true,
             external ? MARKER "002501 04 fdea 00b4 0a000002 08 02 06 4104 0000fdea"
                      : MARKER "002501 04 fde9 00b4 0a000002 08 02 06 4104 0000fde9");
}

static void put_counted(struct byte_writer *w, const char *hex) {
    size_t mark = bytes_mark_u16(w);
    w->at = codec_hex(hex, w->data, w->at, w->size);
    bytes_patch_u16(w, mark);
}

static void update_of(const struct update_case *c, struct message *out) {
    uint8_t body[BGP_MESSAGE_SIZE_MAX - 19];
    struct byte_writer w = bytes_writer(body, sizeof body);
    put_counted(&w, c->withdrawn);
    put_counted(&w, c->attrs);
    w.at = codec_hex(c->nlri, body, w.at, sizeof body);
    message_of(BGP_MSG_UPDATE, body, w.at, out);
}

/* Rows that tshark 4.0 does not read to the end, though they are sound or, the last one, readable.
 */
struct beyond {
    const char *row, *why;
};
static const struct beyond beyond_tshark[] = {
    {"C068 AIGP is non-transitive", "it looks for a TLV in the one octet"},
    {"C130 IPv6 host bits", "it takes a lone prefix of four octets for a path identifier"},
    {"C133 NEXT_HOP too short beside MP_REACH", "it reads four octets of any NEXT_HOP"},
    {"C134 reserved octet not zero", "it has a count of RFC 2858 there"},
    {"C138 VPN family is passed over", "it knows the family, and its next hop is damaged"},
    {"C138 flowspec, EVPN, BGP-LS unreach", "it knows the family, and its prefix is damaged"},
    {"C220 tunnel encapsulation is opaque", "it looks for TLVs"},
    {"C221 prefix SID all zeros", "it looks for TLVs"},
    {"B19 only an unknown transitive attribute", "it has BGP-LS at code 99, and looks for TLVs"},
    {"C126 no attributes at all (B15)", "it reads prefixes behind attributes only"},
};
static const struct beyond opens_beyond_tshark[] = {
    {"C029 extended form", "it does not know RFC 9072"},
    {"C029 extended form, other one-octet length", "it does not know RFC 9072"},
    {"C029 extended form, no parameters", "it does not know RFC 9072"},
    {"C032 unknown capabilities beside known", "it looks for a value in number 131"},
    {"C042 FQDN and software version lengths that lie", "it believes the lengths"},
    {"C137 extended next hop of 7", "it calls the message malformed"},
    {"C137 extended next hop of 5", "it calls the message malformed"},
    {"C197 add-path of 5", "it calls the message malformed"},
};
#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static bool is_beyond(const char *row, const struct beyond *table, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(table[i].row, row) == 0)
            return true;
    return false;
}

struct case_counts {
    size_t sent, left_out;
};

/* Each row on a connection of its own; those of an OLD speaker are another capture. */
static void send_cases(struct capture_file *f, const struct update_case *cases, size_t count,
                       bool as4, struct case_counts *counts) {
    for (size_t i = 0; i < count; i++) {
        const struct bgp_codec *codec = &codecs[cases[i].peer];
        struct capture_flow flow = {.port = (uint16_t)(20000 + counts->sent)};
        struct message m;
        if (codec->as4 != as4)
            continue;
        if (is_beyond(cases[i].name, beyond_tshark, COUNT(beyond_tshark))) {
            counts->left_out++;
            continue;
        }
        send_opens(f, &flow, as4, codec->external);
        update_of(&cases[i], &m);
        capture_file_send(f, &flow, false, m.data, m.size);
        counts->sent++;
    }
}

static void compare_cases(struct other *tshark, bool as4, struct case_counts *cases,
                          struct told_counts *ret_counts) {
    struct capture_file f;
    capture_file_begin(&f, false);
    send_cases(&f, sound_cases, COUNT(sound_cases), as4, cases);
    send_cases(&f, damage_cases, COUNT(damage_cases), as4, cases);
    send_cases(&f, as4_cases, COUNT(as4_cases), as4, cases);
    compare(tshark, &f, as4, ret_counts);
}

static void test_C216_tshark_updates(void **state) {
    (void)state;
    struct other tshark;
    struct case_counts cases = {0};
    struct told_counts four, two;
    other_find("tshark", &tshark);
    compare_cases(&tshark, true, &cases, &four);
    compare_cases(&tshark, false, &cases, &two);
    assert_int_equal(cases.left_out, COUNT(beyond_tshark));
    assert_int_equal(four.sound + four.discarded + four.withdrawn + four.reset + four.gave_up +
                         two.sound + two.discarded + two.withdrawn + two.reset + two.gave_up,
                     3 * cases.sent); /* with their OPENs */
    assert_true(four.sound >= 300 && four.discarded >= 5 && four.withdrawn >= 40);
    assert_true(two.sound >= 40 && four.gave_up + two.gave_up < 40);
}

static void test_C216_tshark_opens(void **state) {
    (void)state;
    struct other tshark;
    struct capture_file f;
    struct told_counts counts;
    size_t left_out = 0;
    other_find("tshark", &tshark);
    capture_file_begin(&f, true);
    for (size_t i = 0; i < COUNT(open_cases); i++) {
        struct capture_flow flow = {.port = (uint16_t)(20000 + i)};
        uint8_t body[BGP_MESSAGE_SIZE_MAX - 19];
        struct message m;
        if (is_beyond(open_cases[i].name, opens_beyond_tshark, COUNT(opens_beyond_tshark))) {
            left_out++;
            continue;
        }
        message_of(BGP_MSG_OPEN, body, codec_hex(open_cases[i].body, body, 0, sizeof body), &m);
        capture_file_open(&f, &flow);
        capture_file_send(&f, &flow, false, m.data, m.size);
    }
    assert_int_equal(left_out, COUNT(opens_beyond_tshark));
    compare(&tshark, &f, true, &counts);
    assert_int_equal(counts.sound + counts.reset, COUNT(open_cases) - left_out);
    assert_true(counts.sound >= 30);
}

/* Are these octets what the framing takes for a message? */
static bool is_message(const struct message *m) {
    enum bgp_message_type type;
    struct bgp_error error = {0};
    return message_peek(m->data, m->size, &type, &error) == m->size && m->size > 0 && !error.code;
}

/* The messages of decode_golden.txt that have four-octet ASes and no path identifiers: of
 * every type. */
static size_t send_golden(struct capture_file *f, struct capture_flow *flow) {
    FILE *file = fopen("speaker/decode/decode_golden.txt", "re");
    char *line = NULL;
    size_t size = 0, count = 0;
    assert_non_null(file);
    while (getline(&line, &size, file) > 0) {
        json_t *o = json_loads(line, 0, NULL);
        const char *hex = json_string_value(json_object_get(o, "hex"));
        struct message m = {.size = 0};
        bool plain = json_object_size(o) == 1 || json_is_true(json_object_get(o, "asn4"));
        if (hex && plain && strlen(hex) % 2 == 0 && strspn(hex, "0123456789abcdef") == strlen(hex))
            m.size = codec_hex(hex, m.data, 0, sizeof m.data);
        if (is_message(&m) && m.data[18] != BGP_MSG_OPEN) {
            capture_file_send(f, flow, false, m.data, m.size);
            count++;
        }
        json_decref(o);
    }
    free(line);
    fclose(file);
    return count;
}

static void test_C216_tshark_every_type(void **state) {
    (void)state;
    struct other tshark;
    struct capture_file f;
    struct capture_flow flow = {.port = 20000};
    struct told_counts counts;
    other_find("tshark", &tshark);
    capture_file_begin(&f, false);
    send_opens(&f, &flow, true, false);
    assert_true(send_golden(&f, &flow) >= 12);
    compare(&tshark, &f, true, &counts);
    assert_true(counts.sound >= 10);
}

/* Path identifiers, which tshark guesses and we know from the OPENs. */
static void test_C216_tshark_add_path(void **state) {
    (void)state;
    static const char open[] =
        MARKER "002b01 04 fde9 00b4 0a000001 0e 02 0c 4104 0000fde9 4504 00010103";
    static const char update[] = MARKER "0044 02 0009 00000007 200a090909"
                                        "0014 400101 00 400206 0201 0000fdea 400304 0a000001"
                                        "00000001 180a0102 00000002 180a0103";
    struct other tshark;
    struct capture_file f;
    struct capture_flow flow = {.port = 20000};
    struct told_counts counts;
    other_find("tshark", &tshark);
    capture_file_begin(&f, true);
    capture_file_open(&f, &flow);
    send_hex(&f, &flow, false, open);
    send_hex(&f, &flow, true, open);
    send_hex(&f, &flow, false, update);
    compare(&tshark, &f, true, &counts);
    assert_int_equal(counts.sound, 3);
}

/* ---- C216: what TCP does ---- */

/* The sound UPDATEs as one stream: how many. Without attribute 99: tshark 4.0 has an early BGP-LS
 * there, and calls what follows in the same packet malformed. */
static size_t put_stream(struct text *out) {
    size_t count = 0;
    for (size_t i = 0; i < COUNT(sound_cases); i++) {
        const struct update_case *c = &sound_cases[i];
        struct message m;
        if (is_beyond(c->name, beyond_tshark, COUNT(beyond_tshark)) || c->peer != EXT ||
            strstr(c->attrs, " 63 "))
            continue;
        update_of(c, &m);
        text_put(out, (const char *)m.data, m.size);
        count++;
    }
    assert_false(out->failed);
    return count;
}

enum mischief { IN_ORDER, SWAPPED, AGAIN };

/* Segments of `step` octets; SWAPPED: each pair the other way round; AGAIN: each comes with the
 * whole one before it. */
static void send_stream(struct capture_file *f, const struct capture_flow *flow,
                        const struct text *stream, uint32_t step, enum mischief how) {
    uint32_t size = (uint32_t)stream->size, count = (size + step - 1) / step;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t turn = how == SWAPPED && (i ^ 1) < count ? i ^ 1 : i;
        uint32_t from = turn * step, to = size - from < step ? size : from + step;
        if (how == AGAIN && i > 0)
            from -= step;
        capture_file_segment(f, flow, false, from, (const uint8_t *)stream->data + from, to - from);
    }
}

static size_t compare_stream(struct other *tshark, const struct text *stream, uint32_t step,
                             enum mischief how) {
    struct capture_file f;
    struct capture_flow flow = {.port = 20000};
    struct told_counts counts;
    capture_file_begin(&f, step % 2);
    send_opens(&f, &flow, true, true);
    send_stream(&f, &flow, stream, step, how);
    compare(tshark, &f, true, &counts);
    assert_int_equal(counts.withdrawn + counts.reset + counts.gave_up + counts.discarded, 0);
    return counts.sound;
}

static void test_C216_tshark_segments(void **state) {
    (void)state;
    static const uint32_t steps[] = {7, 53, 101, 536, 1460};
    struct other tshark;
    struct text stream;
    other_find("tshark", &tshark);
    text_init(&stream);
    size_t count = put_stream(&stream);
    assert_true(count >= 24);
    for (size_t i = 0; i < COUNT(steps); i++) {
        for (int how = IN_ORDER; how <= AGAIN; how++) {
            assert_int_equal(compare_stream(&tshark, &stream, steps[i], (enum mischief)how),
                             2 + count); /* the OPENs too */
        }
    }
    text_deinit(&stream);
}

/* ---- a run ---- */

/* The messages of an MRT file as a capture: a connection per peer, each message in two segments,
 * the second one first. */
struct replay {
    struct capture_file *capture;
    struct capture_flow flows[8];
    struct ip_addr peers[8];
    size_t count;
};

static struct capture_flow *flow_of(struct replay *r, struct ip_addr peer) {
    for (size_t i = 0; i < r->count; i++)
        if (ip_equal(r->peers[i], peer))
            return &r->flows[i];
    assert_true(r->count < COUNT(r->flows));
    r->peers[r->count] = peer;
    r->flows[r->count].port = (uint16_t)(20000 + r->count);
    capture_file_open(r->capture, &r->flows[r->count]);
    return &r->flows[r->count++];
}

static void replay_item(void *context, const struct mrt_item *item) {
    struct replay *r = context;
    if (item->kind != MRT_MESSAGE)
        return;
    struct capture_flow *flow = flow_of(r, item->peer.addr);
    const uint8_t *data = item->message->body - BGP_HEADER_SIZE;
    size_t half = item->message->size / 2;
    capture_file_segment(r->capture, flow, item->local, (uint32_t)half, data + half,
                         item->message->size - half);
    capture_file_send(r->capture, flow, item->local, data, half);
    flow->sequence[item->local] += (uint32_t)(item->message->size - half);
}

static void replay_file(const char *path, struct capture_file *out) {
    struct replay r = {.capture = out};
    struct mrt_reader *reader = mrt_reader_new();
    FILE *file = fopen(path, "re");
    uint8_t head[MRT_HEADER_SIZE], body[65536];
    assert_true(file && reader);
    while (fread(head, 1, sizeof head, file) == sizeof head) {
        struct mrt_header h = mrt_header_decode(head);
        assert_true(h.size <= sizeof body && fread(body, 1, h.size, file) == h.size);
        assert_null(mrt_read(reader, &h, body, replay_item, &r));
    }
    mrt_reader_free(reader);
    fclose(file);
}

static void test_C216_tshark_run(void **state) {
    (void)state;
    struct other tshark;
    struct capture_file f;
    struct told_counts counts;
    char path[700];
    other_find("tshark", &tshark);
    capture_file_begin(&f, true);
    replay_file(fixture_run_mrt(path), &f);
    compare(&tshark, &f, true, &counts);
    assert_int_equal(counts.discarded + counts.withdrawn + counts.reset + counts.gave_up, 0);
    /* An OPEN, a KEEPALIVE and a route both ways with each of three peers. */
    assert_true(counts.sound >= 18);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C216_tshark_updates),    cmocka_unit_test(test_C216_tshark_opens),
        cmocka_unit_test(test_C216_tshark_every_type), cmocka_unit_test(test_C216_tshark_segments),
        cmocka_unit_test(test_C216_tshark_run),        cmocka_unit_test(test_C216_tshark_add_path),
    };
    return cmocka_run_group_tests_name("decoders", tests, world_enter, world_leave);
}
