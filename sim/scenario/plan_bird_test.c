/*
 * Every node of every shipped scenario's plan at its start: BIRD 1.6 parses the file it would be
 * handed. Scenarios whose manifests are there to be refused have no plan.
 */
#include "engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "../calico/bird_check.h"
#include "../calico/plan_bird.h"

static size_t check_plan(const char *folder, const char *path, const struct calico_plan *plan) {
    struct text t;
    size_t checked = 0;
    text_init(&t);
    for (size_t i = 0; i < plan->node_count; i++) {
        const struct calico_plan_node *n = &plan->nodes[i];
        for (int family = 0; family < BGP_FAMILIES; family++) {
            text_clear(&t);
            assert_true(calico_plan_bird(plan, n, (enum bgp_family)family, &t));
            bool accepted = bird_accepts(folder, family, text_str(&t));
            if (accepted == (n->refused[family] != NULL))
                fail_msg("%s: %s: BIRD %s what the plan says it %s:\n%s", path, n->node->name,
                         accepted ? "takes" : "refuses", accepted ? "refuses" : "takes",
                         text_str(&t));
            checked++;
        }
    }
    text_deinit(&t);
    return checked;
}

/* Nodes and families checked. */
static size_t check_scenario(const char *folder, const char *path) {
    struct arena *arena = arena_new();
    struct diag_list *diags = diag_list_new();
    struct scenario *s = scenario_read(path, NULL, 0, arena, diags);
    size_t checked = 0;
    assert_non_null(s);
    struct engine e = {.scenario = s,
                       .arena = arena,
                       .diags = diags,
                       .seed = s->seed,
                       .front_fd = -1,
                       .wait_fd = -1};
    if (!s->no_lab && engine_prepare(&e, diags) && e.state->plan)
        checked = check_plan(folder, path, e.state->plan);
    engine_release(&e);
    scenario_close(s);
    diag_list_free(diags);
    arena_free(arena);
    return checked;
}

static void test_shipped_scenarios(void **state) {
    (void)state;
    const char *folder = bird_or_skip();
    struct arena *arena = arena_new();
    struct diag_list *diags = diag_list_new();
    const char **paths = NULL;
    size_t count = 0, checked = 0;
    assert_true(scenario_list("scenarios", arena, diags, &paths, &count));
    for (size_t i = 0; i < count; i++)
        checked += check_scenario(folder, paths[i]);
    print_message("%zu files of %zu scenarios\n", checked, count);
    assert_true(checked > 50);
    diag_list_free(diags);
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shipped_scenarios)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
