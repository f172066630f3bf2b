/*
 * Findings for other programs: the counts, every member, and the parts of SARIF 2.1.0 that a
 * reader may rely on (section 3 of the standard: required properties and their types).
 */
#include "findings.h"

#include "report_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static bool rule_of(const char *id, struct report_rule *ret_rule) {
    if (strcmp(id, "known") != 0)
        return false;
    *ret_rule = (struct report_rule){"known", DIAG_ERROR, "a meaning", "what it does", "a cure"};
    return true;
}

static struct diag_list *make(void) {
    struct diag_list *d = diag_list_new();
    struct diag_place place = {"dir/a b%.yaml", 3, 7}, whole = {"x.yaml", 0, 0};
    diag_add(d, DIAG_WARNING, place, "known", "first %d", 1);
    diag_about(d, "kube-1 - kube-2", "10.0.0.0/8");
    diag_in_step(d, "change (s.yaml:7)");
    diag_add(d, DIAG_ERROR, whole, "unheard-of", "octets \xff here");
    diag_add(d, DIAG_NOTE, (struct diag_place){0}, NULL, "no id");
    diag_add(d, DIAG_WARNING, place, "known", "again");
    return d;
}

static const char *text_at(const json_t *o, const char *name) {
    const char *s = json_string_value(json_object_get(o, name));
    if (!s)
        fail_msg("no text %s", name);
    return s;
}

static void assert_json(json_t *j, const char *want) {
    json_t *wanted = quoted_json(want);
    char *text = json_dumps(j, JSON_COMPACT);
    if (!json_equal(j, wanted))
        fail_msg("%s", text);
    free(text);
    json_decref(wanted);
}

static void test_json(void **state) {
    (void)state;
    struct diag_list *d = make();
    json_t *root = report_findings_json(d, rule_of);
    assert_json(
        root, "{'valid':false,'errors':1,'warnings':2,'findings':["
              "{'severity':'warning','id':'known','file':'dir/a b%.yaml','line':3,'column':7,"
              "'message':'first 1','pair':'kube-1 - kube-2','prefix':'10.0.0.0/8','step':'change "
              "(s.yaml:7)',"
              "'calico':'what it does','cure':'a cure'},"
              "{'severity':'error','id':'unheard-of','file':'x.yaml','line':null,'column':null,"
              "'message':'octets \\\\xff here','pair':null,'prefix':null,'step':null,'calico':null,"
              "'cure':null},"
              "{'severity':'note','id':'','file':null,'line':null,'column':null,"
              "'message':'no id','pair':null,'prefix':null,'step':null,'calico':null,'cure':null},"
              "{'severity':'warning','id':'known','file':'dir/a b%.yaml','line':3,'column':7,"
              "'message':'again','pair':null,'prefix':null,'step':null,'calico':'what it does',"
              "'cure':'a cure'}]}");
    json_decref(root);
    diag_list_free(d);
}

/* Warnings alone leave it valid. */
static void test_valid(void **state) {
    (void)state;
    struct diag_list *d = diag_list_new();
    diag_add(d, DIAG_WARNING, (struct diag_place){"x.yaml", 1, 0}, "a", "b");
    json_t *root = report_findings_json(d, rule_of);
    assert_true(json_is_true(json_object_get(root, "valid")));
    json_decref(root);
    diag_list_free(d);
}

/* Every result: ruleId that its ruleIndex names, a level of the standard, a message text. */
static void check_result(const json_t *result, const json_t *rules) {
    json_int_t at = json_integer_value(json_object_get(result, "ruleIndex"));
    assert_in_range(at, 0, json_array_size(rules) - 1);
    assert_string_equal(text_at(result, "ruleId"),
                        text_at(json_array_get(rules, (size_t)at), "id"));
    const char *level = text_at(result, "level");
    assert_true(!strcmp(level, "error") || !strcmp(level, "warning") || !strcmp(level, "note"));
    assert_true(text_at(json_object_get(result, "message"), "text")[0] != '\0');
    assert_true(json_is_array(json_object_get(result, "locations")));
}

static void check_rule(const json_t *rule) {
    assert_true(text_at(rule, "id")[0] != '\0');
    assert_true(text_at(json_object_get(rule, "shortDescription"), "text")[0] != '\0');
    assert_true(text_at(json_object_get(rule, "help"), "text")[0] != '\0');
    (void)text_at(json_object_get(rule, "defaultConfiguration"), "level");
}

static void test_sarif(void **state) {
    (void)state;
    struct diag_list *d = make();
    json_t *log = report_findings_sarif(d, rule_of, "9.9");
    assert_string_equal(text_at(log, "version"), "2.1.0");
    assert_non_null(strstr(text_at(log, "$schema"), "sarif-2.1.0"));
    assert_int_equal(json_array_size(json_object_get(log, "runs")), 1);
    json_t *run = json_array_get(json_object_get(log, "runs"), 0);
    json_t *driver = json_object_get(json_object_get(run, "tool"), "driver");
    json_t *rules = json_object_get(driver, "rules"), *results = json_object_get(run, "results");
    assert_string_equal(text_at(driver, "name"), "ribcage");
    assert_string_equal(text_at(driver, "version"), "9.9");
    assert_int_equal(json_array_size(rules), 3);
    assert_int_equal(json_array_size(results), 4);
    for (size_t i = 0; i < 3; i++)
        check_rule(json_array_get(rules, i));
    for (size_t i = 0; i < 4; i++)
        check_result(json_array_get(results, i), rules);
    assert_json(json_array_get(rules, 0),
                "{'id':'known','shortDescription':{'text':'a meaning'},'help':{'text':"
                "'What Calico does: what it does. What would be right: a cure.'},"
                "'defaultConfiguration':{'level':'error'}}"); /* the rule's, not the finding's */
    assert_json(json_array_get(rules, 2),
                "{'id':'finding','shortDescription':{'text':'finding'},"
                "'help':{'text':'See the message.'},'defaultConfiguration':{'level':'note'}}");
    assert_json(json_array_get(results, 1),
                "{'ruleId':'unheard-of','ruleIndex':1,'level':'error','message':{'text':"
                "'octets \\\\xff here'},'locations':[{'physicalLocation':{'artifactLocation':"
                "{'uri':'x.yaml'}}}]}");
    assert_string_equal(text_at(json_array_get(results, 3), "level"), "warning");
    json_decref(log);
    diag_list_free(d);
}

static void test_places(void **state) {
    (void)state;
    struct diag_list *d = make();
    json_t *log = report_findings_sarif(d, rule_of, "9.9");
    json_t *run = json_array_get(json_object_get(log, "runs"), 0);
    json_t *results = json_object_get(run, "results");
    json_t *first = json_array_get(results, 0), *whole = json_array_get(results, 1);
    json_t *place =
        json_object_get(json_array_get(json_object_get(first, "locations"), 0), "physicalLocation");
    assert_string_equal(text_at(json_object_get(place, "artifactLocation"), "uri"),
                        "dir/a%20b%25.yaml");
    json_t *region = json_object_get(place, "region");
    assert_int_equal(json_integer_value(json_object_get(region, "startLine")), 3);
    assert_int_equal(json_integer_value(json_object_get(region, "startColumn")), 7);
    assert_string_equal(text_at(json_object_get(first, "properties"), "prefix"), "10.0.0.0/8");
    place =
        json_object_get(json_array_get(json_object_get(whole, "locations"), 0), "physicalLocation");
    assert_null(json_object_get(place, "region"));
    assert_null(json_object_get(whole, "properties"));
    assert_int_equal(json_array_size(json_object_get(json_array_get(results, 2), "locations")), 0);
    json_decref(log);
    diag_list_free(d);
}

static void test_nothing(void **state) {
    (void)state;
    struct diag_list *d = diag_list_new();
    json_t *root = report_findings_json(d, rule_of), *log = report_findings_sarif(d, rule_of, "1");
    assert_true(json_is_true(json_object_get(root, "valid")));
    json_t *run = json_array_get(json_object_get(log, "runs"), 0);
    assert_int_equal(json_array_size(json_object_get(run, "results")), 0);
    json_decref(root);
    json_decref(log);
    diag_list_free(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),   cmocka_unit_test(test_valid),   cmocka_unit_test(test_sarif),
        cmocka_unit_test(test_places), cmocka_unit_test(test_nothing),
    };
    return cmocka_run_group_tests_name("findings", tests, NULL, NULL);
}
