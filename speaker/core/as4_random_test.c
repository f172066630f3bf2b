/*
 * Four-octet ASes (RFC 6793) at random, with a model from the RFC's text. An UPDATE in octets of
 * the test's own comes from a speaker with two or four octets, outside or in another member of the
 * confederation; what is sent to one of each kind outside, inside and in that member is read with
 * the test's own code. Then a speaker with two octets, played by the test, hands on what it got to
 * a second one, which has to find the path as it was. Left free: how long segments are, so
 * sequences count AS by AS; in which order a set stands.
 */
#include "tables_test.h"

#include "adjout.h"

#define LOCAL_AS 64512u
#define MEMBER 64600u
#define CONFEDERATION 65100u
#define OLD_AS 64800u
#define ITEMS_MAX 64u
#define SET_MAX 4u
#define SEEDS 4000u

/* An AS of a sequence, or a whole set. */
struct item {
    uint8_t type;
    uint8_t count;
    uint32_t asns[SET_MAX];
};

struct path {
    uint32_t count;
    struct item items[ITEMS_MAX];
};

struct aggregator {
    bool present;
    uint32_t asn;
};

struct said {
    bool there, has_as4_path;
    struct path path, as4_path;
    struct aggregator aggregator, as4_aggregator;
};

/* Peers: where the route comes from, then those it goes to. */
enum { SOURCE, FAR, FAR_OLD, INSIDE, INSIDE_OLD, NEAR, NEAR_OLD, PEERS };

static struct bench b, second;
static uint64_t rng;

static uint32_t below(uint32_t n) {
    return (uint32_t)rng_below(&rng, n);
}

static bool is_confed(const struct item *i) {
    return i->type == AS_CONFED_SEQUENCE || i->type == AS_CONFED_SET;
}

/* ---- octets ---- */

static void put(struct byte_writer *w, uint32_t asn, bool as4) {
    if (as4)
        bytes_put_u32(w, asn);
    else
        bytes_put_u16(w, (uint16_t)(asn > 65535 ? 23456 : asn));
}

static void put_path(struct byte_writer *w, const struct path *p, bool as4) {
    for (uint32_t at = 0, end; at < p->count; at = end) {
        const struct item *first = &p->items[at];
        bool sequence = first->type == AS_SEQUENCE || first->type == AS_CONFED_SEQUENCE;
        uint32_t split = 1 + below(8);
        for (end = at + 1;
             sequence && end < p->count && end < at + split && p->items[end].type == first->type;)
            end++;
        bytes_put_u8(w, first->type);
        bytes_put_u8(w, sequence ? (uint8_t)(end - at) : first->count);
        for (uint32_t i = at; i < end; i++)
            for (uint32_t n = 0; n < p->items[i].count; n++)
                put(w, p->items[i].asns[n], as4);
    }
}

static void put_attribute(struct byte_writer *w, uint8_t flags, uint8_t code,
                          const struct byte_writer *value) {
    bytes_put_u8(w, flags | 0x10);
    bytes_put_u8(w, code);
    bytes_put_u16(w, (uint16_t)value->at);
    bytes_put(w, value->data, value->at);
}

static void put_aggregator(struct byte_writer *w, uint8_t code, uint32_t asn, bool as4) {
    uint8_t data[8];
    struct byte_writer value = bytes_writer(data, sizeof data);
    put(&value, asn, as4);
    bytes_put_u32(&value, 0xC0000201);
    put_attribute(w, 0xC0, code, &value);
}

static size_t make_update(const struct said *u, bool as4, uint8_t *out, size_t max) {
    uint8_t data[1024], value_data[512];
    struct byte_writer attrs = bytes_writer(data, sizeof data);
    struct byte_writer w = bytes_writer(out, max);
    struct byte_writer value = bytes_writer(value_data, sizeof value_data);
    bytes_put(&attrs, "\x40\x01\x01\x00\x40\x03\x04\x0a\x00\x00\x01", 11);
    put_path(&value, &u->path, as4);
    put_attribute(&attrs, 0x40, 2, &value);
    if (u->aggregator.present)
        put_aggregator(&attrs, 7, u->aggregator.asn, as4);
    value = bytes_writer(value_data, sizeof value_data);
    put_path(&value, &u->as4_path, true);
    if (u->has_as4_path)
        put_attribute(&attrs, 0xC0, 17, &value);
    if (u->as4_aggregator.present)
        put_aggregator(&attrs, 18, u->as4_aggregator.asn, true);
    for (unsigned i = 0; i < 16; i++)
        bytes_put_u8(&w, 0xFF);
    bytes_put_u16(&w, (uint16_t)(19 + 4 + attrs.at + 4));
    bytes_put_u8(&w, 2);
    bytes_put_u16(&w, 0);
    bytes_put_u16(&w, (uint16_t)attrs.at);
    bytes_put(&w, attrs.data, attrs.at);
    bytes_put(&w, "\x18\xC0\x00\x02", 4);
    assert_false(w.failed || attrs.failed);
    return w.at;
}

static uint32_t get(const uint8_t *p, bool as4) {
    uint32_t two = (uint32_t)p[0] << 8 | p[1];
    return as4 ? two << 16 | (uint32_t)p[2] << 8 | p[3] : two;
}

static void get_path(const uint8_t *p, size_t size, bool as4, struct path *ret) {
    size_t width = as4 ? 4 : 2;
    memset(ret, 0, sizeof *ret);
    for (size_t at = 0; at < size; at += 2 + p[at + 1] * width) {
        bool sequence = p[at] == AS_SEQUENCE || p[at] == AS_CONFED_SEQUENCE;
        assert_true(p[at + 1] > 0 && at + 2 + p[at + 1] * width <= size);
        for (size_t n = 0; n < p[at + 1]; n++) {
            if (sequence || n == 0)
                ret->count++;
            assert_true(ret->count <= ITEMS_MAX);
            struct item *i = &ret->items[ret->count - 1];
            assert_true(i->count < SET_MAX);
            i->type = p[at];
            i->asns[i->count++] = get(p + at + 2 + n * width, as4);
        }
    }
}

static void read_update(const uint8_t *m, size_t size, bool as4, struct said *ret) {
    size_t at = 19 + 2 + ((size_t)m[19] << 8 | m[20]) + 2, value;
    size_t end = at + ((size_t)m[at - 2] << 8 | m[at - 1]);
    memset(ret, 0, sizeof *ret);
    ret->there = end < size; /* prefixes */
    for (; at < end; at = value) {
        bool wide = m[at] & 0x10;
        size_t length = wide ? (size_t)m[at + 2] << 8 | m[at + 3] : m[at + 2];
        const uint8_t *p = m + at + (wide ? 4 : 3);
        value = at + (wide ? 4 : 3) + length;
        if (m[at + 1] == 2) {
            get_path(p, length, as4, &ret->path);
        } else if (m[at + 1] == 17) {
            ret->has_as4_path = true;
            get_path(p, length, true, &ret->as4_path);
        } else if (m[at + 1] == 7) {
            assert_int_equal(length, as4 ? 8 : 6);
            ret->aggregator = (struct aggregator){true, get(p, as4)};
        } else if (m[at + 1] == 18) {
            ret->as4_aggregator = (struct aggregator){true, get(p, true)};
        }
    }
}

/* ---- the model ---- */

/* RFC 4271 9.1.2.2, RFC 5065 5.3: a set is one, a confederation's segment none. */
static uint32_t length_of(const struct path *p) {
    uint32_t length = 0;
    for (uint32_t i = 0; i < p->count; i++)
        length += !is_confed(&p->items[i]);
    return length;
}

static struct path without_confed(const struct path *p) {
    struct path out = {0};
    for (uint32_t i = 0; i < p->count; i++)
        if (!is_confed(&p->items[i]))
            out.items[out.count++] = p->items[i];
    return out;
}

/* RFC 6793 4.2.3; 3: AS4_PATH has no confederation segments, or they are not looked at. */
static void model_in(const struct said *u, bool as4, struct path *ret_path,
                     struct aggregator *ret_aggregator) {
    *ret_path = u->path;
    *ret_aggregator = u->aggregator;
    if (as4) /* 4.1: a NEW speaker's are discarded */
        return;
    if (u->aggregator.present && u->as4_aggregator.present) {
        if (u->aggregator.asn != 23456)
            return;
        ret_aggregator->asn = u->as4_aggregator.asn;
    }
    struct path true_path = without_confed(&u->as4_path), merged = {0};
    uint32_t length = length_of(&u->path), as4_length = length_of(&true_path);
    if (!u->has_as4_path || as4_length == 0 || as4_length > length)
        return;
    uint32_t wanted = length - as4_length;
    for (uint32_t i = 0; i < u->path.count; i++) {
        const struct item *next = &u->path.items[i];
        if (!is_confed(next) && wanted-- == 0)
            break;
        merged.items[merged.count++] = *next;
    }
    for (uint32_t i = 0; i < true_path.count; i++)
        merged.items[merged.count++] = true_path.items[i];
    *ret_path = merged;
}

static struct path behind(struct item first, const struct path *p) {
    struct path out = {.count = p->count + 1};
    out.items[0] = first;
    memcpy(out.items + 1, p->items, p->count * sizeof *p->items);
    return out;
}

static struct path in_two_octets(struct path p) {
    for (uint32_t i = 0; i < p.count; i++)
        for (uint32_t n = 0; n < p.items[i].count; n++)
            p.items[i].asns[n] = p.items[i].asns[n] > 65535 ? 23456 : p.items[i].asns[n];
    return p;
}

static bool is_wide(const struct path *p) {
    bool wide = false;
    for (uint32_t i = 0; i < p->count; i++)
        for (uint32_t n = 0; n < p->items[i].count; n++)
            wide |= p->items[i].asns[n] > 65535;
    return wide;
}

/* RFC 5065 4, then RFC 6793 4.2.2. */
static struct said model_out(const struct path *p, struct aggregator aggregator, int to,
                             uint32_t public_as) {
    struct said u = {.there = true, .path = *p, .aggregator = aggregator};
    if (to == FAR || to == FAR_OLD) {
        u.path = without_confed(p);
        u.path = behind((struct item){AS_SEQUENCE, 1, {public_as}}, &u.path);
    } else if (to == NEAR || to == NEAR_OLD) {
        u.path = behind((struct item){AS_CONFED_SEQUENCE, 1, {LOCAL_AS}}, p);
    }
    if (to == FAR || to == INSIDE || to == NEAR)
        return u;
    u.as4_path = without_confed(&u.path);
    u.has_as4_path = is_wide(&u.as4_path);
    if (!u.has_as4_path)
        u.as4_path = (struct path){0};
    u.path = in_two_octets(u.path);
    if (aggregator.present && aggregator.asn > 65535) {
        u.as4_aggregator = aggregator;
        u.aggregator.asn = 23456;
    }
    return u;
}

/* ---- random ---- */

static const uint32_t asns[] = {1,     100,   23456, 65535,      3000,
                                65536, 70000, 65537, 4200000001, 4294967295};

static struct item any_item(bool wide) {
    uint32_t count = wide ? 10 : 5, first = below(count);
    struct item i = {below(5) ? AS_SEQUENCE : AS_SET, 1, {0}};
    i.count = i.type == AS_SET ? (uint8_t)(1 + below(SET_MAX)) : 1;
    for (uint32_t n = 0; n < i.count; n++)
        i.asns[n] = asns[(first + n) % count];
    return i;
}

/* Segments of a confederation lead, as RFC 5065 4 makes them. */
static struct path any_path(uint32_t max, bool wide, bool confed) {
    struct path p = {0};
    if (confed)
        p.items[p.count++] = (struct item){AS_CONFED_SEQUENCE, 1, {MEMBER}};
    if (confed && below(3) == 0)
        p.items[p.count++] = (struct item){AS_CONFED_SEQUENCE, 1, {64603}};
    if (confed && below(3) == 0)
        p.items[p.count++] = (struct item){AS_CONFED_SET, 2, {64601, 64602}};
    for (uint32_t n = below(max) + 1; n > 0; n--)
        p.items[p.count++] = any_item(wide);
    return p;
}

static struct said any_update(bool as4, bool confed) {
    struct said u = {.path = any_path(8, as4, confed)};
    u.has_as4_path = below(3) > 0;
    if (u.has_as4_path && below(2)) { /* as a speaker with two octets makes it of the truth */
        struct path truth = any_path(8, true, confed);
        u.path = in_two_octets(truth);
        u.as4_path = without_confed(&truth);
        uint32_t cut = u.as4_path.count ? below(u.as4_path.count) : 0; /* then it prepended */
        u.as4_path.count -= cut;
        memmove(u.as4_path.items, u.as4_path.items + cut, u.as4_path.count * sizeof(struct item));
    } else if (u.has_as4_path) {
        u.as4_path = any_path(8, true, below(4) == 0);
    }
    u.has_as4_path &= u.as4_path.count > 0;
    u.aggregator = (struct aggregator){below(2), 0};
    if (u.aggregator.present)
        u.aggregator.asn = below(2) ? 23456 : asns[below(as4 ? 10 : 5)];
    u.as4_aggregator.present = u.aggregator.present && below(2);
    u.as4_aggregator.asn = u.as4_aggregator.present ? asns[below(10)] : 0;
    return u;
}

/* ---- the speaker ---- */

static void set_up(struct bench *x, uint32_t local_as, bool confed, bool source_confed,
                   bool source_as4) {
    static const uint32_t member = MEMBER;
    bench_config(x, BGP_PROFILE_PLAIN, PEERS);
    x->config.local_as = local_as;
    for (uint32_t i = 0; i < PEERS; i++) {
        struct bgp_peer_config *p = &x->peers[i];
        p->remote_as = local_as;
        p->enforce_first_as = false;
        p->passive = true;
        if (i == FAR || i == FAR_OLD || (i == SOURCE && !source_confed))
            p->remote_as = i == SOURCE ? OLD_AS : 64900 + i;
        else if (confed && (i == SOURCE || i == NEAR || i == NEAR_OLD))
            p->remote_as = MEMBER;
    }
    if (confed) {
        x->config.confederation_id = CONFEDERATION;
        x->config.confederation_members = &member;
        x->config.confederation_member_count = 1;
    }
    bench_start(x);
    for (uint32_t i = 0; i < PEERS; i++) {
        struct peer *p = x->holds[i].p;
        bench_up(x, i);
        p->as4 = i == SOURCE ? source_as4 : i != FAR_OLD && i != INSIDE_OLD && i != NEAR_OLD;
        adjout_regroup(x->s, p);
    }
    bench_settle(x);
}

/* The octets of the UPDATE that peer `i` gets; 0: none. */
static size_t take(struct bench *x, uint32_t i, uint8_t *out, size_t max) {
    struct bgp_part part;
    size_t size = 0, found = 0;
    while (adjout_pull(x->s, x->holds[i].p, &part, 1, x->now) > 0) {
        assert_true(size + part.size <= max);
        memcpy(out + size, part.data, part.size);
        size += part.size;
        (void)adjout_sent(x->s, x->holds[i].p, part.size);
    }
    for (size_t at = 0, next; at < size; at = next) {
        next = at + ((size_t)out[at + 16] << 8 | out[at + 17]);
        found = next - at;
        memmove(out, out + at, found);
    }
    return found;
}

static void put_items(struct text *t, const char *what, const struct path *p) {
    text_puts(t, what);
    for (uint32_t i = 0; i < p->count; i++)
        for (uint32_t n = 0; n < p->items[i].count; n++)
            text_printf(t, " %u:%u", p->items[i].type, p->items[i].asns[n]);
}

static bool path_equal(const struct path *x, const struct path *y) {
    bool equal = x->count == y->count;
    for (uint32_t i = 0; equal && i < x->count; i++) {
        const struct item *a = &x->items[i], *c = &y->items[i];
        equal = a->type == c->type && a->count == c->count;
        for (uint32_t n = 0; equal && n < a->count; n++) {
            bool found = false;
            for (uint32_t k = 0; k < c->count; k++)
                found |= a->asns[n] == c->asns[k];
            equal = found;
        }
    }
    return equal;
}

static void expect(const struct said *given, const struct said *got, const struct said *want,
                   uint32_t seed, int to) {
    if (got->there && got->has_as4_path == want->has_as4_path &&
        path_equal(&got->path, &want->path) && path_equal(&got->as4_path, &want->as4_path) &&
        got->aggregator.present == want->aggregator.present &&
        got->aggregator.asn == want->aggregator.asn &&
        got->as4_aggregator.present == want->as4_aggregator.present &&
        got->as4_aggregator.asn == want->as4_aggregator.asn)
        return;
    static const char *const names[] = {"\ngiven path", "\ngot path", "\nexpected path"};
    struct text t;
    text_init(&t);
    const struct said *const all[] = {given, got, want};
    for (size_t i = 0; i < 3; i++) {
        const struct said *s = all[i];
        put_items(&t, names[i], &s->path);
        put_items(&t, ", AS4_PATH", &s->as4_path);
        text_printf(&t, ", by %u, AS4 %u", s->aggregator.asn, s->as4_aggregator.asn);
    }
    fail_msg("seed %u, to %d: %s%s", seed, to, got->there ? "sent" : "not sent", text_str(&t));
}

/* What was put into octets without a choice of ours. */
static void say(struct bench *x, const struct said *u, bool as4) {
    uint8_t message[2048];
    size_t size = make_update(u, as4, message, sizeof message);
    (void)bench_message(x, SOURCE, message, size);
    bench_work(x);
}

static struct said heard(struct bench *x, uint32_t i) {
    uint8_t octets[4096];
    struct said u = {0};
    size_t size = take(x, i, octets, sizeof octets);
    if (size)
        read_update(octets, size, x->holds[i].p->as4, &u);
    return u;
}

/* A speaker with two octets hands on what it was sent, to one that knows the path it had. */
static void hand_on(struct said u, const struct said *true_one, uint32_t seed) {
    set_up(&second, 64513, false, false, false);
    u.path = behind((struct item){AS_SEQUENCE, 1, {OLD_AS}}, &u.path);
    say(&second, &u, false);
    struct path path = behind((struct item){AS_SEQUENCE, 1, {OLD_AS}}, &true_one->path);
    const struct said want = model_out(&path, true_one->aggregator, FAR, 64513);
    const struct said got = heard(&second, FAR);
    expect(&u, &got, &want, seed, PEERS);
    bench_end(&second);
}

static void run(uint32_t seed) {
    rng = seed;
    bool confed = below(2), source_confed = confed && below(2), as4 = below(3) == 0;
    uint32_t public_as = confed ? CONFEDERATION : LOCAL_AS;
    struct path path;
    struct aggregator aggregator;
    set_up(&b, LOCAL_AS, confed, source_confed, as4);
    const struct said u = any_update(as4, source_confed);
    say(&b, &u, as4);
    model_in(&u, as4, &path, &aggregator);
    for (uint32_t to = FAR; to < (confed ? PEERS : NEAR); to++) {
        const struct said want = model_out(&path, aggregator, (int)to, public_as);
        const struct said got = heard(&b, to);
        expect(&u, &got, &want, seed, (int)to);
        if (to == FAR_OLD) {
            const struct said true_one = model_out(&path, aggregator, FAR, public_as);
            hand_on(got, &true_one, seed);
        }
    }
    bench_end(&b);
}

static void test_C139_C140_C141_C142_C143_C145_at_random(void **state) {
    (void)state;
    for (uint32_t seed = 1; seed <= SEEDS; seed++)
        run(seed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C139_C140_C141_C142_C143_C145_at_random),
    };
    return cmocka_run_group_tests_name("as4_random", tests, NULL, NULL);
}
