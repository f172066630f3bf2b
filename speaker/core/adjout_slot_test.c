/*
 * What a group keeps of what it has sent: a record a message, shared by the message's prefixes;
 * gone with the last of them; and nothing of changes once they are sent.
 */
#include "tables_test.h"

#include "adjout.h"

#define PREFIXES 240

static void begin(struct bench *b) {
    bench_config(b, BGP_PROFILE_CALICO, 2);
    b->peers[1].rr_client = true;
    bench_start(b);
    bench_up(b, 0);
    bench_up(b, 1);
    bench_work(b);
    bench_pull(b, 1);
}

static struct ip_prefix prefix_of(uint32_t n) {
    return ip_prefix_make(ip4(0x0b000000u + n * 256), 24);
}

static void send_all(struct bench *b, const struct attr_values *v, uint32_t from, uint32_t count) {
    struct ip_prefix prefixes[PREFIXES];
    for (uint32_t i = 0; i < count; i++) {
        prefixes[i] = prefix_of(from + i);
    }
    (void)bench_send(b, 0, v, prefixes, count);
    bench_work(b);
}

static struct attr_values values(uint32_t local_pref) {
    return (struct attr_values){
        .next_hop = ip4(0x0a010001), .has_local_pref = true, .local_pref = local_pref};
}

static void test_a_record_a_message(void **state) {
    struct bench b;
    (void)state;
    begin(&b);
    const struct adjout *a = b.s->adjout;
    const struct attr_values first = values(100), second = values(200);
    uint32_t before = a->said.used;
    send_all(&b, &first, 0, PREFIXES);
    assert_int_equal(a->pendings.used, PREFIXES);
    bench_pull(&b, 1);
    assert_int_equal(b.holds[1].route_count, PREFIXES);
    assert_int_equal(a->said.used, before + 1);
    send_all(&b, &second, 0, PREFIXES / 2);
    bench_pull(&b, 1);
    assert_int_equal(a->said.used, before + 2);
    send_all(&b, &second, PREFIXES / 2, PREFIXES / 2);
    bench_pull(&b, 1);
    assert_int_equal(a->said.used, before + 2); /* nobody has the first one's any more */
    send_all(&b, NULL, 0, PREFIXES);
    bench_pull(&b, 1);
    assert_int_equal(b.holds[1].route_count, 0);
    assert_int_equal(a->said.used, before); /* the withdrawal's went with the graves */
    bench_end(&b);
}

static void test_changes_are_given_back(void **state) {
    struct bench b;
    (void)state;
    begin(&b);
    const struct slab *pendings = &b.s->adjout->pendings;
    const struct attr_values v = values(100);
    for (uint32_t i = 0; i < 3; i++) {
        send_all(&b, &v, 0, PREFIXES);
        send_all(&b, &v, PREFIXES, PREFIXES);
        assert_true(pendings->page_count > ADJOUT_IDLE_PAGES);
        send_all(&b, NULL, 0, PREFIXES);
        send_all(&b, NULL, PREFIXES, PREFIXES);
        assert_int_equal(pendings->used, 0); /* A -> nothing -> A leaves nothing to send */
    }
    send_all(&b, &v, 0, PREFIXES);
    bench_pull(&b, 1);
    assert_int_equal(pendings->used, 0);
    assert_true(pendings->page_count <= ADJOUT_IDLE_PAGES);
    bench_end(&b);
}

/* A change that waits keeps what was said: it is withdrawn from there, not from what was wanted. */
static void test_a_change_keeps_what_was_said(void **state) {
    struct bench b;
    (void)state;
    begin(&b);
    const struct attr_values first = values(100), second = values(200);
    send_all(&b, &first, 0, 1);
    bench_pull(&b, 1);
    send_all(&b, &second, 0, 1);
    uint32_t group = adjout_member_at(b.s, b.holds[1].p->group_member)->group;
    const struct adjout_group *g = adjout_group_at(b.s, group);
    uint32_t entry = rib_entry_find(b.s, BGP_IPV4_UNICAST, prefix_of(0));
    assert_int_not_equal(adjout_slot_pending(g, BGP_IPV4_UNICAST, entry), 0);
    const struct adjout_said *said = adjout_said_of(b.s, g, BGP_IPV4_UNICAST, entry);
    assert_non_null(said);
    assert_int_equal(attr_get(&b.s->attrs, said->attrs)->v.local_pref, 100);
    send_all(&b, &first, 0, 1); /* as it was */
    assert_int_equal(adjout_slot_pending(g, BGP_IPV4_UNICAST, entry), 0);
    uint32_t updates = b.holds[1].updates;
    bench_pull(&b, 1);
    assert_int_equal(b.holds[1].updates, updates);
    bench_end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_record_a_message),
        cmocka_unit_test(test_changes_are_given_back),
        cmocka_unit_test(test_a_change_keeps_what_was_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
