/*
 * Blocks that come and go: what IPAM does as pods do, at a given rate for a given time.
 *
 * Owns: which block is given to which node and taken from it, when, and the counts of what was
 * really done. Leaves to others: what follows for plan, configurations and oracle (state.c reads
 * e->claims), packets meanwhile (meanwhile.c).
 *
 * Blocks are the last ones of the first pool, which no node has by its place. One that was taken
 * away goes to the end of the queue of free ones and comes back at any node: a prefix moves between
 * nodes, as in a cluster. Each change is told to its speaker at once, as routes that it originates
 * or withdraws; when the time is over the state is made once, and whose configuration then differs
 * hears of it (the blocks stand in Calico's export policy, too). Another program than our speaker
 * has no such request: its file changes at every round.
 *
 * Invariant: e->claims is what the speakers were told, after every round.
 */

#include "engine.h"

#include "../../speaker/base/hash.h"
#include "../../speaker/config/config_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_DEADLINE_MS 5000 /* at least */
#define ROUND_MS 5u              /* at least, so that a high rate costs no wake-up per change */
#define ROUND_CHANGES_MAX 512u
#define BLOCKS_MAX 1000000u

struct change {
    uint32_t node;
    struct ip_prefix block;
    bool add;
};

struct churn {
    struct engine *e;
    const struct scenario_step *step;
    uint32_t *nodes; /* that may have blocks */
    size_t node_count;
    struct ip_prefix *free_blocks; /* a ring */
    size_t free_first, free_count, block_count;
    uint64_t seed, planned, done, added;
    struct nanotime begun;
    uint64_t late_max_ns;
};

/* ---- what there is to give ---- */

static bool is_claimed(const struct engine *e, struct ip_prefix block) {
    for (size_t i = 0; i < e->claim_count; i++) {
        if (ip_prefix_equal(e->claims[i].block, block))
            return true;
    }
    return false;
}

static bool has_block_of(const struct engine *e, uint32_t node, const struct calico_ip_pool *pool) {
    const struct calico_plan_node *n = calico_plan_find(e->state->plan, e->nodes[node].name);
    for (size_t i = 0; n && i < n->block_count; i++) {
        if (n->blocks[i].pool == pool)
            return true;
    }
    return false;
}

static bool refuse(struct churn *c, const char *why) {
    diag_add(c->e->diags, DIAG_ERROR, c->step->place, "churn", "churn: %s", why);
    record_verdict(c->e, RUN_REFUSED, why);
    return false;
}

static bool find_nodes(struct churn *c, const struct calico_ip_pool *pool) {
    struct engine *e = c->e;
    c->nodes = calloc(e->node_count + 1, sizeof *c->nodes);
    for (uint32_t i = 0; c->nodes && i < e->node_count; i++) {
        if (e->nodes[i].up && e->state->configs[i] && has_block_of(e, i, pool))
            c->nodes[c->node_count++] = i;
    }
    return c->node_count > 0 || refuse(c, "no node has a block; they come from an IPPool");
}

/* From the end of the pool, what nobody has. */
static bool find_blocks(struct churn *c, const struct calico_ip_pool *pool) {
    struct engine *e = c->e;
    unsigned bits = (unsigned)(pool->block_size - pool->cidr.length);
    uint64_t all = bits > 40 ? UINT64_C(1) << 40 : UINT64_C(1) << bits;
    uint64_t want = c->step->churn.blocks * c->node_count;
    if (want > BLOCKS_MAX || want + e->node_count > all)
        return refuse(c, "the pool has not that many blocks");
    size_t capacity = e->claim_capacity > want ? e->claim_capacity : (size_t)want;
    struct calico_claim *claims = arena_array(e->arena, capacity + 1, sizeof *claims);
    c->free_blocks = calloc((size_t)want + 1, sizeof *c->free_blocks);
    if (!claims || !c->free_blocks)
        return refuse(c, "out of memory");
    if (e->claim_count)
        memcpy(claims, e->claims, e->claim_count * sizeof *claims);
    e->claims = claims;
    e->claim_capacity = capacity;
    c->block_count = (size_t)want;
    for (uint64_t i = 0; i < want; i++) {
        struct ip_prefix block;
        if (ip_prefix_nth(pool->cidr, pool->block_size, all - 1 - i, &block) &&
            !is_claimed(e, block))
            c->free_blocks[c->free_count++] = block;
    }
    return true;
}

/* ---- one change ---- */

static struct change give(struct churn *c) {
    struct engine *e = c->e;
    struct change x = {.node = c->nodes[rng_below(&c->seed, c->node_count)],
                       .block = c->free_blocks[c->free_first],
                       .add = true};
    c->free_first = (c->free_first + 1) % c->block_count;
    c->free_count--;
    e->claims[e->claim_count++] = (struct calico_claim){e->nodes[x.node].name, x.block};
    c->added++;
    return x;
}

static struct change take_away(struct churn *c) {
    struct engine *e = c->e;
    size_t i = (size_t)rng_below(&c->seed, e->claim_count);
    struct change x = {.node = engine_node_find(e, e->claims[i].node), .block = e->claims[i].block};
    e->claims[i] = e->claims[--e->claim_count];
    c->free_blocks[(c->free_first + c->free_count++) % c->block_count] = x.block;
    return x;
}

static struct change next_change(struct churn *c) {
    bool add = c->e->claim_count == 0 || (c->free_count && rng_below(&c->seed, 2) == 0);
    return add ? give(c) : take_away(c);
}

/* ---- telling the speakers ---- */

/* A block as the node's own first one stands in its configuration, with another prefix. */
static json_t *origins_of(const struct engine *e, const struct change *x) {
    const struct bgp_config *now = e->state->configs[x->node];
    struct bgp_origin_config o = {0};
    struct bgp_config c;
    for (uint32_t i = 0; i < now->origin_count; i++) {
        if (now->origins[i].blackhole_in_kernel)
            o = now->origins[i];
    }
    o.prefix = x->block;
    bgp_config_init(&c, now->profile);
    c.origins = &o;
    c.origin_count = 1;
    json_t *config = config_to_json(&c);
    json_t *origins = json_incref(json_object_get(config, "origins"));
    json_decref(config);
    return origins;
}

static json_t *request_of(const struct engine *e, const struct change *x) {
    char text[IP_PREFIX_TEXT_MAX];
    if (x->add)
        return json_pack("{s:s, s:o}", "op", "originate", "routes", origins_of(e, x));
    return json_pack("{s:s, s:[{s:s, s:s}]}", "op", "withdraw", "routes", "prefix",
                     ip_prefix_format(x->block, text), "source", "static");
}

static bool refused_by(struct churn *c, uint32_t node, json_t *answer) {
    char why[256];
    const char *error = json_string_value(json_object_get(answer, "error"));
    snprintf(why, sizeof why, "%s did not take a block: %s", engine_node_name(c->e, node),
             error ? error : "no answer");
    record_verdict(c->e, RUN_FAILED, why);
    record_check(c->e, "every change of a block is taken", CHECK_FAILED, engine_elapsed(c->e), why);
    return false;
}

/* In a lab of a thousand every change is work for everybody: a rate that the processors cannot
 * keep up with is a matter of the step's own deadline. */
static uint32_t answer_deadline_ms(const struct churn *c) {
    uint64_t passed_ns = nanotime_since(lab_now(), c->begun), whole_ns = c->step->deadline_ns;
    uint64_t left_ms = whole_ns > passed_ns ? (whole_ns - passed_ns) / NANOS_PER_MS : 0;
    left_ms = left_ms < UINT32_MAX ? left_ms : UINT32_MAX;
    return left_ms > REQUEST_DEADLINE_MS ? (uint32_t)left_ms : REQUEST_DEADLINE_MS;
}

static bool tell_speakers(struct churn *c, size_t count) {
    uint32_t hosts[ROUND_CHANGES_MAX] = {0};
    json_t *requests[ROUND_CHANGES_MAX] = {0}, *answers[ROUND_CHANGES_MAX] = {0};
    bool ok = true;
    for (size_t i = 0; i < count; i++) {
        struct change x = next_change(c);
        hosts[i] = x.node;
        requests[i] = request_of(c->e, &x);
    }
    lab_request_all(c->e->lab, hosts, requests, count, answer_deadline_ms(c), answers);
    for (size_t i = 0; i < count; i++) {
        if (json_is_true(json_object_get(answers[i], "ok")))
            c->done++;
        else
            ok = ok && refused_by(c, hosts[i], answers[i]);
        json_decref(requests[i]);
        json_decref(answers[i]);
    }
    return ok;
}

static bool make_state(struct engine *e) {
    struct state *old = NULL;
    if (!state_replace(e, NULL, e->diags, &old))
        return false;
    bool ok = network_reconfigure(e, old, e->diags);
    state_release(old);
    return ok;
}

static bool change_files(struct churn *c, size_t count) {
    for (size_t i = 0; i < count; i++)
        (void)next_change(c);
    bool ok = make_state(c->e);
    c->done += ok ? count : 0;
    if (!ok)
        record_verdict(c->e, RUN_FAILED, "a changed configuration was not taken");
    return ok;
}

/* ---- the step ---- */

static struct nanotime due_at(const struct churn *c, uint64_t change) {
    double ns = (double)change * 1e9 / (double)c->step->churn.rate;
    return (struct nanotime){c->begun.ns + (uint64_t)ns};
}

static uint64_t due_by(const struct churn *c, struct nanotime now) {
    double changes = (double)nanotime_since(now, c->begun) * (double)c->step->churn.rate / 1e9;
    return changes < (double)c->planned ? (uint64_t)changes : c->planned;
}

static bool round_of_changes(struct churn *c, struct nanotime now) {
    uint64_t due = due_by(c, now), late = nanotime_since(now, due_at(c, c->done + 1));
    if (due <= c->done)
        return true;
    if (late > c->late_max_ns)
        c->late_max_ns = late;
    size_t count = (size_t)(due - c->done);
    count = count < ROUND_CHANGES_MAX ? count : ROUND_CHANGES_MAX;
    return c->e->backend.driver ? change_files(c, count) : tell_speakers(c, count);
}

static bool run_rounds(struct churn *c, struct meanwhile *m) {
    struct nanotime deadline = {c->begun.ns + c->step->deadline_ns};
    while (c->done < c->planned) {
        struct nanotime now = lab_now(), next = due_at(c, c->done + 1);
        struct nanotime least = nanotime_add_ms(now, ROUND_MS);
        if (!nanotime_before(now, deadline)) {
            record_late_verdict(c->e, RUN_FAILED, "the changes were not done within the deadline");
            return false;
        }
        if (!round_of_changes(c, now))
            return false;
        record_live(c->e, "%s: %lu/%lu changes", c->e->phase, (unsigned long)c->done,
                    (unsigned long)c->planned);
        next = nanotime_before(next, least) ? least : next;
        if (c->done < c->planned && !meanwhile_wait(m, next))
            return false;
    }
    return true;
}

static void summarize(const struct churn *c, struct meanwhile *m) {
    double seconds = (double)nanotime_since(lab_now(), c->begun) / 1e9;
    snprintf(m->summary, sizeof m->summary,
             "%lu of %lu changes, %.0f/s (at most %.0f ms late): %lu added, %lu withdrawn, %zu "
             "blocks stay",
             (unsigned long)c->done, (unsigned long)c->planned, (double)c->done / seconds,
             (double)c->late_max_ns / 1e6, (unsigned long)c->added,
             (unsigned long)(c->done > c->added ? c->done - c->added : 0), c->e->claim_count);
}

static bool run_churn(struct churn *c) {
    struct meanwhile m;
    if (!meanwhile_begin(c->e, &c->step->meanwhile, &m))
        return false;
    c->begun = lab_now();
    bool ok = run_rounds(c, &m);
    summarize(c, &m);
    meanwhile_end(&m);
    return ok && (c->e->backend.driver || make_state(c->e));
}

bool step_churn(struct engine *e, const struct scenario_step *s) {
    struct churn c = {.e = e, .step = s, .seed = e->seed};
    const struct calico_ip_pool *pool = calico_block_pool(e->state->set);
    c.planned = (uint64_t)((double)s->churn.rate * (double)s->churn.duration_ns / 1e9);
    bool ok = pool ? find_nodes(&c, pool) && find_blocks(&c, pool) && run_churn(&c)
                   : refuse(&c, "there is no IPPool to take blocks of");
    free(c.nodes);
    free(c.free_blocks);
    return ok;
}
