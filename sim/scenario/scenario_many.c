/*
 * The actions that change many things: churn and roll.
 *
 * Owns: their fields, with units and limits. Leaves to others what they do (churn.c, roll.c).
 */

#include "scenario_internal.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define RATE_MAX 100000 /* changes a second */
#define BLOCKS_MAX 1000 /* for each node */
#define BATCH_MAX 10000 /* nodes */
#define SAMPLE_MAX 1000 /* flows */

static const char *const churn_keys[] = {"rate", "for", "blocks", "sample", "lost"};
const struct scenario_keys scenario_keys_churn = {"churn", churn_keys, COUNT(churn_keys)};
static const char *const roll_keys[] = {"batch", "graceful", "sample", "lost"};
const struct scenario_keys scenario_keys_roll = {"roll", roll_keys, COUNT(roll_keys)};

static void read_meanwhile(struct scenario_reader *r, const struct yaml_node *n,
                           struct scenario_meanwhile *m) {
    uint64_t sample = 20;
    const struct yaml_node *lost = yaml_get(n, "lost");
    yaml_u64(yaml_get(n, "sample"), "sample", 0, SAMPLE_MAX, r->diags, &sample);
    m->sample = (uint32_t)sample;
    m->judged = lost && yaml_u64(lost, "lost", 0, UINT64_MAX, r->diags, &m->lost_max);
    if (lost && !sample)
        diag_add(r->diags, DIAG_ERROR, yaml_place(lost), "out-of-range",
                 "lost: with sample 0 no packet is sent");
}

void scenario_read_churn(struct scenario_reader *r, const struct yaml_node *n,
                         struct scenario_step *step) {
    struct scenario_churn *c = &step->churn;
    const struct yaml_node *duration = yaml_get(n, "for");
    step->kind = STEP_CHURN;
    c->blocks = 2;
    if (!scenario_check_keys(r, n, &scenario_keys_churn))
        return;
    if (!yaml_get(n, "rate") || !duration)
        diag_add(r->diags, DIAG_ERROR, yaml_place(n), "missing-field",
                 "churn: needs rate (changes a second) and for (how long)");
    yaml_u64(yaml_get(n, "rate"), "rate", 1, RATE_MAX, r->diags, &c->rate);
    yaml_u64(yaml_get(n, "blocks"), "blocks", 1, BLOCKS_MAX, r->diags, &c->blocks);
    if (yaml_duration(duration, "for", r->diags, &c->duration_ns) &&
        (c->duration_ns == 0 || c->duration_ns > SCENARIO_DEADLINE_MAX_NS))
        diag_add(r->diags, DIAG_ERROR, yaml_place(duration), "out-of-range",
                 "for: must be above 0 and at most 24h");
    read_meanwhile(r, n, &step->meanwhile);
}

void scenario_read_roll(struct scenario_reader *r, const struct yaml_node *n,
                        struct scenario_step *step) {
    step->kind = STEP_ROLL;
    step->roll.batch = 1;
    if (!scenario_check_keys(r, n, &scenario_keys_roll))
        return;
    yaml_u64(yaml_get(n, "batch"), "batch", 1, BATCH_MAX, r->diags, &step->roll.batch);
    yaml_bool(yaml_get(n, "graceful"), "graceful", r->diags, &step->roll.graceful);
    read_meanwhile(r, n, &step->meanwhile);
}
