/*
 * Path attributes as JSON, for dumps.
 *
 * Owns the names of config_json.h's attrs_to_json. Absent attributes are left out; unknown ones
 * are shown raw. Formatting of paths and communities is core/attr.h's.
 */
#include "config_json.h"

#include "../base/text.h"
#include "../core/attr.h"
#include "config_fields.h"

#include <stdio.h>

/* Everything below adds to an object and says whether it worked. */
static bool put(json_t *out, const char *name, json_t *value) {
    return json_object_set_new(out, name, value) == 0;
}

static bool put_text(json_t *out, const char *name, struct text *t) {
    bool ok = !t->failed && put(out, name, json_string(text_str(t)));
    text_clear(t);
    return ok;
}

static bool put_addr(json_t *out, const char *name, struct ip_addr a) {
    char text[IP_ADDR_TEXT_MAX];
    return !ip_is_set(a) || put(out, name, json_string(ip_format(a, text)));
}

static bool put_communities(json_t *out, const struct attr_values *v, struct text *t) {
    json_t *array = json_array();
    bool ok = put(out, "communities", array);
    for (uint32_t i = 0; ok && i < v->community_count; i++) {
        community_format(v->communities[i], t);
        ok = !t->failed && json_array_append_new(array, json_string(text_str(t))) == 0;
        text_clear(t);
    }
    return ok;
}

static bool put_large(json_t *out, const struct attr_values *v) {
    json_t *array = json_array();
    bool ok = put(out, "large_communities", array);
    for (uint32_t i = 0; ok && i < v->large_community_count; i++) {
        char text[40];
        const struct large_community *c = &v->large_communities[i];
        snprintf(text, sizeof text, "%u:%u:%u", c->global, c->local1, c->local2);
        ok = json_array_append_new(array, json_string(text)) == 0;
    }
    return ok;
}

static bool put_extended(json_t *out, const struct attr_values *v) {
    json_t *array = json_array();
    bool ok = put(out, "ext_communities", array);
    for (uint32_t i = 0; ok && i < v->ext_community_count; i++) {
        char text[20];
        snprintf(text, sizeof text, "%016llx", (unsigned long long)v->ext_communities[i]);
        ok = json_array_append_new(array, json_string(text)) == 0;
    }
    return ok;
}

static bool put_clusters(json_t *out, const struct attr_values *v) {
    json_t *array = json_array();
    bool ok = put(out, "cluster_list", array);
    for (uint32_t i = 0; ok && i < v->cluster_count; i++) {
        char text[IP_ADDR_TEXT_MAX];
        ok = json_array_append_new(array, json_string(ip_format(ip4(v->cluster_list[i]), text))) ==
             0;
    }
    return ok;
}

static bool put_unknown(json_t *out, const struct attr_values *v, struct text *t) {
    json_t *array = json_array();
    bool ok = put(out, "unknown", array);
    for (uint32_t i = 0; ok && i < v->unknown_count; i++) {
        const struct attr_unknown *u = &v->unknown[i];
        for (uint32_t k = 0; k < u->size; k++)
            text_printf(t, "%02x", u->data[k]);
        ok = !t->failed &&
             json_array_append_new(array, json_pack("{s:i, s:i, s:s}", "code", u->code, "flags",
                                                    u->flags, "data", text_str(t))) == 0;
        text_clear(t);
    }
    return ok;
}

static bool put_aggregator(json_t *out, const struct attr_values *v, struct text *t) {
    char id[IP_ADDR_TEXT_MAX];
    text_printf(t, "%u:%s", v->aggregator_as, ip_format(ip4(v->aggregator_id), id));
    return put_text(out, "aggregator", t);
}

static bool put_base(json_t *out, const struct attr_values *v, struct text *t) {
    if (v->origin < 3 && !put(out, "origin", json_string(config_origin_words[v->origin])))
        return false;
    as_path_format(v->as_path, false, t);
    if (!put_text(out, "as_path", t))
        return false;
    return put_addr(out, "next_hop", v->next_hop) && put_addr(out, "link_local", v->link_local) &&
           (!v->has_med || put(out, "med", json_integer(v->med))) &&
           (!v->has_local_pref || put(out, "local_pref", json_integer(v->local_pref)));
}

static bool put_lists(json_t *out, const struct attr_values *v, struct text *t) {
    return (!v->community_count || put_communities(out, v, t)) &&
           (!v->large_community_count || put_large(out, v)) &&
           (!v->ext_community_count || put_extended(out, v)) &&
           (!v->cluster_count || put_clusters(out, v)) &&
           (!v->unknown_count || put_unknown(out, v, t));
}

json_t *attrs_to_json(const struct attr_values *v) {
    struct text t;
    text_init(&t);
    json_t *out = json_object();
    bool ok = out && put_base(out, v, &t) && put_lists(out, v, &t);
    if (ok && v->has_originator_id)
        ok = put_addr(out, "originator_id", ip4(v->originator_id));
    if (ok && v->has_aggregator)
        ok = put_aggregator(out, v, &t);
    if (ok && v->atomic_aggregate)
        ok = put(out, "atomic_aggregate", json_true());
    if (!ok && out) {
        json_decref(out);
        out = NULL;
    }
    text_deinit(&t);
    return out;
}
