/*
 * The state machine against its golden table: every state and event, the next state and the
 * actions. FSM_GOLDEN_WRITE=1 in the environment writes the table anew, for review.
 */
#include "fsm.h"

#include "../base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GOLDEN "speaker/core/fsm_golden.txt"

static void put_row(struct text *out, enum bgp_state state, enum fsm_event event) {
    struct fsm_step step = fsm_step(state, event);
    if (step.next == state && step.count == 0)
        return; /* the table would be mostly these */
    size_t column = out->size;
    text_printf(out, "%-12s %-19s -> %-12s", bgp_state_name(state), fsm_event_name(event),
                bgp_state_name(step.next));
    for (unsigned i = 0; i < step.count; i++)
        text_printf(out, " %s", fsm_action_name((enum fsm_action)step.actions[i]));
    while (out->size > column && out->data[out->size - 1] == ' ')
        out->data[--out->size] = '\0';
    text_putc(out, '\n');
}

static void put_table(struct text *out) {
    text_puts(out,
              "# state, event -> next state, actions in order. Pairs that are not listed change "
              "nothing.\n# Written by fsm_test with FSM_GOLDEN_WRITE=1.\n");
    for (unsigned s = 0; s < BGP_STATES; s++) {
        text_putc(out, '\n');
        for (unsigned e = 0; e < FSM_EVENT_COUNT; e++)
            put_row(out, (enum bgp_state)s, (enum fsm_event)e);
    }
}

static void golden_table(void **state) {
    (void)state;
    struct text now;
    char was[16384] = "";
    text_init(&now);
    put_table(&now);
    if (getenv("FSM_GOLDEN_WRITE")) {
        FILE *f = fopen(GOLDEN, "w");
        assert_non_null(f);
        fputs(text_str(&now), f);
        fclose(f);
    }
    FILE *f = fopen(GOLDEN, "r");
    assert_non_null(f);
    size_t size = fread(was, 1, sizeof was - 1, f);
    fclose(f);
    was[size] = '\0';
    assert_string_equal(text_str(&now), was);
    text_deinit(&now);
}

static bool has(const struct fsm_step *step, enum fsm_action a) {
    for (unsigned i = 0; i < step->count; i++) {
        if (step->actions[i] == a)
            return true;
    }
    return false;
}

/* What must hold for any table: the tables learn of every arrival and departure, a NOTIFICATION
 * is followed by the end, and nothing is sent back to one. */
static void invariants(void **state) {
    (void)state;
    for (unsigned s = 0; s < BGP_STATES; s++) {
        for (unsigned e = 0; e < FSM_EVENT_COUNT; e++) {
            struct fsm_step step = fsm_step((enum bgp_state)s, (enum fsm_event)e);
            bool leaves = s == BGP_ESTABLISHED && step.next != BGP_ESTABLISHED;
            bool enters = s != BGP_ESTABLISHED && step.next == BGP_ESTABLISHED;
            bool notifies = has(&step, FSM_ACT_NOTIFY) || has(&step, FSM_ACT_NOTIFY_FSM);
            assert_int_equal(has(&step, FSM_ACT_LEAVE), leaves);
            assert_int_equal(has(&step, FSM_ACT_ESTABLISH), enters);
            if (notifies)
                assert_true(has(&step, FSM_ACT_CLOSE) && step.next == BGP_IDLE);
            if (e == FSM_NOTIFICATION || e == FSM_NOTIFICATION_MILD || e == FSM_REFUSED)
                assert_false(notifies);
            if (e == FSM_STOP)
                assert_int_equal(step.next, BGP_IDLE);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_table),
        cmocka_unit_test(invariants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
