/*
 * One step of a scenario.
 *
 * Owns: what a step may be (exactly one action or expectation), manifest lists, faults, holds. An
 * action that carries an `expect` or `rejected` of its own becomes two steps, the action and what
 * must hold after it, so that whoever runs them has one kind of waiting only. Leaves to others:
 * churn and roll (scenario_many.c), expectations (scenario_expect.c), reading manifests when the
 * step comes (scenario_files.c), whether the named nodes exist (scenario_names.c).
 */

#include "scenario_internal.h"

#include "../../speaker/base/arena.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const step_keys[] = {"name", "deadline", "apply", "delete", "ios",     "fault",
                                        "hold", "churn",    "roll",  "expect", "rejected"};
const struct scenario_keys scenario_keys_step = {"step", step_keys, COUNT(step_keys)};
static const char *const apply_keys[] = {"files", "oneByOne", "tool"};
const struct scenario_keys scenario_keys_apply = {"apply", apply_keys, COUNT(apply_keys)};
static const char *const ios_keys[] = {"router", "lines"};
const struct scenario_keys scenario_keys_ios = {"ios", ios_keys, COUNT(ios_keys)};

static const char *const hold_keys[] = {"for", "cpu"};
const struct scenario_keys scenario_keys_hold = {"hold", hold_keys, COUNT(hold_keys)};

#define HOLD_CPU_PERCENT_MAX 102400 /* of one processor: a thousand of them */

/* The fault is the key, the node its value. */
static const struct {
    const char *key;
    enum scenario_fault_kind kind;
} faults[] = {
    {"stop", FAULT_STOP},           {"kill", FAULT_KILL},      {"restart", FAULT_RESTART},
    {"start", FAULT_START},         {"freeze", FAULT_FREEZE},  {"thaw", FAULT_THAW},
    {"linkDown", FAULT_LINK_DOWN},  {"linkUp", FAULT_LINK_UP}, {"block", FAULT_BLOCK_BGP},
    {"unblock", FAULT_UNBLOCK_BGP},
};
static const char *const fault_keys[] = {
    "stop",   "kill",  "restart", "start", "freeze",   "thaw",      "linkDown",
    "linkUp", "block", "unblock", "peer",  "graceful", "afterKill", "port",
};
const struct scenario_keys scenario_keys_fault = {"fault", fault_keys, COUNT(fault_keys)};

bool scenario_check_keys(struct scenario_reader *r, const struct yaml_node *n,
                         const struct scenario_keys *keys) {
    const char *what = *keys->what ? keys->what : "scenario";
    if (n->kind != YAML_MAPPING) {
        diag_add(r->diags, DIAG_ERROR, yaml_place(n), "wrong-type", "%s: must be a mapping", what);
        return false;
    }
    yaml_check_keys(n, keys->keys, keys->count, what, r->diags);
    return true;
}

size_t scenario_items(const struct yaml_node *n, struct yaml_node *const **ret_items,
                      struct yaml_node **ret_single) {
    if (!n || n->kind == YAML_NULL)
        return 0;
    if (n->kind == YAML_SEQUENCE) {
        *ret_items = n->items;
        return n->count;
    }
    *ret_single = (struct yaml_node *)(uintptr_t)n;
    *ret_items = ret_single;
    return 1;
}

bool scenario_read_names(struct scenario_reader *r, const struct yaml_node *n, const char *field,
                         struct scenario_manifests *ret_manifests) {
    struct yaml_node *const *items;
    struct yaml_node *single;
    size_t count = scenario_items(n, &items, &single);
    struct scenario_manifests m = {0};
    if (count > SCENARIO_MANIFESTS_MAX) {
        diag_add(r->diags, DIAG_ERROR, yaml_place(n), "limit", "%s: at most %d", field,
                 SCENARIO_MANIFESTS_MAX);
        return false;
    }
    m.paths = arena_array(r->arena, count + 1, sizeof(*m.paths));
    m.places = arena_array(r->arena, count + 1, sizeof(*m.places));
    m.documents = arena_array(r->arena, count + 1, sizeof(*m.documents));
    if (!m.paths || !m.places || !m.documents) {
        r->failed = true;
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (items[i]->kind == YAML_MAPPING) {
            m.documents[m.document_count++].root = items[i];
        } else if (yaml_string(items[i], field, r->diags, &m.paths[m.count])) {
            m.places[m.count++] = yaml_place(items[i]);
        }
    }
    *ret_manifests = m;
    return true;
}

/* `apply: {files: …, oneByOne: false, tool: kubectl}`; a document written there has a kind. */
static const struct yaml_node *read_apply_options(struct scenario_reader *r,
                                                  const struct yaml_node *n,
                                                  struct scenario_step *step) {
    bool one_by_one;
    if (n->kind != YAML_MAPPING || yaml_get(n, "kind") || !yaml_get(n, "files"))
        return n;
    scenario_check_keys(r, n, &scenario_keys_apply);
    if (yaml_bool(yaml_get(n, "oneByOne"), "oneByOne", r->diags, &one_by_one))
        step->at_once = !one_by_one;
    scenario_read_tool(r, yaml_get(n, "tool"), "tool", &step->tool);
    return yaml_get(n, "files");
}

static void read_apply(struct scenario_reader *r, const struct yaml_node *n, const char *field,
                       struct scenario_step *step) {
    struct scenario_manifests m;
    if (!scenario_read_names(r, n, field, &m))
        return;
    if (m.count + m.document_count == 0)
        diag_add(r->diags, DIAG_ERROR, yaml_place(n), "missing-field",
                 "%s: name a manifest, a folder, or write the document here", field);
    step->manifests = m.paths;
    step->manifest_places = m.places;
    step->manifest_count = m.count;
    step->inline_documents = m.documents;
    step->inline_count = m.document_count;
}

static void read_ios(struct scenario_reader *r, const struct yaml_node *n,
                     struct scenario_step *step) {
    if (!scenario_check_keys(r, n, &scenario_keys_ios))
        return;
    if (!yaml_get(n, "router") || !yaml_get(n, "lines"))
        diag_add(r->diags, DIAG_ERROR, yaml_place(n), "missing-field",
                 "ios: needs both router and lines");
    yaml_string(yaml_get(n, "router"), "router", r->diags, &step->router);
    yaml_string(yaml_get(n, "lines"), "lines", r->diags, &step->ios_lines);
}

static bool read_fault_kind(struct scenario_reader *r, const struct yaml_node *n,
                            struct scenario_fault *f) {
    size_t found = 0;
    for (size_t i = 0; i < COUNT(faults); i++) {
        const struct yaml_node *node = yaml_get(n, faults[i].key);
        if (!node)
            continue;
        found++;
        f->kind = faults[i].kind;
        yaml_string(node, faults[i].key, r->diags, &f->node);
    }
    if (found != 1)
        diag_add(r->diags, DIAG_ERROR, yaml_place(n), "missing-field",
                 "fault: exactly one of stop, kill, restart, start, freeze, thaw, linkDown, "
                 "linkUp, block, unblock: with the node's name");
    return found == 1;
}

/* Words that mean something beside some faults only. */
static void check_fault_words(struct scenario_reader *r, const struct yaml_node *n,
                              const struct scenario_fault *f) {
    static const struct {
        const char *word;
        enum scenario_fault_kind kinds[2];
        const char *beside;
    } words[] = {
        {"peer", {FAULT_BLOCK_BGP, FAULT_UNBLOCK_BGP}, "block and unblock"},
        {"port", {FAULT_BLOCK_BGP, FAULT_UNBLOCK_BGP}, "block and unblock"},
        {"graceful", {FAULT_RESTART, FAULT_RESTART}, "restart"},
        {"afterKill", {FAULT_RESTART, FAULT_RESTART}, "restart"},
    };
    for (size_t i = 0; i < COUNT(words); i++) {
        const struct yaml_node *key = yaml_key(n, words[i].word);
        if (key && f->kind != words[i].kinds[0] && f->kind != words[i].kinds[1])
            diag_add(r->diags, DIAG_ERROR, yaml_place(key), "unknown-field",
                     "fault: %s has a meaning beside %s only", words[i].word, words[i].beside);
    }
}

static void read_fault(struct scenario_reader *r, const struct yaml_node *n,
                       struct scenario_fault *f) {
    uint64_t port = 0;
    if (!scenario_check_keys(r, n, &scenario_keys_fault) || !read_fault_kind(r, n, f))
        return;
    check_fault_words(r, n, f);
    yaml_string(yaml_get(n, "peer"), "peer", r->diags, &f->peer);
    yaml_bool(yaml_get(n, "graceful"), "graceful", r->diags, &f->graceful);
    yaml_bool(yaml_get(n, "afterKill"), "afterKill", r->diags, &f->after_kill);
    if (yaml_u64(yaml_get(n, "port"), "port", 1, 65535, r->diags, &port))
        f->port = (uint16_t)port;
}

static void read_hold(struct scenario_reader *r, const struct yaml_node *n,
                      struct scenario_step *step) {
    uint64_t percent = 0;
    if (!scenario_check_keys(r, n, &scenario_keys_hold))
        return;
    if (!yaml_get(n, "for"))
        diag_add(r->diags, DIAG_ERROR, yaml_place(n), "missing-field", "hold: for how long (for)");
    if (yaml_duration(yaml_get(n, "for"), "for", r->diags, &step->hold_ns) &&
        step->hold_ns > SCENARIO_DEADLINE_MAX_NS)
        diag_add(r->diags, DIAG_ERROR, yaml_place(yaml_get(n, "for")), "out-of-range",
                 "hold: at most 24h");
    if (yaml_u64(yaml_get(n, "cpu"), "cpu", 1, HOLD_CPU_PERCENT_MAX, r->diags, &percent))
        step->hold_cpu_percent = (uint32_t)percent;
}

/* ---- the step ---- */

static const char *last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static const char *made_up_name(struct scenario_reader *r, const struct scenario_step *s) {
    const char *first = s->manifest_count ? last_part(s->manifests[0]) : "documents";
    const char *node = s->fault.node ? s->fault.node : "";
    switch (s->kind) {
    case STEP_APPLY:
        return arena_printf(r->arena, "apply %s", first);
    case STEP_DELETE:
        return arena_printf(r->arena, "delete %s", first);
    case STEP_IOS:
        return arena_printf(r->arena, "configure %s", s->router ? s->router : "");
    case STEP_FAULT:
        for (size_t i = 0; i < COUNT(faults); i++)
            if (faults[i].kind == s->fault.kind)
                return arena_printf(r->arena, "%s %s", faults[i].key, node);
        return "fault";
    case STEP_HOLD:
        return "hold";
    case STEP_CHURN:
        return "blocks come and go";
    case STEP_ROLL:
        return arena_printf(r->arena, "nodes restarted, %lu at a time",
                            (unsigned long)s->roll.batch);
    case STEP_EXPECT:
        return "expect";
    }
    return "step";
}

static size_t read_action(struct scenario_reader *r, const struct yaml_node *n,
                          struct scenario_step *step) {
    const struct yaml_node *apply = yaml_get(n, "apply"), *deleted = yaml_get(n, "delete");
    const struct yaml_node *ios = yaml_get(n, "ios"), *fault = yaml_get(n, "fault");
    const struct yaml_node *hold = yaml_get(n, "hold");
    const struct yaml_node *churn = yaml_get(n, "churn"), *roll = yaml_get(n, "roll");
    if (apply) {
        step->kind = STEP_APPLY;
        step->tool = r->scenario->tool;
        read_apply(r, read_apply_options(r, apply, step), "apply", step);
    }
    if (deleted) {
        step->kind = STEP_DELETE;
        read_apply(r, deleted, "delete", step);
    }
    if (ios) {
        step->kind = STEP_IOS;
        read_ios(r, ios, step);
    }
    if (fault) {
        step->kind = STEP_FAULT;
        read_fault(r, fault, &step->fault);
    }
    if (hold) {
        step->kind = STEP_HOLD;
        read_hold(r, hold, step);
    }
    if (churn)
        scenario_read_churn(r, churn, step);
    if (roll)
        scenario_read_roll(r, roll, step);
    return (size_t) !!apply + !!deleted + !!ios + !!fault + !!hold + !!churn + !!roll;
}

static void read_deadline(struct scenario_reader *r, const struct yaml_node *n,
                          struct scenario_step *step) {
    step->deadline_ns = r->deadline_ns;
    if (yaml_duration(n, "deadline", r->diags, &step->deadline_ns) &&
        (step->deadline_ns == 0 || step->deadline_ns > SCENARIO_DEADLINE_MAX_NS))
        diag_add(r->diags, DIAG_ERROR, yaml_place(n), "out-of-range",
                 "deadline: must be above 0 and at most 24h");
}

static void read_name(struct scenario_reader *r, const struct yaml_node *n,
                      struct scenario_step *step) {
    if (!yaml_string(n, "name", r->diags, &step->name))
        step->name = made_up_name(r, step);
    if (!step->name) {
        step->name = "";
        r->failed = true;
    }
}

/* What must hold after the action, as a step of its own. */
static bool read_outcome(struct scenario_reader *r, const struct yaml_node *n,
                         const struct scenario_step *action, struct scenario_step *outcome) {
    const struct yaml_node *expect = yaml_get(n, "expect"), *rejected = yaml_get(n, "rejected");
    if (!expect && !rejected)
        return false;
    outcome->kind = STEP_EXPECT;
    outcome->place = yaml_place(expect ? expect : rejected);
    outcome->deadline_ns = action->deadline_ns;
    outcome->name = action->name;
    if (expect)
        scenario_read_expects(r, expect, outcome);
    if (rejected)
        scenario_read_rejected(r, rejected, outcome);
    return true;
}

size_t scenario_read_step(struct scenario_reader *r, const struct yaml_node *n, size_t index,
                          struct scenario_step steps[2]) {
    struct scenario_step *step = &steps[0];
    step->place = yaml_place(n);
    step->kind = STEP_EXPECT;
    step->name = "";
    if (!scenario_check_keys(r, n, &scenario_keys_step))
        return 1;
    size_t actions = read_action(r, n, step);
    if (actions > 1 || (actions == 0 && !yaml_get(n, "expect")))
        diag_add(
            r->diags, DIAG_ERROR, step->place, "missing-field",
            "steps[%zu]: exactly one of apply, delete, ios, fault, hold, churn, roll or expect",
            index);
    bool manifests = step->kind == STEP_APPLY || step->kind == STEP_DELETE;
    step->may_be_rejected = manifests && yaml_get(n, "rejected");
    if (!manifests && yaml_get(n, "rejected"))
        diag_add(r->diags, DIAG_ERROR, yaml_place(yaml_key(n, "rejected")), "unknown-field",
                 "rejected: has a meaning beside apply or delete only");
    read_deadline(r, yaml_get(n, "deadline"), step);
    read_name(r, yaml_get(n, "name"), step);
    bool outcome = read_outcome(r, n, step, actions ? &steps[1] : step);
    return actions && outcome ? 2 : 1;
}
