#ifndef RIBCAGE_CALICO_TEST_H
#define RIBCAGE_CALICO_TEST_H

/* What the tests of this folder share: a set filled from YAML text, and questions to findings. */

#include "../../speaker/base/arena.h"
#include "../../speaker/base/text.h"
#include "finding.h"
#include "plan.h"
#include "resources.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct arena *arena;
    struct diag_list *diags;
    struct calico_set *set;
    struct calico_plan *plan;
};

static inline int fixture_setup(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    f->arena = arena_new();
    f->diags = diag_list_new();
    f->set = calico_set_new();
    *state = f;
    return 0;
}

/* Whatever was found must stand in the catalogue, with a severity no worse than there. */
static inline void fixture_check_ids(const struct fixture *f) {
    for (size_t i = 0; i < diag_count(f->diags); i++) {
        const struct diag *d = diag_at(f->diags, i);
        const struct finding_rule *r = finding_rule_find(d->id);
        if (!r || d->severity < r->severity)
            fail_msg("\"%s\" is not in the catalogue of findings as it was reported: %s", d->id,
                     d->message);
    }
}

static inline int fixture_teardown(void **state) {
    struct fixture *f = *state;
    fixture_check_ids(f);
    calico_plan_free(f->plan);
    calico_set_free(f->set);
    diag_list_free(f->diags);
    arena_free(f->arena);
    free(f);
    return 0;
}

static inline int fixture_documents(struct fixture *f, const char *text,
                                    struct yaml_document **ret_documents) {
    return yaml_parse(text, strlen(text), "t.yaml", f->arena, f->diags, ret_documents);
}

/* Everything found from now on is counted afresh. */
static inline void fixture_forget(struct fixture *f) {
    fixture_check_ids(f);
    diag_list_free(f->diags);
    f->diags = diag_list_new();
}

static inline bool fixture_apply(struct fixture *f, const char *text, bool strict) {
    struct yaml_document *documents = NULL;
    int count = fixture_documents(f, text, &documents);
    assert_true(count >= 0);
    return calico_apply(f->set, documents, (size_t)count, strict, f->diags);
}

static inline const struct diag *fixture_find(const struct fixture *f, const char *id) {
    for (size_t i = 0; i < diag_count(f->diags); i++)
        if (strcmp(diag_at(f->diags, i)->id, id) == 0)
            return diag_at(f->diags, i);
    return NULL;
}

static inline void fixture_show(const struct fixture *f) {
    struct text t;
    text_init(&t);
    diag_print(f->diags, &t);
    print_message("%s", text_str(&t));
    text_deinit(&t);
}

static inline void fixture_must_apply(struct fixture *f, const char *text) {
    if (!fixture_apply(f, text, true)) {
        fixture_show(f);
        fail_msg("refused: %s", text);
    }
}

static inline void fixture_node(struct fixture *f, const char *name, const char *addr4,
                                uint32_t as_number, const char *cluster_id) {
    struct calico_node n = {.name = name, .length4 = 24, .as_number = as_number};
    assert_true(ip_parse(addr4, &n.addr4));
    if (cluster_id) {
        n.has_cluster_id = true;
        assert_true(ip_parse(cluster_id, &n.cluster_id));
    }
    struct calico_label label = {cluster_id ? "route-reflector" : "worker", "true"};
    n.labels = &label;
    n.label_count = 1;
    assert_true(calico_add_node(f->set, &n));
}

/* kube-1 … kube-N at 10.0.0.1 … */
static inline void fixture_nodes(struct fixture *f, unsigned count) {
    for (unsigned i = 1; i <= count; i++) {
        char name[32], addr[32];
        snprintf(name, sizeof name, "kube-%u", i);
        snprintf(addr, sizeof addr, "10.0.%u.%u", i / 250, i % 250);
        fixture_node(f, name, addr, 0, NULL);
    }
}

static inline struct calico_plan *fixture_plan_with(struct fixture *f,
                                                    const struct calico_plan_options *o) {
    calico_plan_free(f->plan);
    f->plan = calico_plan_new(f->set, o, f->diags);
    assert_non_null(f->plan);
    return f->plan;
}

static inline struct calico_plan *fixture_plan(struct fixture *f) {
    return fixture_plan_with(f, NULL);
}

static inline const struct calico_session *fixture_session(const struct fixture *f,
                                                           const char *node, const char *name) {
    const struct calico_plan_node *n = calico_plan_find(f->plan, node);
    assert_non_null(n);
    for (size_t i = 0; i < n->session_count; i++)
        if (strcmp(n->sessions[i].name, name) == 0)
            return &n->sessions[i];
    return NULL;
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif
