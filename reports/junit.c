/*
 * JUnit XML, as CI systems read it: a suite a run, a test case a check, by libxml2's writer.
 *
 * XML 1.0 has no way to write most control characters, U+FFFE and U+FFFF, not even as references:
 * they become \xNN and \uNNNN before the writer sees them.
 *
 * Checks of a step are waited for together, from the same moment on. A test case's time is what its
 * check took beyond the one before it, the first one's counts from the step's beginning: the times
 * of a step's cases add up to the step, not to a multiple of it.
 *
 * A run that ended before its checks (host, refused, interrupted, crashed) gets one test case more
 * that says so, so that it can never look like an empty success.
 */

#include "report.h"

#include "../speaker/base/text.h"

#include <libxml/xmlwriter.h>
#include <stdio.h>
#include <string.h>

#define XML (const xmlChar *)

/* The octets at `s` that are a UTF-8 text but no XML character: 0, 1, or 3 (U+FFFE, U+FFFF). */
static size_t forbidden_size(const char *s) {
    unsigned char c = (unsigned char)*s;
    if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
        return 1;
    bool noncharacter = c == 0xEF && (unsigned char)s[1] == 0xBF && (unsigned char)s[2] >= 0xBE;
    return noncharacter ? 3 : 0;
}

static void attribute(xmlTextWriterPtr w, const char *name, const char *value) {
    struct text x;
    text_init(&x);
    while (*value) {
        size_t bad = forbidden_size(value), good = 0;
        if (bad)
            text_printf(&x, bad == 1 ? "\\x%02x" : "\\u%04x",
                        bad == 1 ? (unsigned)*value : 0xFF40u + (unsigned char)value[2]);
        while (!bad && value[good] && !forbidden_size(value + good))
            good++;
        text_put(&x, value, good);
        value += bad + good;
    }
    xmlTextWriterWriteAttribute(w, XML name, XML text_str(&x));
    text_deinit(&x);
}

/* "a: b" */
static void attribute_pair(xmlTextWriterPtr w, const char *name, const char *a, const char *between,
                           const char *b) {
    struct text x;
    text_init(&x);
    text_puts(&x, a);
    text_puts(&x, between);
    text_puts(&x, b);
    attribute(w, name, text_str(&x));
    text_deinit(&x);
}

static void attribute_seconds(xmlTextWriterPtr w, const char *name, json_int_t ns) {
    xmlTextWriterWriteFormatAttribute(w, XML name, "%.6f", (double)ns / 1e9);
}

static void outcome(xmlTextWriterPtr w, const char *element, const char *type, const char *text) {
    xmlTextWriterStartElement(w, XML element);
    if (strcmp(element, "skipped") != 0)
        attribute(w, "type", type);
    attribute(w, "message", text);
    xmlTextWriterEndElement(w);
}

static json_int_t number_of(const json_t *o, const char *name) {
    return json_integer_value(json_object_get(o, name));
}

/* When the phase of that name began; phases that ran under one name: the last one that had begun
 * when the check did. */
static json_int_t phase_start(const json_t *result, const char *phase, json_int_t by_ns) {
    json_int_t start = by_ns;
    size_t index;
    json_t *p;
    json_array_foreach(json_object_get(result, "phases"), index, p) {
        if (strcmp(report_text_of(p, "name"), phase) == 0 && number_of(p, "start_ns") <= by_ns)
            start = number_of(p, "start_ns");
    }
    return start;
}

/* Up to where the time of a phase has been given to its checks. */
struct clock {
    json_int_t phase_ns, until_ns;
};

static json_int_t own_time(struct clock *k, const json_t *result, const json_t *c) {
    json_int_t at = number_of(c, "at_ns"), end = at + number_of(c, "duration_ns");
    json_int_t phase = phase_start(result, report_text_of(c, "phase"), at);
    if (k->phase_ns != phase)
        *k = (struct clock){phase, phase};
    json_int_t own = end > k->until_ns ? end - k->until_ns : 0;
    k->until_ns += own;
    return own;
}

static void write_check(xmlTextWriterPtr w, const json_t *result, struct clock *k,
                        const json_t *c) {
    const char *verdict = report_text_of(c, "verdict");
    xmlTextWriterStartElement(w, XML "testcase");
    attribute_pair(w, "classname", report_text_of(result, "theme"), ".",
                   report_text_of(result, "scenario"));
    attribute_pair(w, "name", report_text_of(c, "phase"), ": ", report_text_of(c, "name"));
    attribute_seconds(w, "time", own_time(k, result, c));
    if (strcmp(verdict, "skipped") == 0)
        outcome(w, "skipped", verdict, report_text_of(c, "reason"));
    else if (strcmp(verdict, "passed") != 0)
        outcome(w, "failure", verdict, report_text_of(c, "reason"));
    xmlTextWriterEndElement(w);
}

/* The element for a verdict that no check stands for; NULL: the checks say it. */
static const char *run_element(enum run_verdict v, int failures) {
    switch (v) {
    case RUN_PASSED:
    case RUN_WARNINGS:
        return NULL;
    case RUN_FAILED: /* a step that could not be done is no check */
    case RUN_NOT_CONVERGED:
        return failures ? NULL : "failure";
    case RUN_CRASHED:
    case RUN_INCOMPLETE:
        return "failure";
    case RUN_VOID:
        return "skipped";
    case RUN_REFUSED:
    case RUN_HOST:
    case RUN_INTERRUPTED:
        return "error";
    }
    return "error";
}

static void write_run_case(xmlTextWriterPtr w, const json_t *result, const char *element) {
    xmlTextWriterStartElement(w, XML "testcase");
    attribute_pair(w, "classname", report_text_of(result, "theme"), ".",
                   report_text_of(result, "scenario"));
    attribute(w, "name", "the run");
    outcome(w, element, report_text_of(result, "verdict"), report_text_of(result, "error"));
    xmlTextWriterEndElement(w);
}

static void count_outcomes(const json_t *checks, int *ret_failures, int *ret_skipped) {
    size_t index;
    json_t *c;
    json_array_foreach(checks, index, c) {
        const char *v = report_text_of(c, "verdict");
        *ret_skipped += strcmp(v, "skipped") == 0;
        *ret_failures += strcmp(v, "failed") == 0 || strcmp(v, "timeout") == 0;
    }
}

static json_int_t total_ns(const json_t *result) {
    size_t index;
    json_t *p;
    json_int_t sum = 0;
    json_array_foreach(json_object_get(result, "phases"), index, p) sum +=
        number_of(p, "duration_ns");
    return sum;
}

static void write_suite(xmlTextWriterPtr w, const json_t *result) {
    enum run_verdict verdict = RUN_INCOMPLETE;
    (void)report_verdict(result, &verdict);
    json_t *checks = json_object_get(result, "checks"), *c;
    int failures = 0, skipped = 0;
    count_outcomes(checks, &failures, &skipped);
    const char *element = run_element(verdict, failures);
    failures += element && strcmp(element, "failure") == 0;
    skipped += element && strcmp(element, "skipped") == 0;
    xmlTextWriterStartElement(w, XML "testsuite");
    attribute(w, "name", report_text_of(result, "scenario"));
    xmlTextWriterWriteFormatAttribute(w, XML "tests", "%zu",
                                      json_array_size(checks) + (element != NULL));
    xmlTextWriterWriteFormatAttribute(w, XML "failures", "%d", failures);
    xmlTextWriterWriteFormatAttribute(w, XML "errors", "%d",
                                      element && strcmp(element, "error") == 0);
    xmlTextWriterWriteFormatAttribute(w, XML "skipped", "%d", skipped);
    attribute_seconds(w, "time", total_ns(result));
    size_t index;
    struct clock k = {-1, 0};
    json_array_foreach(checks, index, c) write_check(w, result, &k, c);
    if (element)
        write_run_case(w, result, element);
    xmlTextWriterEndElement(w);
}

bool report_write_junit(int directory_fd, const json_t *result) {
    xmlBufferPtr buffer = xmlBufferCreate();
    xmlTextWriterPtr w = buffer ? xmlNewTextWriterMemory(buffer, 0) : NULL;
    if (!w) {
        xmlBufferFree(buffer);
        return false;
    }
    xmlTextWriterSetIndent(w, 1);
    xmlTextWriterStartDocument(w, NULL, "UTF-8", NULL);
    xmlTextWriterStartElement(w, XML "testsuites");
    write_suite(w, result);
    xmlTextWriterEndDocument(w);
    xmlFreeTextWriter(w);
    bool ok = report_write_file(directory_fd, "junit.xml", (const char *)xmlBufferContent(buffer),
                                (size_t)xmlBufferLength(buffer));
    xmlBufferFree(buffer);
    return ok;
}
