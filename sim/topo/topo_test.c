/*
 * Topology texts to lists, and everything that can be wrong with them.
 *
 * Tables of texts; the shipped topologies and the schema are read from the tree (tests run in its
 * root), so that neither can drift from what the reader knows.
 */

#include "topo.h"
#include "topo_internal.h"

#include "../../speaker/base/arena.h"
#include "../../speaker/base/text.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
// clang-format on

#include <jansson.h>
#include <stdio.h>
#include <string.h>

struct fixture {
    struct arena *arena;
    struct diag_list *diags;
    struct topology *topology;
};

static struct fixture read_text(const char *text) {
    struct fixture f = {arena_new(), diag_list_new(), NULL};
    struct yaml_document *documents = NULL;
    int count = yaml_parse(text, strlen(text), "t.yaml", f.arena, f.diags, &documents);
    assert_int_equal(count, 1);
    assert_int_equal(diag_count(f.diags), 0);
    f.topology = topology_read(documents[0].root, f.arena, f.diags);
    return f;
}

static void done(struct fixture *f) {
    diag_list_free(f->diags);
    arena_free(f->arena);
}

static void expect_addr(struct ip_addr a, const char *text) {
    char shown[IP_ADDR_TEXT_MAX];
    assert_string_equal(ip_format(a, shown), text);
}

#define LAN "segments: {name: lan, subnet: [10.0.0.0/24, \"fd00::/64\"]}\n"

static void generators_expand(void **state) {
    (void)state;
    struct fixture f =
        read_text(LAN "nodes:\n"
                      "  - {count: 3, name: \"n-%03d\", first: 9, asNumber: 1.10}\n"
                      "  - {name: x, address: 10.0.0.3, pods: 0, labels: {b: 1, a: yes}}\n"
                      "  - {count: 2, name: \"r%d-z\", address: [10.0.0.100, \"fd00::64\"],"
                      " routeReflectorClusterID: 0.0.0.1}\n");
    const struct topology *t = f.topology;
    assert_non_null(t);
    assert_int_equal(t->node_count, 6);
    assert_string_equal(t->nodes[0].name, "n-009");
    assert_string_equal(t->nodes[2].name, "n-011");
    assert_string_equal(t->nodes[5].name, "r2-z");
    expect_addr(t->nodes[0].attachment.addr4, "10.0.0.2"); /* .1 is the gateway's */
    expect_addr(t->nodes[1].attachment.addr4, "10.0.0.4"); /* .3 is given */
    expect_addr(t->nodes[0].attachment.addr6, "fd00::2");
    expect_addr(t->nodes[5].attachment.addr4, "10.0.0.101");
    expect_addr(t->nodes[5].attachment.addr6, "fd00::65");
    assert_int_equal(t->nodes[1].as_number, 65546);
    assert_int_equal(t->nodes[3].pods, 0);
    assert_int_equal(t->nodes[0].pods, 1);
    assert_string_equal(t->nodes[3].labels[0].name, "a");
    assert_string_equal(t->nodes[3].labels[0].value, "yes");
    expect_addr(t->nodes[4].cluster_id, "0.0.0.1");
    assert_int_equal(topology_find(t, "n-010"), 1);
    assert_int_equal(topology_find(t, "nobody"), UINT32_MAX);
    done(&f);
}

static void routers_get_the_gateway(void **state) {
    (void)state;
    struct fixture f = read_text(
        "fabric: routed\n"
        "segments:\n  - {name: a, subnet: 10.0.0.0/24}\n  - {name: b, subnet: 10.0.1.0/24}\n"
        "nodes: {count: 1, name: \"n%d\", segment: b}\n"
        "routers:\n  - name: tor\n    kind: ios\n    text: |\n      router bgp 1\n    interfaces:\n"
        "      GigabitEthernet0/0: {segment: a}\n      Gi0/1: {segment: b, address: 10.0.1.2}\n"
        "    loopbacks: [10.255.0.1/32]\n");
    const struct topology *t = f.topology;
    assert_non_null(t);
    assert_int_equal(t->fabric, TOPO_FABRIC_ROUTED);
    expect_addr(t->routers[0].attachments[0].addr4, "10.0.0.1");
    expect_addr(t->routers[0].attachments[1].addr4, "10.0.1.2");
    expect_addr(t->nodes[0].attachment.addr4, "10.0.1.3");
    assert_false(ip_is_set(t->nodes[0].attachment.addr6));
    assert_string_equal(t->routers[0].config_text, "router bgp 1\n");
    assert_int_equal(t->routers[0].loopback_count, 1);
    assert_int_equal(topology_find(t, "tor"), 1);
    done(&f);
}

struct mistake {
    const char *text, *id;
    uint32_t line, column;
    const char *says;
};

static const struct mistake mistakes[] = {
    {"nodes: []\n", "missing-field", 1, 1, "segments"},
    {"segments: {name: lan}\n", "missing-field", 1, 11, "subnet"},
    {"segments: {name: lan, subnet: 10.0.0.1/24}\n", "bad-address", 1, 31, "10.0.0.0/24"},
    {"segments: {name: lan, subnet: 10.0.0.0}\n", "bad-address", 1, 31, "prefix"},
    {"segments: {name: lan, subnet: [10.0.0.0/24, 10.1.0.0/24]}\n", "bad-address", 1, 45, "second"},
    {"segments:\n- {name: a, subnet: 10.0.0.0/16}\n- {name: b, subnet: 10.0.9.0/24}\n",
     "overlapping-subnets", 3, 3, "line 2"},
    {"segments:\n- {name: a, subnet: 10.0.0.0/16}\n- {name: a, subnet: 11.0.9.0/24}\n",
     "duplicate-name", 3, 3, "line 2"},
    {LAN "nodez: []\n", "unknown-field", 2, 1, "\"nodes\""},
    {LAN "fabric: l3\n", "unknown-value", 2, 9, "auto, l2, routed"},
    {LAN "nodes: {name: a, segment: lam}\n", "unknown-segment", 2, 27, "\"lan\""},
    {LAN "nodes: {name: a, asNumbr: 1}\n", "unknown-field", 2, 18, "\"asNumber\""},
    {LAN "nodes: {name: a, asNumber: 0}\n", "out-of-range", 2, 28, "1 to"},
    {LAN "nodes: {name: a, pods: 65}\n", "out-of-range", 2, 24, "64"},
    {LAN "nodes: {count: 10001, name: \"n%d\"}\n", "out-of-range", 2, 16, "10000"},
    {LAN "nodes:\n- {name: a}\n- {name: a}\n", "duplicate-name", 4, 3, "line 3"},
    {LAN "nodes:\n- {name: n2}\n- {count: 2, name: \"n%d\"}\n", "duplicate-name", 4, 3, "line 3"},
    {LAN "nodes: {name: a, address: 10.0.1.1}\n", "address-outside-segment", 2, 8, "10.0.0.0/24"},
    {LAN "nodes: {name: a, address: 10.0.0.0}\n", "address-outside-segment", 2, 8, "host"},
    {LAN "nodes: {name: a, address: 10.0.0.255}\n", "address-outside-segment", 2, 8, "host"},
    {LAN "nodes: {name: a, address: 10.0.0.256}\n", "bad-address", 2, 27, "address"},
    {LAN "nodes:\n- {name: a, address: 10.0.0.9}\n- {name: b, address: 10.0.0.9}\n",
     "duplicate-address", 4, 3, "line 3"},
    {LAN "nodes: {count: 254, name: \"n%d\"}\n", "limit", 1, 11, "IPv4"},
    {LAN "nodes: {count: 3, name: \"n%d\", address: 10.0.0.254}\n", "address-outside-segment", 2, 8,
     "10.0.0.255"},
    {LAN "nodes: {name: a, interface: lo}\n", "bad-name", 2, 29, "interface"},
    {LAN "nodes: {name: a, interface: \"0123456789abcdef\"}\n", "bad-name", 2, 29, "15"},
    {LAN "nodes: {name: a, first: 2}\n", "wrong-type", 2, 18, "count"},
    {LAN "nodes: [1]\n", "wrong-type", 2, 9, "mapping"},
    {LAN "nodes: {name: a, routeReflectorClusterID: 1}\n", "bad-address", 2, 43, "IPv4"},
    {LAN "routers: {name: r, interfaces: {Gi0: {}}}\n", "missing-field", 2, 10, "config"},
    {LAN "routers: {name: r, text: x, config: y, interfaces: {Gi0: {}}}\n", "missing-field", 2, 10,
     "not both"},
    {LAN "routers: {name: r, text: x}\n", "missing-field", 2, 10, "interfaces"},
    {LAN "routers: {name: r, kind: junos, text: x, interfaces: {Gi0: {}}}\n", "unknown-value", 2,
     26, "ios"},
    {LAN "nodes: {name: r}\nrouters: {name: r, text: x, interfaces: {Gi0: {}}}\n", "duplicate-name",
     3, 10, "line 2"},
    {LAN "nodes: {name: a, routeReflectorClusterID: \"fd00::1\"}\n", "bad-address", 2, 43, "IPv4"},
    {LAN "nodes: {name: a, address: [10.0.0.2, 10.0.0.3]}\n", "bad-address", 2, 38, "second"},
    {LAN "nodes: {name: a, interface: e123456789abcdef}\n", "bad-name", 2, 29, "15"},
    {LAN "nodes: {name: a, interface: a/b}\n", "bad-name", 2, 29, "letter"},
    {LAN "nodes: {name: a, interface: 0a}\n", "bad-name", 2, 29, "letter"},
    {LAN "routers: {name: r, text: x, interfaces: {Gi_0: {}}}\n", "bad-name", 2, 42, "Gigabit"},
    {LAN "routers: {name: R, text: x, interfaces: {Gi0: {}}}\n", "bad-name", 2, 17, "router name"},
    {"segments: {name: LAN, subnet: 10.0.0.0/24}\n", "bad-name", 1, 18, "segment name"},
    {"segments: {name: a, subnet: \"fd00::1/64\"}\n", "bad-address", 1, 29, "fd00::/64"},
    {"segments:\n- {name: a, subnet: \"fd00::/48\"}\n- {name: b, subnet: "
     "\"fd00:0:0:9::/64\"}\n",
     "overlapping-subnets", 3, 3, "line 2"},
    {"segments:\n- {name: a, subnet: 10.0.0.0/16}\n- {name: b, subnet: 11.0.0.0/16}\n"
     "- {name: c, subnet: 10.0.9.0/24}\n",
     "overlapping-subnets", 4, 3, "line 2"},
    {"segments: {name: a, subnet: 10.0.0.0/30}\nnodes: {name: n, address: 10.0.0.3}\n",
     "address-outside-segment", 2, 8, "host"},
    {"segments: {name: a, subnet: 10.0.0.0/24}\nnodes: {name: n, address: \"fd00::1\"}\n",
     "address-outside-segment", 2, 8, "no subnet of that family"},
    {LAN "nodes:\n- {count: 9999, name: \"n%d\", pods: 0}\n- {count: 2, name: \"m%d\"}\n", "limit",
     4, 3, "10000"},
};

static void mistakes_have_id_and_place(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        struct fixture f = read_text(mistakes[i].text);
        assert_null(f.topology);
        assert_true(diag_error_count(f.diags) >= 1);
        assert_string_equal(diag_at(f.diags, 0)->id, mistakes[i].id);
        assert_int_equal(diag_at(f.diags, 0)->line, mistakes[i].line);
        assert_int_equal(diag_at(f.diags, 0)->column, mistakes[i].column);
        assert_non_null(strstr(diag_at(f.diags, 0)->message, mistakes[i].says));
        done(&f);
    }
}

/* Every one-letter typo of a known key is refused. */
static void typos_are_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < topo_keys_node_count; i++) {
        for (size_t at = 0; topo_keys_node[i][at]; at++) {
            char text[200], key[64];
            snprintf(key, sizeof(key), "%s", topo_keys_node[i]);
            key[at] = key[at] == 'q' ? 'x' : 'q';
            snprintf(text, sizeof(text), LAN "nodes: {%s: 1, name: a}\n", key);
            if (strcmp(key, "name") == 0)
                continue;
            struct fixture f = read_text(text);
            assert_null(f.topology);
            assert_string_equal(diag_at(f.diags, 0)->id, "unknown-field");
            done(&f);
        }
    }
}

static void hostile_names_are_refused(void **state) {
    static const char *const names[] = {
        "",
        ".",
        "..",
        "lo/../x",
        "a b",
        "a;reboot",
        "$(reboot)",
        "`id`",
        "-a",
        "a-",
        "A",
        "a_b",
        "a.b",
        "a/b",
        "a\\\\b",
        "\\x1b[2J",
        "\\u00e4",
        "a\\nb",
        "%s",
        "%n",
        "a%db",
        "{a}",
        "*",
        "~",
        "0123456789012345678901234567890123456789012345678901234567890123",
    };
    static const char *const patterns[] = {
        "n",    "n%",   "n%s",  "n%n",   "n%d%d", "n%5",    "n%0d",  "n%-3d", "n%7d",
        "n%ld", "n%+d", "n%*d", "n%1$d", "n%%d",  "n%d%%x", "n%03x", "N%d",   "-%d",
    };
    (void)state;
    char text[300];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(text, sizeof(text), LAN "nodes: {name: \"%s\"}\n", names[i]);
        struct fixture f = read_text(text);
        assert_null(f.topology);
        assert_string_equal(diag_at(f.diags, 0)->id, "bad-name");
        done(&f);
    }
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        snprintf(text, sizeof(text), LAN "nodes: {count: 3, name: \"%s\"}\n", patterns[i]);
        struct fixture f = read_text(text);
        assert_null(f.topology);
        assert_string_equal(diag_at(f.diags, 0)->id, "bad-name");
        assert_int_equal(diag_count(f.diags), 1); /* once, not for every node */
        done(&f);
    }
}

static void largest_topology_is_quick_and_complete(void **state) {
    (void)state;
    struct fixture f = read_text("segments: {name: lan, subnet: 10.0.0.0/16}\n"
                                 "nodes: {count: 10000, name: \"node-%05d\"}\n");
    assert_non_null(f.topology);
    assert_int_equal(f.topology->node_count, 10000);
    expect_addr(f.topology->nodes[9999].attachment.addr4, "10.0.39.17");
    done(&f);
}

/* What is wrong with all of a row is said once, and a mistake makes no second one. */
static void one_mistake_is_said_once(void **state) {
    static const struct {
        const char *text;
        size_t count;
    } rows[] = {
        {LAN "nodes: {count: 3, name: \"n%d\", pods: 65}\n", 1},
        {"segments: {name: a, subnet: 10.0.0.0/28}\nnodes: {count: 30, name: \"n%d\"}\n", 1},
        {LAN "nodes: [{name: [a]}, {name: [a]}]\n", 2}, /* no names: not the same one */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture f = read_text(rows[i].text);
        assert_null(f.topology);
        assert_int_equal(diag_count(f.diags), rows[i].count);
        done(&f);
    }
}

/* Up to the limit, and one more. */
static void lists_are_limited(void **state) {
    (void)state;
    for (size_t more = 0; more <= 1; more++) {
        struct text labels, segments;
        text_init(&labels);
        text_init(&segments);
        text_puts(&labels, LAN "nodes:\n  name: a\n  labels:\n");
        for (size_t i = 0; i < TOPO_LABELS_MAX + more; i++)
            text_printf(&labels, "    l%zu: x\n", i);
        text_puts(&segments, "nodes: {name: a, segment: s0}\nsegments:\n");
        for (size_t i = 0; i < TOPO_SEGMENTS_MAX + more; i++)
            text_printf(&segments, "- {name: s%zu, subnet: 10.%zu.%zu.0/24}\n", i, i / 250,
                        i % 250);
        struct fixture a = read_text(text_str(&labels)), b = read_text(text_str(&segments));
        assert_int_equal(a.topology == NULL, more);
        assert_int_equal(b.topology == NULL, more);
        if (more) {
            assert_non_null(strstr(diag_at(a.diags, 0)->message, "at most 256"));
            assert_string_equal(diag_at(b.diags, 0)->id, "limit");
        }
        done(&a);
        done(&b);
        text_deinit(&labels);
        text_deinit(&segments);
    }
}

/* Small subnets, and who gets the gateway's address when it is taken. */
static void addresses_count_from_the_right_one(void **state) {
    static const struct {
        const char *segment, *rest, *first, *second;
    } rows[] = {
        {"10.0.0.0/31", "nodes: {count: 2, name: \"n%d\"}\n", "10.0.0.0", "10.0.0.1"},
        {"\"fd00::/127\"", "nodes: {count: 2, name: \"n%d\"}\n", "fd00::", "fd00::1"},
        {"10.0.0.0/29", "nodes: {count: 2, name: \"n%3d\"}\n", "10.0.0.2", "10.0.0.3"},
        {"10.0.0.0/29",
         "nodes: {name: n1, address: 10.0.0.1}\n"
         "routers: {name: r, text: x, interfaces: {Gi0: {}}}\n",
         "10.0.0.1", "10.0.0.2"},
        {"10.0.0.0/29",
         "nodes: {name: n1}\nrouters:\n- {name: q, text: x, interfaces: {Gi0: {}}}\n"
         "- {name: r, text: x, interfaces: {Gi0: {}}}\n",
         "10.0.0.3", "10.0.0.2"}, /* q has the first */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[400];
        snprintf(text, sizeof(text), "segments: {name: lan, subnet: %s}\n%s", rows[i].segment,
                 rows[i].rest);
        struct fixture f = read_text(text);
        const struct topology *t = f.topology;
        assert_non_null(t);
        const struct topo_attachment *second = t->router_count
                                                   ? &t->routers[t->router_count - 1].attachments[0]
                                                   : &t->nodes[1].attachment;
        struct ip_addr a = t->nodes[0].attachment.addr4, b = second->addr4;
        assert_string_equal(t->nodes[0].name, "n1"); /* %3d: blanks are no part of a name */
        expect_addr(ip_is_set(a) ? a : t->nodes[0].attachment.addr6, rows[i].first);
        expect_addr(ip_is_set(b) ? b : second->addr6, rows[i].second);
        done(&f);
    }
}

/* ---- Calico's nodes ---- */

static void apply_text(struct calico_set *set, const char *text, struct fixture *f) {
    struct yaml_document *documents = NULL;
    int count = yaml_parse(text, strlen(text), "m.yaml", f->arena, f->diags, &documents);
    assert_true(count > 0);
    assert_true(calico_apply(set, documents, (size_t)count, true, f->diags));
}

#define NODE(name, address)                                                                        \
    "apiVersion: projectcalico.org/v3\nkind: Node\nmetadata: {name: " name "}\n"                   \
    "spec: {bgp: {ipv4Address: " address "}}\n"

#define NODE6(name, address)                                                                       \
    "apiVersion: projectcalico.org/v3\nkind: Node\nmetadata: {name: " name "}\n"                   \
    "spec: {bgp: {ipv6Address: " address "}}\n"

static void manifests_have_the_last_word_on_addresses(void **state) {
    (void)state;
    struct fixture f = read_text(LAN "nodes: {count: 2, name: \"n%d\", labels: {a: b},"
                                     " asNumber: 7, routeReflectorClusterID: 0.0.0.9}\n");
    struct calico_set *set = calico_set_new();
    assert_true(topology_add_nodes(f.topology, set, f.diags));
    const struct calico_node *n = calico_node_find(set, "n1");
    assert_int_equal(n->length4, 24);
    assert_int_equal(n->length6, 64);
    assert_int_equal(n->label_count, 1);
    assert_int_equal(n->as_number, 7);
    assert_true(n->has_cluster_id);
    expect_addr(n->cluster_id, "0.0.0.9");
    apply_text(set,
               NODE("n1", "10.0.0.77/24, ipv6Address: \"fd00::77/64\"") "---\n" NODE(
                   "late", "10.0.0.78/24") "---\n" NODE6("last", "\"fd00::79/64\""),
               &f);
    assert_true(topology_take_addresses(f.topology, set, f.arena, f.diags));
    expect_addr(f.topology->nodes[0].attachment.addr4, "10.0.0.77");
    expect_addr(f.topology->nodes[0].attachment.addr6, "fd00::77");
    assert_int_equal(f.topology->node_count, 4);
    assert_string_equal(f.topology->nodes[2].name, "last");
    expect_addr(f.topology->nodes[2].attachment.addr6, "fd00::79");
    assert_string_equal(f.topology->nodes[3].name, "late");
    expect_addr(f.topology->nodes[3].attachment.addr4, "10.0.0.78");
    calico_set_free(set);
    done(&f);
}

static const struct diag *find_diag(const struct diag_list *d, const char *id) {
    for (size_t i = 0; i < diag_count(d); i++)
        if (strcmp(diag_at(d, i)->id, id) == 0)
            return diag_at(d, i);
    return NULL;
}

static void wrong_addresses_of_manifests_are_found(void **state) {
    static const struct {
        const char *manifest, *id;
    } rows[] = {
        {NODE("n1", "10.0.0.3/24"), "duplicate-address"},
        {NODE("n1", "10.0.9.3/24"), "address-outside-segment"},
        {NODE("other", "10.9.0.3/24"), "address-outside-segment"},
        {NODE("kube.example", "10.0.0.9/24"), "bad-name"},
        {NODE("rr", "10.0.0.9/24"), "duplicate-name"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture f = read_text(LAN "nodes: {count: 2, name: \"n%d\"}\n"
                                         "routers: {name: rr, text: x, interfaces: {Gi0: {}}}\n");
        struct calico_set *set = calico_set_new();
        assert_true(topology_add_nodes(f.topology, set, f.diags));
        apply_text(set, rows[i].manifest, &f);
        assert_false(topology_take_addresses(f.topology, set, f.arena, f.diags));
        const struct diag *d = find_diag(f.diags, rows[i].id);
        assert_non_null(d);
        assert_int_equal(d->line, 2); /* of n2, which had the address first; or of `kind` */
        assert_string_equal(d->file, i == 0 ? "t.yaml" : "m.yaml");
        calico_set_free(set);
        done(&f);
    }
}

/* ---- the schema ---- */

static void expect_same_keys(json_t *schema, const char *definition, const char *const *keys,
                             size_t count) {
    json_t *object = schema;
    if (definition)
        object = json_object_get(json_object_get(schema, "$defs"), definition);
    json_t *properties = json_object_get(object, "properties");
    assert_non_null(properties);
    assert_true(json_is_false(json_object_get(object, "additionalProperties")));
    assert_int_equal(json_object_size(properties), count);
    for (size_t i = 0; i < count; i++)
        assert_non_null(json_object_get(properties, keys[i]));
}

static void schema_knows_what_the_reader_knows(void **state) {
    (void)state;
    json_error_t error;
    json_t *schema = json_load_file("topologies/schema.json", 0, &error);
    assert_non_null(schema);
    expect_same_keys(schema, NULL, topo_keys_topology, topo_keys_topology_count);
    expect_same_keys(schema, "segment", topo_keys_segment, topo_keys_segment_count);
    expect_same_keys(schema, "node", topo_keys_node, topo_keys_node_count);
    expect_same_keys(schema, "router", topo_keys_router, topo_keys_router_count);
    expect_same_keys(schema, "interface", topo_keys_attachment, topo_keys_attachment_count);
    json_decref(schema);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generators_expand),
        cmocka_unit_test(routers_get_the_gateway),
        cmocka_unit_test(mistakes_have_id_and_place),
        cmocka_unit_test(one_mistake_is_said_once),
        cmocka_unit_test(lists_are_limited),
        cmocka_unit_test(addresses_count_from_the_right_one),
        cmocka_unit_test(typos_are_refused),
        cmocka_unit_test(hostile_names_are_refused),
        cmocka_unit_test(largest_topology_is_quick_and_complete),
        cmocka_unit_test(manifests_have_the_last_word_on_addresses),
        cmocka_unit_test(wrong_addresses_of_manifests_are_found),
        cmocka_unit_test(schema_knows_what_the_reader_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
