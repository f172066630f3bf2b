/* Plots: well formed whatever the figures and names, and the figures stand where they belong. */

#include "plot.h"

#include "../speaker/base/text.h"

#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static xmlDocPtr drawn(const struct plot_panel *panels, size_t count, const char *title) {
    struct text out;
    text_init(&out);
    plot_svg(title, "nodes", panels, count, &out);
    xmlDocPtr doc = xmlReadMemory(text_str(&out), (int)out.size, "plot.svg", NULL, XML_PARSE_NONET);
    assert_non_null(doc);
    text_deinit(&out);
    return doc;
}

static double count_of(xmlDocPtr doc, const char *what) {
    xmlXPathContextPtr x = xmlXPathNewContext(doc);
    char path[128];
    snprintf(path, sizeof path, "count(%s)", what);
    xmlXPathObjectPtr o = xmlXPathEval((const xmlChar *)path, x);
    double n = o ? o->floatval : -1;
    xmlXPathFreeObject(o);
    xmlXPathFreeContext(x);
    return n;
}

static double coordinate(xmlDocPtr doc, int circle, const char *name) {
    xmlXPathContextPtr x = xmlXPathNewContext(doc);
    char path[128];
    snprintf(path, sizeof path, "number((//*[local-name()='circle'])[%d]/@%s)", circle, name);
    xmlXPathObjectPtr o = xmlXPathEval((const xmlChar *)path, x);
    double n = o->floatval;
    xmlXPathFreeObject(o);
    xmlXPathFreeContext(x);
    return n;
}

static void test_logarithmic(void **state) {
    struct plot_point points[] = {{10, 1, 0, 0}, {100, 10, 8, 12}, {1000, 100, 0, 0}};
    struct plot_line line = {"mesh", points, 3, true, 0.1, 1, 5000};
    struct plot_panel panel = {"last session", "s", &line, 1};
    (void)state;
    xmlDocPtr doc = drawn(&panel, 1, "growth");
    assert_true(count_of(doc, "//*[local-name()='circle']") == 3);
    /* Equal ratios, equal distances. */
    double dx = coordinate(doc, 2, "cx") - coordinate(doc, 1, "cx");
    double dy = coordinate(doc, 2, "cy") - coordinate(doc, 1, "cy");
    assert_true(dx > 1 && dy < -1);
    assert_true(fabs(coordinate(doc, 3, "cx") - coordinate(doc, 2, "cx") - dx) < 0.2);
    assert_true(fabs(coordinate(doc, 3, "cy") - coordinate(doc, 2, "cy") - dy) < 0.2);
    assert_true(count_of(doc, "//*[@stroke-dasharray]") == 1);
    xmlFreeDoc(doc);
}

static void test_strange_figures(void **state) {
    struct plot_point points[] = {
        {0, 1, 0, 0}, {10, 0, 0, 0}, {NAN, 1, 0, 0}, {10, INFINITY, 0, 0}};
    struct plot_line lines[] = {{"<script>&\"\x01", points, 4, false, 0, 0, 0},
                                {"none", NULL, 0, true, 1, 1, 100}};
    struct plot_panel panels[] = {{"a < b", "&", lines, 2}, {"empty", "s", NULL, 0}};
    (void)state;
    xmlDocPtr doc = drawn(panels, 2, "<b>");
    assert_true(count_of(doc, "//*[local-name()='circle']") == 0);
    assert_true(count_of(doc, "//*[local-name()='script']") == 0);
    assert_true(count_of(doc, "//*[text()='nothing was measured']") == 2);
    xmlFreeDoc(doc);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_logarithmic),
        cmocka_unit_test(test_strange_figures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
