/* Configurations as JSON: what goes out comes back the same; what is wrong is found and placed. */
#include "config_json.h"

#include "../base/arena.h"
#include "../base/diag.h"
#include "../base/hash.h"
#include "../base/text.h"
#include "../core/attr.h"
#include "config_fields.h"
#include "config_origin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROUNDS 400

/* ---- a random configuration, by the same tables ----
 * Every member gets a random value of its kind, so that a member the reader or the writer treats
 * wrongly shows, whatever it means. */

static uint64_t seed;

static uint32_t pick(uint32_t bound) {
    return (uint32_t)rng_below(&seed, bound);
}

static void fill_shape(const struct shape *shape, char *object, struct arena *arena);

static void fill_text(char *out, size_t size) {
    size_t length = pick((uint32_t)(size > 20 ? 20 : size));
    for (size_t i = 0; i < length; i++)
        out[i] = (char)(1 + pick(255)); /* often not UTF-8 */
    out[length] = '\0';
}

/* Any octets, often one of them NUL. */
static const struct bgp_password *random_password(struct arena *arena) {
    uint8_t octets[BGP_PASSWORD_MAX];
    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t)pick(256);
    return bgp_password_new(arena, octets, pick(sizeof octets + 1));
}

static struct ip_addr random_addr(void) {
    uint8_t bytes[16];
    for (int i = 0; i < 16; i++)
        bytes[i] = (uint8_t)pick(256);
    return pick(2) ? ip6(bytes) : ip4((uint32_t)rng_next(&seed));
}

static struct ip_prefix random_prefix(void) {
    struct ip_addr a = random_addr();
    return ip_prefix_make(a, (uint8_t)pick(ip_bits(a.family) + 1u));
}

static uint32_t random_word(const struct field *f) {
    uint32_t word;
    do
        word = pick(f->word_count);
    while (!f->words[word]);
    return word;
}

static void fill_list(const struct field *f, char *object, struct arena *arena) {
    uint32_t count = pick(4);
    size_t size = f->kind == FIELD_U32_LIST     ? sizeof(uint32_t)
                  : f->kind == FIELD_LARGE_LIST ? sizeof(struct large_community)
                                                : f->shape->size;
    char *data = count ? arena_array(arena, count, size) : NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (f->kind == FIELD_LIST)
            fill_shape(f->shape, data + i * size, arena);
        else
            for (size_t k = 0; k < size; k++)
                data[i * size + k] = (char)pick(256);
    }
    memcpy(object + f->offset, &data, sizeof data);
    memcpy(object + f->count_offset, &count, sizeof count);
}

static void fill_chains(struct policy_chain *chains, struct arena *arena) {
    for (int i = 0; i < BGP_FAMILIES; i++) {
        uint16_t count = (uint16_t)pick(3);
        uint16_t *policies = count ? arena_array(arena, count, sizeof *policies) : NULL;
        for (int k = 0; k < count; k++)
            policies[k] = (uint16_t)pick(BGP_POLICIES_MAX);
        chains[i] = (struct policy_chain){policies, count, pick(2) != 0};
    }
}

static void fill_bytes(const struct field *f, char *at) {
    for (size_t i = 0; i < f->size; i++)
        at[i] = (char)pick(f->kind == FIELD_BOOL || f->kind == FIELD_FAMILY_SET ? 2 : 256);
}

static void fill_field(const struct field *f, char *object, struct arena *arena) {
    char *at = object + f->offset;
    uint32_t word;
    switch (f->kind) {
    case FIELD_BOOL:
    case FIELD_U8:
    case FIELD_U16:
    case FIELD_U32:
    case FIELD_VALUE:
    case FIELD_ID:
    case FIELD_FAMILY_SET:
    case FIELD_FAMILY_U32:
    case FIELD_POLICY:
    case FIELD_FAMILY_POLICY:
        fill_bytes(f, at);
        break;
    case FIELD_WORD:
        word = random_word(f);
        memcpy(at, &word, f->size);
        break;
    case FIELD_CHARS:
        fill_text(at, f->size);
        break;
    case FIELD_TEXT:
    case FIELD_ATTRIBUTES: {
        char *text = arena_alloc(arena, 32);
        fill_text(text, 32);
        memcpy(at, &text, sizeof text);
        break;
    }
    case FIELD_OCTETS: {
        const struct bgp_password *password = random_password(arena);
        memcpy(at, &password, sizeof password);
        break;
    }
    case FIELD_ADDR:
        *(struct ip_addr *)at = pick(4) ? random_addr() : (struct ip_addr){0};
        break;
    case FIELD_PREFIX:
        *(struct ip_prefix *)at = random_prefix();
        break;
    case FIELD_U32_LIST:
    case FIELD_LARGE_LIST:
    case FIELD_LIST:
        fill_list(f, object, arena);
        break;
    case FIELD_STRUCT:
        fill_shape(f->shape, at, arena);
        break;
    case FIELD_FAMILY_CHAINS:
        fill_chains((struct policy_chain *)(void *)at, arena);
        break;
    }
}

static void fill_shape(const struct shape *shape, char *object, struct arena *arena) {
    if (shape->init)
        shape->init(object, BGP_PROFILE_PLAIN);
    for (uint32_t i = 0; i < shape->field_count; i++)
        if (shape->fields[i].required || pick(2))
            fill_field(&shape->fields[i], object, arena);
}

static int by_prefix(const void *a, const void *b) {
    const struct bgp_origin_config *x = a, *y = b;
    int order = ip_prefix_compare(x->prefix, y->prefix);
    return order ? order : (x->source > y->source) - (x->source < y->source);
}

/* What is written of a configuration, read again and written again, is the same text; and the
 * structs agree where the text cannot hide a difference. */
static void test_round_trip(void **state) {
    (void)state;
    seed = 7;
    for (int round = 0; round < ROUNDS; round++) {
        struct arena *arena = arena_new();
        struct diag_list *diags = diag_list_new();
        struct bgp_config *c = arena_alloc(arena, sizeof *c);
        fill_shape(&shape_config, (char *)c, arena);
        if (c->origin_count)
            qsort(c->origins, c->origin_count, sizeof *c->origins, by_prefix);
        json_t *first = config_to_json(c);
        assert_non_null(first);
        char *text = json_dumps(first, JSON_INDENT(1));
        struct bgp_config *back = config_from_text(text, strlen(text), "round", arena, diags);
        if (!back)
            fail_msg("round %d: %s\n%s", round, diag_at(diags, 0)->message, text);
        json_t *second = config_to_json(back);
        assert_true(json_equal(first, second));
        assert_int_equal(back->peer_count, c->peer_count);
        for (uint32_t i = 0; i < c->peer_count; i++) {
            assert_true(bgp_password_equal(c->peers[i].password, back->peers[i].password));
            assert_int_equal(back->peers[i].weight, c->peers[i].weight);
            assert_memory_equal(back->peers[i].families, c->peers[i].families,
                                sizeof c->peers[i].families);
        }
        assert_int_equal(back->fib.metric, c->fib.metric);
        free(text);
        json_decref(first);
        json_decref(second);
        diag_list_free(diags);
        arena_free(arena);
    }
}

/* ---- defaults ---- */

static const char *const minimal = "{\"profile\":\"calico\",\"local_as\":64512,"
                                   "\"router_id\":\"10.0.0.1\"}";

static void test_defaults_are_left_out(void **state) {
    (void)state;
    struct arena *arena = arena_new();
    struct diag_list *diags = diag_list_new();
    for (int p = 0; p < BGP_PROFILES; p++) {
        struct bgp_config c;
        memset(&c, 0, sizeof c);
        bgp_config_init(&c, (enum bgp_profile)p);
        json_t *out = config_to_json(&c);
        assert_int_equal(json_object_size(out), 3); /* profile, local_as, router_id */
        json_decref(out);
    }
    struct bgp_config *c = config_from_text(minimal, strlen(minimal), "m", arena, diags);
    struct bgp_config expected;
    memset(&expected, 0, sizeof expected);
    bgp_config_init(&expected, BGP_PROFILE_CALICO);
    assert_non_null(c);
    assert_int_equal(c->listen, expected.listen);
    assert_int_equal(c->fib.install, expected.fib.install);
    assert_int_equal(c->default_local_pref, expected.default_local_pref);
    diag_list_free(diags);
    arena_free(arena);
}

/* ---- findings ---- */

struct bad_text {
    const char *text;
    uint32_t line, column;
    const char *id;
};

#define HEAD "{\"profile\":\"plain\",\"local_as\":1,\"router_id\":\"10.0.0.1\""
static const struct bad_text bad_texts[] = {
    {"{", 1, 1, "bad-json"},
    {"[]", 1, 1, "bad-type"},
    {"", 0, 0, "bad-json"},
    {"{\"profile\":\"plain\",\n \"local_as\":1}", 1, 1, "missing-member"},
    {HEAD ",\n \"lokal_as\":1}", 2, 13, "unknown-member"},
    {HEAD ",\n\"hostname\":7}", 2, 12, "bad-text"},
    {HEAD ",\n\"listen\":1}", 2, 10, "bad-type"},
    {HEAD ",\n\"listen_port\":65536}", 2, 15, "bad-number"},
    {HEAD ",\n\"listen_port\":-1}", 2, 15, "bad-number"},
    {HEAD ",\n\"listen_port\":1.5}", 2, 15, "bad-number"},
    {HEAD ",\n\"listen_addr4\":\"10.0.0\"}", 2, 16, "bad-address"},
    {HEAD ",\n\"cluster_id\":\"::1\"}", 2, 14, "bad-address"},
    {HEAD ",\n\"peers\":{}}", 2, 9, "bad-type"},
    {HEAD ",\n\"peers\":[\n  {\"name\":\"a\",\"remote_addr\":\"10.0.0.2\"}]}", 3, 3,
     "missing-member"},
    {HEAD ",\"peers\":[{\"name\":\"a\",\"remote_addr\":\"10.0.0.2\",\"remote_as\":1,\n"
          "\"families\":[\"ipv5\"]}]}",
     2, 13, "bad-word"},
    {HEAD ",\"peers\":[{\"name\":\"a\",\"remote_addr\":\"10.0.0.2\",\"remote_as\":1,\n"
          "\"import\":{\"ipv4\":{\"policies\":[4096]}}}]}",
     2, 31, "bad-number"},
    {HEAD ",\"origins\":[\n{\"prefix\":\"10.0.0.1/24\",\"source\":\"static\"}]}", 2, 11,
     "bad-prefix"},
    {HEAD ",\"origins\":[\n{\"prefix\":\"10.0.0.0/24\",\"source\":\"rip\"}]}", 2, 34, "bad-word"},
    {HEAD ",\n\"local_as\":2}", 2, 11, "bad-json"}, /* twice */
    {"[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]", 1, 1, "too-deep"},
};

static void test_findings(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bad_texts / sizeof bad_texts[0]; i++) {
        const struct bad_text *b = &bad_texts[i];
        struct arena *arena = arena_new();
        struct diag_list *diags = diag_list_new();
        assert_null(config_from_text(b->text, strlen(b->text), "f.json", arena, diags));
        if (diag_count(diags) == 0)
            fail_msg("%s: nothing found", b->text);
        const struct diag *d = diag_at(diags, 0);
        bool placed =
            strcmp(b->id, "bad-json") == 0 || (d->line == b->line && d->column == b->column);
        if (!placed || strcmp(d->id, b->id) != 0)
            fail_msg("%s: %u:%u %s %s", b->text, d->line, d->column, d->id, d->message);
        diag_list_free(diags);
        arena_free(arena);
    }
}

static void test_all_findings_at_once(void **state) {
    static const char text[] = HEAD ",\"hostnam\":\"x\",\"listen\":2,\"listen_port\":70000}";
    (void)state;
    struct arena *arena = arena_new();
    struct diag_list *diags = diag_list_new();
    assert_null(config_from_text(text, sizeof text - 1, "f", arena, diags));
    assert_int_equal(diag_error_count(diags), 3);
    assert_non_null(strstr(diag_at(diags, 0)->message, "did you mean \"hostname\""));
    diag_list_free(diags);
    arena_free(arena);
}

/* A list of so many elements, read; NULL: one finding, which names count and limit. */
static struct bgp_config *with_members(struct arena *arena, uint32_t count) {
    struct text text;
    char wanted[100];
    text_init(&text);
    text_puts(&text, HEAD ",\"confederation_members\":[");
    for (uint32_t i = 0; i < count; i++)
        text_printf(&text, "%s%u", i ? "," : "", i + 1);
    text_puts(&text, "]}");
    struct diag_list *diags = diag_list_new();
    struct bgp_config *c = config_from_text(text_str(&text), text.size, "f", arena, diags);
    assert_int_equal(diag_error_count(diags), c ? 0 : 1);
    snprintf(wanted, sizeof wanted, "confederation_members: %u elements, at most %u are possible",
             count, BGP_CONFEDERATION_MEMBERS_MAX);
    if (!c)
        assert_string_equal(diag_at(diags, 0)->message, wanted);
    diag_list_free(diags);
    text_deinit(&text);
    return c;
}

static void test_lists_are_limited(void **state) {
    (void)state;
    struct arena *arena = arena_new();
    const struct bgp_config *c = with_members(arena, BGP_CONFEDERATION_MEMBERS_MAX);
    assert_non_null(c);
    assert_int_equal(c->confederation_member_count, BGP_CONFEDERATION_MEMBERS_MAX);
    assert_null(with_members(arena, BGP_CONFEDERATION_MEMBERS_MAX + 1));
    arena_free(arena);
}

/* What there is none of cannot be asked for: TCP-AO (RFC 5925), BMP (RFC 7854). */
static void test_C206_C218_not_offered(void **state) {
    static const char *const texts[] = {
        HEAD ",\"peers\":[{\"name\":\"a\",\"remote_addr\":\"10.0.0.2\",\"remote_as\":1,"
             "\"tcp_ao\":[{\"id\":1,\"secret\":\"x\"}]}]}",
        HEAD ",\"bmp\":[{\"address\":\"10.0.0.9\",\"port\":11019}]}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct arena *arena = arena_new();
        struct diag_list *diags = diag_list_new();
        assert_null(config_from_text(texts[i], strlen(texts[i]), "f", arena, diags));
        assert_int_equal(diag_error_count(diags), 1);
        assert_string_equal(diag_at(diags, 0)->id, "unknown-member");
        assert_non_null(strstr(diag_at(diags, 0)->message, i == 0 ? "tcp_ao" : "bmp"));
        diag_list_free(diags);
        arena_free(arena);
    }
}

/* The configuration with that password as JSON, read; NULL: one finding, of that id. */
static struct bgp_config *with_password(struct arena *arena, const char *json, const char *id) {
    char text[1024];
    snprintf(text, sizeof text,
             HEAD ",\"peers\":[{\"name\":\"a\",\"remote_addr\":\"10.0.0.2\","
                  "\"remote_as\":1,\"password\":%s}]}",
             json);
    struct diag_list *diags = diag_list_new();
    struct bgp_config *c = config_from_text(text, strlen(text), "f", arena, diags);
    assert_int_equal(diag_error_count(diags), c ? 0 : 1);
    if (!c)
        assert_string_equal(diag_at(diags, 0)->id, id);
    diag_list_free(diags);
    return c;
}

/* A key of 80 octets is the longest TCP's option takes; text and octets are counted alike. */
static void test_C203_key_lengths(void **state) {
    (void)state;
    for (unsigned size = 1; size <= 90; size++) {
        char text[100], octets[512] = "{\"octets\":[";
        struct arena *arena = arena_new();
        snprintf(text, sizeof text, "\"%0*d\"", (int)size, 0);
        for (unsigned i = 0; i < size; i++)
            strncat(octets, i ? ",48" : "48", sizeof octets - strlen(octets) - 1);
        strncat(octets, "]}", sizeof octets - strlen(octets) - 1);
        for (unsigned form = 0; form < 2; form++) {
            const struct bgp_config *c =
                with_password(arena, form ? octets : text, form ? "bad-text" : "too-long");
            assert_int_equal(c != NULL, size <= 80);
            if (c)
                assert_true(c->peers[0].password->size == size &&
                            c->peers[0].password->octets[size - 1] == '0');
        }
        arena_free(arena);
    }
}

/* Any octets, NUL first, last, alone and between others; text cannot have one. */
static void test_C203_binary_keys(void **state) {
    static const struct {
        const char *json;
        uint8_t size;
        uint8_t octets[4];
    } rows[] = {
        {"\"a\"", 1, {'a'}},
        {"{\"octets\":[0]}", 1, {0}},
        {"{\"octets\":[0,255,0]}", 3, {0, 255, 0}},
        {"{\"octets\":[97,0]}", 2, {'a', 0}},
        {"{\"octets\":[]}", 0, {0}},
        {"\"\"", 0, {0}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena *arena = arena_new();
        const struct bgp_config *c = with_password(arena, rows[i].json, "");
        assert_non_null(c);
        const struct bgp_password *p = c->peers[0].password;
        assert_int_equal(p ? p->size : 0, rows[i].size);
        if (p)
            assert_memory_equal(p->octets, rows[i].octets, p->size);
        assert_null(with_password(arena, "\"a\\u0000b\"", "bad-json"));
        arena_free(arena);
    }
}

/* Every prefix of a good text, and a good text with any octet changed: an answer, never a crash. */
static void test_damage(void **state) {
    (void)state;
    char *text = NULL;
    seed = 11;
    struct arena *arena = arena_new();
    struct bgp_config *c = arena_alloc(arena, sizeof *c);
    fill_shape(&shape_config, (char *)c, arena);
    json_t *json = config_to_json(c);
    text = json_dumps(json, JSON_COMPACT);
    size_t size = strlen(text) < 3000 ? strlen(text) : 3000;
    for (size_t i = 0; i < size; i++) {
        struct arena *scratch = arena_new();
        struct diag_list *diags = diag_list_new();
        char kept = text[i];
        assert_null(config_from_text(text, i, "cut", scratch, diags));
        text[i] = (char)pick(256);
        config_from_text(text, strlen(text), "changed", scratch, diags);
        text[i] = kept;
        diag_list_free(diags);
        arena_free(scratch);
    }
    free(text);
    json_decref(json);
    arena_free(arena);
}

/* Failing any allocation gives NULL or the whole, never a part. */
static void test_no_memory(void **state) {
    static const char text[] =
        HEAD ",\"policies\":[{\"name\":\"p\",\"otherwise\":\"accept\",\"terms\":[{\"name\":\"t\","
             "\"verdict\":\"reject\",\"matches\":[{\"kind\":\"tag\",\"asns\":[1,2]}]}]}]}";
    (void)state;
    bool whole = false;
    for (unsigned long n = 1; !whole && n < 200; n++) {
        struct arena *arena = arena_new();
        struct diag_list *diags = diag_list_new();
        alloc_fail_after(n, true);
        struct bgp_config *c = config_from_text(text, sizeof text - 1, "f", arena, diags);
        alloc_fail_after(0, false);
        whole = c != NULL;
        if (c)
            assert_int_equal(c->policies[0].terms[0].matches[0].asn_count, 2);
        diag_list_free(diags);
        arena_free(arena);
    }
    assert_true(whole);
}

/* ---- attributes ---- */

static void test_attributes(void **state) {
    static const uint32_t path[] = {(AS_SEQUENCE << 16) | 2, 65001, 64512};
    static const uint32_t communities[] = {(64512u << 16) | 100, COMMUNITY_NO_EXPORT};
    static const struct large_community large[] = {{64512, 1, 2}};
    static const uint64_t extended[] = {UINT64_C(0x0002fde900000064)};
    static const uint32_t clusters[] = {1};
    static const uint8_t raw[] = {0xde, 0xad};
    static const struct attr_unknown unknown[] = {{192, 99, 2, raw}};
    struct attr_values v = {.origin = 2,
                            .has_med = true,
                            .has_local_pref = true,
                            .local_pref = 100,
                            .next_hop = ip4(0x0a000002),
                            .as_path = {path, 3},
                            .communities = communities,
                            .community_count = 2,
                            .large_communities = large,
                            .large_community_count = 1,
                            .ext_communities = extended,
                            .ext_community_count = 1,
                            .cluster_list = clusters,
                            .cluster_count = 1,
                            .has_originator_id = true,
                            .originator_id = 0x0a000003,
                            .has_aggregator = true,
                            .aggregator_as = 65001,
                            .aggregator_id = 0x0a000004,
                            .atomic_aggregate = true,
                            .unknown = unknown,
                            .unknown_count = 1};
    (void)state;
    json_t *json = attrs_to_json(&v);
    char *text = json_dumps(json, JSON_COMPACT);
    assert_string_equal(
        text, "{\"origin\":\"incomplete\",\"as_path\":\"65001 64512\",\"next_hop\":\"10.0.0.2\","
              "\"med\":0,\"local_pref\":100,\"communities\":[\"64512:100\",\"no-export\"],"
              "\"large_communities\":[\"64512:1:2\"],\"ext_communities\":[\"0002fde900000064\"],"
              "\"cluster_list\":[\"0.0.0.1\"],"
              "\"unknown\":[{\"code\":99,\"flags\":192,\"data\":\"dead\"}],"
              "\"originator_id\":\"10.0.0.3\",\"aggregator\":\"65001:10.0.0.4\","
              "\"atomic_aggregate\":true}");
    free(text);
    json_decref(json);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_defaults_are_left_out),
        cmocka_unit_test(test_findings),
        cmocka_unit_test(test_all_findings_at_once),
        cmocka_unit_test(test_lists_are_limited),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_C206_C218_not_offered),
        cmocka_unit_test(test_C203_key_lengths),
        cmocka_unit_test(test_C203_binary_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
