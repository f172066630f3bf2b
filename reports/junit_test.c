/*
 * JUnit XML read back with libxml2's parser: well-formed whatever the texts, and the counts of the
 * suite are those of its cases, for every verdict of a run.
 */

#include "report_test.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
// clang-format on

#include <libxml/parser.h>
#include <libxml/tree.h>

#define XML (const xmlChar *)

/* ---- reading ---- */

static xmlDocPtr written(const struct run_result *r) {
    struct folder f;
    size_t size = 0;
    assert_true(folder_make(&f));
    json_t *j = report_json(r);
    assert_true(report_write_junit(f.fd, j));
    json_decref(j);
    char *text = folder_read(&f, "junit.xml", &size);
    assert_non_null(text);
    xmlDocPtr doc = xmlReadMemory(text, (int)size, "junit.xml", NULL,
                                  XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_HUGE);
    assert_non_null(doc);
    free(text);
    folder_remove(&f);
    return doc;
}

static xmlNodePtr suite_of(xmlDocPtr doc) {
    xmlNodePtr root = xmlDocGetRootElement(doc);
    assert_string_equal(root->name, "testsuites");
    xmlNodePtr suite = xmlFirstElementChild(root);
    assert_string_equal(suite->name, "testsuite");
    assert_null(xmlNextElementSibling(suite));
    return suite;
}

static int number(xmlNodePtr n, const char *name) {
    xmlChar *text = xmlGetProp(n, XML name);
    assert_non_null(text);
    int value = (int)strtol((const char *)text, NULL, 10);
    xmlFree(text);
    return value;
}

struct counts {
    int tests, failures, errors, skipped;
};

/* Of the cases themselves, not of the suite's attributes. */
static struct counts count_cases(xmlNodePtr suite) {
    struct counts c = {0};
    for (xmlNodePtr n = xmlFirstElementChild(suite); n; n = xmlNextElementSibling(n)) {
        assert_string_equal(n->name, "testcase");
        c.tests++;
        xmlNodePtr outcome = xmlFirstElementChild(n);
        if (!outcome)
            continue;
        assert_null(xmlNextElementSibling(outcome));
        c.failures += strcmp((const char *)outcome->name, "failure") == 0;
        c.errors += strcmp((const char *)outcome->name, "error") == 0;
        c.skipped += strcmp((const char *)outcome->name, "skipped") == 0;
    }
    return c;
}

static void assert_counts(xmlDocPtr doc, struct counts want) {
    xmlNodePtr suite = suite_of(doc);
    struct counts c = count_cases(suite);
    assert_int_equal(c.tests, want.tests);
    assert_int_equal(c.failures, want.failures);
    assert_int_equal(c.errors, want.errors);
    assert_int_equal(c.skipped, want.skipped);
    assert_int_equal(number(suite, "tests"), want.tests);
    assert_int_equal(number(suite, "failures"), want.failures);
    assert_int_equal(number(suite, "errors"), want.errors);
    assert_int_equal(number(suite, "skipped"), want.skipped);
}

/* ---- tests ---- */

/* Checks: one passed, two failed (one late), one skipped; what the run itself adds. */
static void every_verdict(void **state) {
    (void)state;
    static const struct counts want[] = {
        [RUN_PASSED] = {4, 2, 0, 1},        [RUN_WARNINGS] = {4, 2, 0, 1},
        [RUN_INCOMPLETE] = {5, 3, 0, 1},    [RUN_FAILED] = {4, 2, 0, 1},
        [RUN_NOT_CONVERGED] = {4, 2, 0, 1}, [RUN_REFUSED] = {5, 2, 1, 1},
        [RUN_HOST] = {5, 2, 1, 1},          [RUN_CRASHED] = {5, 3, 0, 1},
        [RUN_VOID] = {5, 2, 0, 2},          [RUN_INTERRUPTED] = {5, 2, 1, 1},
    };
    struct sample s;
    struct run_result *r = sample_full(&s);
    for (int v = RUN_PASSED; v <= RUN_INTERRUPTED; v++) {
        r->verdict = (enum run_verdict)v;
        xmlDocPtr doc = written(r);
        assert_counts(doc, want[v]);
        xmlFreeDoc(doc);
    }
    json_decref(r->warnings);
}

/* A run without a single check is never an empty success, unless it passed. */
static void no_checks(void **state) {
    (void)state;
    struct run_result r = {.verdict = RUN_HOST, .error = "no namespaces"};
    xmlDocPtr doc = written(&r);
    assert_counts(doc, (struct counts){1, 0, 1, 0});
    xmlNodePtr outcome = xmlFirstElementChild(xmlFirstElementChild(suite_of(doc)));
    xmlChar *message = xmlGetProp(outcome, XML "message");
    assert_string_equal(message, "no namespaces");
    xmlFree(message);
    xmlFreeDoc(doc);
    static const enum run_verdict bad[] = {RUN_FAILED, RUN_NOT_CONVERGED};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        r.verdict = bad[i];
        doc = written(&r);
        assert_counts(doc, (struct counts){1, 1, 0, 0});
        xmlFreeDoc(doc);
    }
    r.verdict = RUN_PASSED;
    doc = written(&r);
    assert_counts(doc, (struct counts){0});
    xmlFreeDoc(doc);
}

static void names_and_times(void **state) {
    (void)state;
    struct sample s;
    xmlDocPtr doc = written(sample_full(&s));
    xmlNodePtr c = xmlFirstElementChild(suite_of(doc));
    xmlChar *class = xmlGetProp(c, XML "classname"), *name = xmlGetProp(c, XML "name");
    xmlChar *time = xmlGetProp(suite_of(doc), XML "time");
    assert_string_equal(class, "mesh.full-mesh");
    assert_string_equal(name, "step 1: sessions");
    assert_string_equal(time, "1.502000");
    xmlFree(class);
    xmlFree(name);
    xmlFree(time);
    xmlFreeDoc(doc);
    json_decref(s.result.warnings);
}

static void assert_attribute(xmlNodePtr n, const char *name, const char *want) {
    xmlChar *text = xmlGetProp(n, XML name);
    assert_non_null(text);
    assert_string_equal(text, want);
    xmlFree(text);
}

/* Which kind of failure, and what it says; blanks of a text stay what they are. */
static void outcomes_say_what_and_why(void **state) {
    (void)state;
    struct sample s;
    sample_full(&s);
    s.checks[1].reason = "a\tb\r\nc";
    xmlDocPtr doc = written(&s.result);
    xmlNodePtr c = xmlNextElementSibling(xmlFirstElementChild(suite_of(doc)));
    assert_attribute(xmlFirstElementChild(c), "type", "failed");
    assert_attribute(xmlFirstElementChild(c), "message", "a\tb\r\nc");
    c = xmlNextElementSibling(c);
    assert_attribute(xmlFirstElementChild(c), "type", "timeout");
    assert_attribute(xmlFirstElementChild(c), "message", "1 missing");
    c = xmlNextElementSibling(c);
    assert_attribute(xmlFirstElementChild(c), "message", "no capture");
    c = xmlNextElementSibling(c);
    assert_attribute(c, "name", "the run");
    assert_attribute(xmlFirstElementChild(c), "type", "incomplete");
    assert_attribute(xmlFirstElementChild(c), "message", "something");
    xmlFreeDoc(doc);
    json_decref(s.result.warnings);
}

/* Two steps of one name: a check belongs to the one that had begun. */
static void steps_may_have_one_name(void **state) {
    (void)state;
    struct sample s;
    struct run_result *r = sample_full(&s);
    s.phases[1] = (struct run_phase){"step", 1000000000, 1000000000, true, ""};
    s.phases[2] = (struct run_phase){"step", 5000000000, 1000000000, true, ""};
    s.checks[0] = (struct run_check){"step", "a", CHECK_PASSED, "", 1500000000, 250000000};
    s.checks[1] = (struct run_check){"step", "b", CHECK_PASSED, "", 5500000000, 250000000};
    r->check_count = 2;
    xmlDocPtr doc = written(r);
    xmlNodePtr c = xmlFirstElementChild(suite_of(doc));
    assert_attribute(c, "time", "0.750000");
    assert_attribute(xmlNextElementSibling(c), "time", "0.750000");
    xmlFreeDoc(doc);
    json_decref(r->warnings);
}

static void hostile_texts(void **state) {
    (void)state;
    struct sample s;
    struct run_result *r = sample_full(&s);
    size_t size = 1 << 20;
    char *reason = malloc(size + 1);
    assert_non_null(reason);
    for (size_t i = 0; i < size; i++)
        reason[i] = "<\"\x01&"[i % 4];
    reason[size] = '\0';
    s.checks[1].reason = reason;
    s.checks[2].name = s.checks[2].phase = r->scenario = every_octet();
    /* UTF-8 without fault, and yet no XML characters */
    s.checks[0].name = "\x01\x1f\xEF\xBF\xBE|\xEF\xBF\xBF|\xE2\x82\xAC\xEF\xBF\xBD";
    xmlDocPtr doc = written(r);
    assert_counts(doc, (struct counts){5, 3, 0, 1});
    xmlNodePtr first = xmlFirstElementChild(suite_of(doc));
    xmlChar *name = xmlGetProp(first, XML "name");
    assert_string_equal(name, "step 1: \\x01\\x1f\\ufffe|\\uffff|\xE2\x82\xAC\xEF\xBF\xBD");
    xmlFree(name);
    xmlNodePtr outcome = xmlFirstElementChild(xmlNextElementSibling(first));
    xmlChar *message = xmlGetProp(outcome, XML "message");
    assert_int_equal(xmlStrlen(message), size + size / 4 * 3); /* each \x01 takes four */
    assert_memory_equal(message, "<\"\\x01&<", 8);
    xmlFree(message);
    xmlFreeDoc(doc);
    free(reason);
    json_decref(r->warnings);
}

/* Two steps of two checks that were waited for together: a step's cases add up to the step. */
static void times_are_of_each_step(void **state) {
    (void)state;
    static const char *const want[] = {"1.000000", "0.500000", "2.000000", "0.000000"};
    struct sample s;
    struct run_result *r = sample_full(&s);
    s.phases[1] = (struct run_phase){"step 1", 1000000000, 1600000000, true, ""};
    s.phases[2] = (struct run_phase){"step 2", 2600000000, 2100000000, true, ""};
    s.checks[0] = (struct run_check){"step 1", "a", CHECK_PASSED, "", 1200000000, 800000000};
    s.checks[1] = (struct run_check){"step 1", "b", CHECK_PASSED, "", 1200000000, 1300000000};
    s.checks[2] = (struct run_check){"step 2", "a", CHECK_PASSED, "", 2700000000, 1900000000};
    s.checks[3] = (struct run_check){"step 2", "b", CHECK_PASSED, "", 2700000000, 1900000000};
    xmlDocPtr doc = written(r);
    size_t i = 0;
    for (xmlNodePtr n = xmlFirstElementChild(suite_of(doc)); i < 4; n = xmlNextElementSibling(n)) {
        xmlChar *time = xmlGetProp(n, XML "time");
        assert_non_null(time);
        assert_string_equal(time, want[i++]);
        xmlFree(time);
    }
    xmlFreeDoc(doc);
    json_decref(r->warnings);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_verdict),
        cmocka_unit_test(times_are_of_each_step),
        cmocka_unit_test(no_checks),
        cmocka_unit_test(names_and_times),
        cmocka_unit_test(hostile_texts),
        cmocka_unit_test(outcomes_say_what_and_why),
        cmocka_unit_test(steps_may_have_one_name),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    xmlCleanupParser();
    return failed;
}
