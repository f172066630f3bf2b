/*
 * Owns findings as JSON and as SARIF 2.1.0 (OASIS). A SARIF rule stands in the log once, in the
 * order in which its id was first reported; results name it by index.
 *
 * Invariants: every text is UTF-8 (report_text); file names become relative or absolute URI
 * references with what is not allowed in them escaped (RFC 3986 2.1).
 */
#include "findings.h"

#include "report.h"

#include "../speaker/base/text.h"

#include <string.h>

static void put_text(json_t *o, const char *name, const char *text) {
    json_object_set_new(o, name, report_text(text));
}

static void put_text_or_null(json_t *o, const char *name, const char *text) {
    json_object_set_new(o, name, text && text[0] ? report_text(text) : json_null());
}

static void put_number_or_null(json_t *o, const char *name, uint32_t value) {
    json_object_set_new(o, name, value ? json_integer(value) : json_null());
}

/* ---- JSON ---- */

static json_t *finding_json(const struct diag *d, report_rule_fn *find) {
    struct report_rule rule = {0};
    json_t *o = json_object();
    if (find)
        (void)find(d->id, &rule);
    put_text(o, "severity", diag_severity_name(d->severity));
    put_text(o, "id", d->id);
    put_text_or_null(o, "file", d->file);
    put_number_or_null(o, "line", d->line);
    put_number_or_null(o, "column", d->column);
    put_text(o, "message", d->message);
    put_text_or_null(o, "pair", d->pair);
    put_text_or_null(o, "prefix", d->prefix);
    put_text_or_null(o, "step", d->step);
    put_text_or_null(o, "calico", rule.calico);
    put_text_or_null(o, "cure", rule.cure);
    return o;
}

json_t *report_findings_json(const struct diag_list *d, report_rule_fn *rule) {
    json_t *root = json_object(), *list = json_array();
    json_object_set_new(root, "valid", json_boolean(diag_error_count(d) == 0));
    json_object_set_new(root, "errors", json_integer((json_int_t)diag_error_count(d)));
    json_object_set_new(root, "warnings", json_integer((json_int_t)diag_warning_count(d)));
    for (size_t i = 0; i < diag_count(d); i++)
        json_array_append_new(list, finding_json(diag_at(d, i), rule));
    json_object_set_new(root, "findings", list);
    return root;
}

json_t *report_findings_list(const struct diag_list *d) {
    json_t *list = json_array();
    for (size_t i = 0; i < diag_count(d); i++) {
        const struct diag *f = diag_at(d, i);
        json_array_append_new(list,
                              json_pack("{s:o, s:s, s:o, s:I, s:I, s:o}", "id", report_text(f->id),
                                        "severity", diag_severity_name(f->severity), "file",
                                        report_text(f->file), "line", (json_int_t)f->line, "column",
                                        (json_int_t)f->column, "message", report_text(f->message)));
    }
    return list;
}

/* ---- SARIF ---- */

static json_t *message(const char *text) {
    json_t *o = json_object();
    put_text(o, "text", text);
    return o;
}

static json_t *file_uri(const char *file) {
    static const char hex[] = "0123456789ABCDEF";
    struct text t;
    text_init(&t);
    for (const char *p = file; *p; p++) {
        unsigned char c = (unsigned char)*p;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     strchr("-._~/", c) != NULL;
        if (plain) {
            text_putc(&t, (char)c);
        } else {
            text_putc(&t, '%');
            text_putc(&t, hex[c >> 4]);
            text_putc(&t, hex[c & 15]);
        }
    }
    json_t *s = report_text(text_str(&t));
    text_deinit(&t);
    return s;
}

/* A finding without a known id stands under this one. */
static const char *rule_id(const struct diag *d) {
    return d->id[0] ? d->id : "finding";
}

static json_t *sarif_rule(const struct diag *d, report_rule_fn *find) {
    struct report_rule rule = {.severity = d->severity};
    json_t *o = json_object(), *configuration = json_object();
    bool known = find && find(rule_id(d), &rule);
    put_text(o, "id", rule_id(d));
    json_object_set_new(o, "shortDescription", message(known ? rule.meaning : rule_id(d)));
    struct text help;
    text_init(&help);
    if (known && rule.calico)
        text_printf(&help, "What Calico does: %s. ", rule.calico);
    if (known && rule.cure)
        text_printf(&help, "What would be right: %s.", rule.cure);
    json_object_set_new(o, "help", message(help.size ? text_str(&help) : "See the message."));
    text_deinit(&help);
    put_text(configuration, "level", diag_severity_name(rule.severity));
    json_object_set_new(o, "defaultConfiguration", configuration);
    return o;
}

static json_t *sarif_location(const struct diag *d) {
    json_t *location = json_object(), *physical = json_object(), *artifact = json_object();
    json_object_set_new(artifact, "uri", file_uri(d->file));
    json_object_set_new(physical, "artifactLocation", artifact);
    if (d->line) {
        json_t *region = json_object();
        json_object_set_new(region, "startLine", json_integer(d->line));
        if (d->column)
            json_object_set_new(region, "startColumn", json_integer(d->column));
        json_object_set_new(physical, "region", region);
    }
    json_object_set_new(location, "physicalLocation", physical);
    return location;
}

static json_t *sarif_result(const struct diag *d, size_t rule) {
    json_t *o = json_object(), *locations = json_array();
    put_text(o, "ruleId", rule_id(d));
    json_object_set_new(o, "ruleIndex", json_integer((json_int_t)rule));
    put_text(o, "level", diag_severity_name(d->severity));
    json_object_set_new(o, "message", message(d->message));
    if (d->file[0])
        json_array_append_new(locations, sarif_location(d));
    json_object_set_new(o, "locations", locations);
    if (d->pair[0] || d->prefix[0] || d->step[0]) {
        json_t *properties = json_object();
        if (d->pair[0])
            put_text(properties, "pair", d->pair);
        if (d->prefix[0])
            put_text(properties, "prefix", d->prefix);
        if (d->step[0])
            put_text(properties, "step", d->step);
        json_object_set_new(o, "properties", properties);
    }
    return o;
}

/* The place of the finding's rule among those the log has; it is added when it is new. */
static size_t rule_index(json_t *rules, const struct diag *d, report_rule_fn *find) {
    size_t count = json_array_size(rules);
    for (size_t i = 0; i < count; i++) {
        const char *id = json_string_value(json_object_get(json_array_get(rules, i), "id"));
        if (id && strcmp(id, rule_id(d)) == 0)
            return i;
    }
    json_array_append_new(rules, sarif_rule(d, find));
    return count;
}

json_t *report_findings_sarif(const struct diag_list *d, report_rule_fn *rule,
                              const char *version) {
    json_t *rules = json_array(), *results = json_array(), *driver = json_object();
    for (size_t i = 0; i < diag_count(d); i++) {
        size_t at = rule_index(rules, diag_at(d, i), rule);
        json_array_append_new(results, sarif_result(diag_at(d, i), at));
    }
    put_text(driver, "name", "ribcage");
    put_text(driver, "version", version);
    json_object_set_new(driver, "rules", rules);
    json_t *tool = json_object(), *run = json_object(), *runs = json_array(), *log = json_object();
    json_object_set_new(tool, "driver", driver);
    json_object_set_new(run, "tool", tool);
    put_text(run, "columnKind", "unicodeCodePoints");
    json_object_set_new(run, "results", results);
    json_array_append_new(runs, run);
    put_text(log, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    put_text(log, "version", "2.1.0");
    json_object_set_new(log, "runs", runs);
    return log;
}
