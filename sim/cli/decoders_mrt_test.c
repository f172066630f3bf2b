/*
 * Our MRT lines beside those of `bgpdump -m` of the same files (C213, C214, C217).
 *
 * .ci/peers unpacks bgpdump; without it the tests are skipped.
 */
#include "cli_fixture.h"
#include "decoders_fixture.h"

#include "../../speaker/core/codec_test.h"
#include "../../speaker/decode/mrt_sample.h"

/* bgpdump 1.6.2 does not say that an add-path message was sent, and calls us its peer. What comes
 * behind that is compared. */
static const char *behind_peer(const char *line) {
    for (int fields = 0; fields < 5; fields++) {
        line = strchr(line, '|');
        assert_non_null(line);
        line++;
    }
    return line;
}

static size_t compare_lines(const char *ours, const char *theirs) {
    size_t count = 0;
    for (; *ours && *theirs; count++) {
        size_t mine = strcspn(ours, "\n"), other = strcspn(theirs, "\n");
        const char *a = ours, *b = theirs, *local = strstr(ours, "_LOCAL_AP|");
        if (local && local < ours + mine) {
            a = behind_peer(ours);
            b = behind_peer(theirs);
        }
        size_t a_size = mine - (size_t)(a - ours), b_size = other - (size_t)(b - theirs);
        if (a_size != b_size || memcmp(a, b, a_size) != 0)
            fail_msg("line %zu:\nours   %.*s\ntheirs %.*s", count + 1, (int)mine, ours, (int)other,
                     theirs);
        ours += mine + 1;
        theirs += other + 1;
    }
    assert_string_equal(ours, "");
    assert_string_equal(theirs, "");
    return count;
}

/* The lines of both are the same, octet by octet: how many. */
static size_t compare_mrt(struct other *bgpdump, const char *path) {
    struct text ours, theirs;
    text_init(&ours);
    text_init(&theirs);
    ours_run(WORDS("decode", path), &ours);
    other_run(bgpdump, WORDS("-q", "-m", path), &theirs);
    size_t count = compare_lines(text_str(&ours), text_str(&theirs));
    text_deinit(&ours);
    text_deinit(&theirs);
    return count;
}

static size_t compare_mrt_hex(struct other *bgpdump, const char *hex) {
    uint8_t data[1024];
    size_t size = codec_hex(hex, data, 0, sizeof data);
    fixture_write("test.mrt", (const char *)data, size);
    return compare_mrt(bgpdump, fixture_path("test.mrt"));
}

static void test_C213_bgpdump(void **state) {
    (void)state;
    struct other bgpdump;
    struct text file;
    other_find("bgpdump", &bgpdump);
    text_init(&file);
    sample_tables(&file);
    sample_messages(&file);
    fixture_write("test.mrt", file.data, file.size);
    assert_int_equal(compare_mrt(&bgpdump, fixture_path("test.mrt")), 10);
    text_deinit(&file);
    assert_int_equal(compare_mrt_hex(&bgpdump, SAMPLE_TABLE_DUMP), 1);
    assert_int_equal(compare_mrt_hex(&bgpdump, SAMPLE_STATE SAMPLE_MESSAGE), 2);
    assert_int_equal(compare_mrt(&bgpdump, "speaker/decode/corpus/mrt_fuzz/tables-and-messages"),
                     10);
}

static void test_C214_bgpdump_add_path(void **state) {
    (void)state;
    struct other bgpdump;
    other_find("bgpdump", &bgpdump);
    /* RIB_GENERIC: it passes over it. */
    assert_int_equal(compare_mrt_hex(&bgpdump, SAMPLE_PEERS SAMPLE_TABLE_AP), 1);
    assert_int_equal(compare_mrt_hex(&bgpdump, SAMPLE_MESSAGE_AP), 1);
    assert_int_equal(compare_mrt(&bgpdump, "speaker/decode/corpus/mrt_fuzz/add-path-and-local"), 8);
}

static void test_C217_bgpdump_run(void **state) {
    (void)state;
    struct other bgpdump;
    char path[700];
    other_find("bgpdump", &bgpdump);
    assert_true(compare_mrt(&bgpdump, fixture_run_mrt(path)) >= 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C213_bgpdump),
        cmocka_unit_test(test_C214_bgpdump_add_path),
        cmocka_unit_test(test_C217_bgpdump_run),
    };
    return cmocka_run_group_tests_name("decoders_mrt", tests, world_enter, world_leave);
}
