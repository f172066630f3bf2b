/*
 * Owns reading by tables of fields and the value types of Calico's resources, with their limits
 * and their error texts. Which fields an object has stands in read_*.c, one file per kind.
 *
 * Rules come from Calico's validators: calicoctl coerces scalars where a text is wanted, reads AS
 * numbers as numbers, texts or asdot, and demands masked CIDRs; kubectl on raw CRDs coerces
 * nothing and knows AS numbers up to 2147483647 only.
 *
 * Invariants: every refusal names object, field, value and what would be right; nothing here
 * recurses on the input; what is kept is a copy.
 */
#include "read.h"

#include "../../speaker/base/arena.h"
#include "../../speaker/base/text.h"
#include "calico_community.h"
#include "read_scalar.h"
#include "selector.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX 640
#define FIELD_PART_MIN 5 /* a shorter word is part of too many names */

#define ENTERPRISE "a field of Calico Enterprise: open source Calico does not have it"

/* Fields operators write that Calico does not have, and what they want instead. */
static const struct {
    const char *field, *advice;
} advices[] = {
    {"bgpTimers", "Calico has no such setting: the hold time is always 240 s; a BGPPeer may set "
                  "keepaliveTime"},
    {"holdTime", "Calico has no such setting: the hold time is always 240 s; a BGPPeer may set "
                 "keepaliveTime"},
    {"asPathPrepend", "write a BGPFilter with the operation prependASPath and name it in filters"},
    {"communities",
     "write a BGPFilter with the operation addCommunity, or use prefixAdvertisements "
     "of the BGPConfiguration"},
    {"birdGatewayMode", ENTERPRISE},
    {"externalNetwork", ENTERPRISE},
    {"failureDetection", ENTERPRISE},
    {"restartMode", ENTERPRISE},
    {"nextHopSelf", "write nextHopMode: Self"},
    {"ipip", "of the first version of the API, which may not be set: write ipipMode"},
    {"nat-outgoing", "of the first version of the API, which may not be set: write natOutgoing"},
    {"passive", "Calico decides itself which side connects"},
    {"peerASNumber", "the peer's AS number goes into asNumber"},
    {"remoteAS", "the peer's AS number goes into asNumber"},
    {"peerPort", "write the port behind the address: peerIP: 192.0.2.1:1179"},
    {"routeReflectorClusterID", "a reflector's cluster id stands in the Node, as "
                                "spec.bgp.routeReflectorClusterID"},
};

/* ---- messages ---- */

void read_problem(struct read_context *c, enum diag_severity severity, struct diag_place place,
                  const char *id, const char *path, const char *format, ...) {
    char message[MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    const char *colon = path[0] ? ": " : "";
    if (c->name[0])
        diag_add(c->diags, severity, place, id, "%s \"%s\": %s%s%s", c->kind, c->name, path, colon,
                 message);
    else
        diag_add(c->diags, severity, place, id, "%s: %s%s%s", c->kind, path, colon, message);
}

/* The name the YAML layer puts before its own messages. */
static const char *label(struct read_context *c, const char *path) {
    const char *s = c->name[0] ? arena_printf(c->arena, "%s \"%s\": %s", c->kind, c->name, path)
                               : arena_printf(c->arena, "%s: %s", c->kind, path);
    return s ? s : path;
}

enum diag_severity read_severity(const struct read_context *c) {
    return c->group == READ_CRD ? DIAG_WARNING : DIAG_ERROR;
}

const char *read_path(struct read_context *c, const char *path, const char *field) {
    const char *s = arena_printf(c->arena, path[0] ? "%s.%s" : "%s%s", path, field);
    return s ? s : field;
}

struct diag_place read_place(struct read_context *c, const struct yaml_node *n) {
    struct diag_place place = yaml_place(n);
    place.file = arena_strdup(c->arena, place.file);
    return place;
}

char *read_copy(struct read_context *c, const char *text) {
    char *copy = arena_strdup(c->arena, text);
    if (!copy)
        c->out_of_memory = true;
    return copy;
}

/* ---- tables ---- */

static const char *advice_for(const char *field) {
    for (size_t i = 0; i < sizeof advices / sizeof advices[0]; i++)
        if (strcmp(advices[i].field, field) == 0)
            return advices[i].advice;
    return NULL;
}

/* The nearest by letters, or the only one that has the word as a part of it. */
static const char *nearest_field(const char *field, const char *const *known, size_t count) {
    const char *nearest = text_nearest(field, known, count), *holder = NULL;
    if (nearest || strlen(field) < FIELD_PART_MIN)
        return nearest;
    for (size_t i = 0; i < count; i++) {
        if (!strcasestr(known[i], field))
            continue;
        if (holder)
            return NULL;
        holder = known[i];
    }
    return holder;
}

static void report_unknown(struct read_context *c, const struct yaml_node *key, const char *path,
                           const struct read_field *fields, size_t count) {
    const char *known[READ_FIELDS_MAX];
    size_t n = count < READ_FIELDS_MAX ? count : READ_FIELDS_MAX;
    for (size_t i = 0; i < n; i++)
        known[i] = fields[i].name;
    const char *advice = advice_for(key->text);
    const char *nearest = advice ? NULL : nearest_field(key->text, known, n);
    if (advice)
        read_error(c, key, "unknown-field", path, "unknown field \"%.100s\": %s", key->text,
                   advice);
    else if (nearest)
        read_error(c, key, "unknown-field", path, "unknown field \"%.100s\" (did you mean \"%s\"?)",
                   key->text, nearest);
    else
        read_error(c, key, "unknown-field", path,
                   "unknown field \"%.100s\": not recognized or in the wrong place", key->text);
}

static const struct read_field *field_find(const struct read_field *fields, size_t count,
                                           const char *name) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

void read_fields(struct read_context *c, const struct yaml_node *n, const char *path,
                 const struct read_field *fields, size_t count, void *object) {
    if (n->kind != YAML_MAPPING) {
        read_error(c, n, "wrong-type", path, "must be a mapping of fields");
        return;
    }
    for (uint32_t i = 0; i < n->count; i++) {
        const struct read_field *f = field_find(fields, count, n->keys[i]->text);
        if (!f)
            report_unknown(c, n->keys[i], path, fields, count);
        else if (f->read && n->items[i]->kind != YAML_NULL)
            f->read(c, n->items[i], read_path(c, path, f->name), object);
    }
}

void *read_list(struct read_context *c, const struct yaml_node *n, const char *path, size_t max,
                size_t size, read_field_fn *read, size_t *ret_count) {
    *ret_count = 0;
    if (n->kind != YAML_SEQUENCE) {
        read_error(c, n, "wrong-type", path, "must be a list");
        return NULL;
    }
    if (n->count > max) {
        read_error(c, n, "too-many", path, "has %u entries, at most %zu are allowed", n->count,
                   max);
        return NULL;
    }
    if (n->count == 0)
        return NULL;
    char *items = arena_array(c->arena, n->count, size);
    if (!items) {
        c->out_of_memory = true;
        return NULL;
    }
    for (uint32_t i = 0; i < n->count; i++) {
        const char *item = arena_printf(c->arena, "%s[%u]", path, i);
        read(c, n->items[i], item ? item : path, items + i * size);
    }
    *ret_count = n->count;
    return items;
}

/* ---- plain values ---- */

const char *read_coerced(struct read_context *c, const struct yaml_node *n, const char *path) {
    struct read_scalar s = {.kind = SCALAR_TEXT};
    char buffer[READ_SCALAR_TEXT_MAX];
    if (!n->quoted)
        s = read_scalar(n->text);
    if (s.kind != SCALAR_TEXT && c->group != READ_V3) {
        read_error(c, n, "wrong-type", path,
                   "%.60s is a %s to YAML and kubectl refuses it: write \"%.60s\" in quotes",
                   n->text, s.kind == SCALAR_BOOL ? "boolean" : "number", n->text);
        return NULL;
    }
    const char *text = read_scalar_format(&s, n->text, buffer);
    return text == buffer ? read_copy(c, text) : text;
}

bool read_text(struct read_context *c, const struct yaml_node *n, const char *path, size_t max,
               const char **ret_text) {
    const char *text;
    if (!yaml_string(n, label(c, path), c->diags, &text) || text[0] == '\0')
        return false;
    /* Versions of the YAML library differ about the letters y and n: they stay what they are. */
    if (text[1] != '\0' || (text[0] >= '0' && text[0] <= '9'))
        text = read_coerced(c, n, path);
    if (!text)
        return false;
    if (strlen(text) > max) {
        read_error(c, n, "too-long", path, "has %zu characters, at most %zu are allowed",
                   strlen(text), max);
        return false;
    }
    const char *copy = read_copy(c, text);
    if (copy)
        *ret_text = copy;
    return copy != NULL;
}

bool read_bool(struct read_context *c, const struct yaml_node *n, const char *path,
               bool *ret_value) {
    struct read_scalar s = {.kind = SCALAR_TEXT};
    if (n->kind == YAML_SCALAR && !n->quoted)
        s = read_scalar(n->text);
    if (s.kind != SCALAR_BOOL)
        return yaml_bool(n, label(c, path), c->diags, ret_value);
    *ret_value = s.truth;
    return true;
}

/* The number of an unquoted scalar, in any of YAML's forms. */
static bool number_of(const struct yaml_node *n, uint64_t *ret_value) {
    if (n->kind != YAML_SCALAR || n->quoted)
        return false;
    struct read_scalar s = read_scalar(n->text);
    return read_scalar_u64(&s, ret_value);
}

bool read_u32(struct read_context *c, const struct yaml_node *n, const char *path, uint32_t min,
              uint32_t max, uint32_t *ret_value) {
    uint64_t value;
    if ((!number_of(n, &value) || value < min || value > max) &&
        !yaml_u64(n, label(c, path), min, max, c->diags, &value))
        return false;
    *ret_value = (uint32_t)value;
    return true;
}

/* Go durations, rounded half up to whole seconds as confd does. */
bool read_seconds(struct read_context *c, const struct yaml_node *n, const char *path,
                  uint32_t *ret_seconds) {
    uint64_t ns;
    if (!yaml_duration(n, label(c, path), c->diags, &ns))
        return false;
    uint64_t seconds = ns / 1000000000u + (ns % 1000000000u >= 500000000u);
    if (seconds > UINT16_MAX) {
        read_error(c, n, "out-of-range", path, "%.40s is longer than 65535 s", n->text);
        return false;
    }
    *ret_seconds = (uint32_t)seconds;
    return true;
}

bool read_word(struct read_context *c, const struct yaml_node *n, const char *path,
               const char *const *words, size_t count, size_t *ret_index) {
    return yaml_enum(n, label(c, path), words, count, c->diags, ret_index);
}

/* ---- numbers of ASes ---- */

static bool asn_allowed_by_crd(struct read_context *c, const struct yaml_node *n, const char *path,
                               uint32_t asn) {
    if (c->group == READ_CRD && n->quoted) {
        read_error(c, n, "wrong-type", path,
                   "the CRD wants a number, here is a text: write %u without quotes", asn);
        return false;
    }
    if (asn <= INT32_MAX || c->group == READ_CORE)
        return true;
    if (c->group == READ_CRD) {
        read_error(c, n, "asn-int32", path, "must be of type int32: the CRD ends at 2147483647");
        return false;
    }
    read_warning(c, n, "asn-int32", path,
                 "%u works with calicoctl only: kubectl's schema of the CRD ends at 2147483647",
                 asn);
    return true;
}

bool read_asn(struct read_context *c, const struct yaml_node *n, const char *path,
              uint32_t *ret_asn) {
    const char *text;
    uint32_t asn;
    uint64_t number;
    char decimal[24];
    if (!yaml_string(n, label(c, path), c->diags, &text))
        return false;
    if (c->group != READ_CORE && number_of(n, &number)) {
        snprintf(decimal, sizeof decimal, "%llu", (unsigned long long)number);
        text = decimal;
    }
    bool dotted = strchr(text, '.') != NULL;
    if (dotted && !n->quoted && c->group != READ_CORE) {
        read_error(c, n, "wrong-type", path,
                   "%.40s without quotes is a fraction to YAML: write \"%.40s\" in quotes", text,
                   text);
        return false;
    }
    if (!text_to_asn(text, &asn)) {
        read_error(c, n, "bad-asn", path,
                   "\"%.60s\" is no AS number (0 to 4294967295, or two halves \"1.10\")", text);
        return false;
    }
    if (!asn_allowed_by_crd(c, n, path, asn))
        return false;
    *ret_asn = asn;
    return true;
}

/* ---- addresses ---- */

bool read_address(struct read_context *c, const struct yaml_node *n, const char *path,
                  struct ip_addr *ret_addr) {
    const char *text;
    struct ip_addr addr;
    if (!read_text(c, n, path, 64, &text))
        return false;
    if (!ip_parse(text, &addr)) {
        read_error(c, n, "bad-address", path, "\"%.64s\" is no IP address", text);
        return false;
    }
    *ret_addr = addr;
    return true;
}

/* Not masked: is it read all the same? */
static bool host_bits_pass(struct read_context *c, const struct yaml_node *n, const char *path,
                           struct ip_prefix p, const char **ret_unmasked) {
    char text[IP_PREFIX_TEXT_MAX];
    enum diag_severity severity = ret_unmasked ? read_severity(c) : DIAG_ERROR;
    ip_prefix_format(ip_prefix_make(p.addr, p.length), text);
    read_problem(c, severity, yaml_place(n), "cidr-host-bits", path,
                 "\"%.64s\" is not strictly masked (did you mean \"%s\"?)%s", n->text, text,
                 severity == DIAG_ERROR ? "" : ": BIRD refuses the file of every node");
    if (severity == DIAG_ERROR)
        return false;
    *ret_unmasked = read_copy(c, n->text);
    return *ret_unmasked != NULL;
}

static bool cidr_fits(struct read_context *c, const struct yaml_node *n, const char *path,
                      enum ip_family family, struct ip_prefix p, const char **ret_unmasked) {
    if (!ip_prefix_is_masked(p) && !host_bits_pass(c, n, path, p, ret_unmasked))
        return false;
    if (family != IP_NONE && p.addr.family != family) {
        read_error(c, n, "cidr-family", path, "\"%.64s\" is not an IPv%d prefix", n->text,
                   (int)family);
        return false;
    }
    return true;
}

bool read_cidr(struct read_context *c, const struct yaml_node *n, const char *path,
               enum ip_family family, struct ip_prefix *ret_prefix, const char **ret_unmasked) {
    const char *text;
    struct ip_prefix p;
    if (!read_text(c, n, path, 64, &text))
        return false;
    if (!ip_prefix_parse(text, &p)) {
        read_error(c, n, "bad-cidr", path, "\"%.64s\" is no CIDR: address/length is wanted", text);
        return false;
    }
    if (!strchr(text, '/')) {
        read_error(c, n, "bad-cidr", path, "\"%.64s\" has no length (did you mean \"%.64s/%u\"?)",
                   text, text, p.length);
        return false;
    }
    if (!cidr_fits(c, n, path, family, p, ret_unmasked))
        return false;
    *ret_prefix = ip_prefix_make(p.addr, p.length);
    return true;
}

/* ---- composed values ---- */

static void report_selector(struct read_context *c, const struct yaml_node *n, const char *path,
                            const char *text, const struct selector_error *error) {
    struct diag_place place = yaml_place(n);
    enum diag_severity severity = read_severity(c);
    /* A text over several lines or with YAML's own escapes has no such simple column. */
    if (!strchr(text, '\n'))
        place.column += (uint32_t)error->offset + (n->quoted ? 1 : 0);
    read_problem(c, severity, place, "bad-selector", path, "selector \"%.200s\": %s%s", text,
                 error->message,
                 severity == DIAG_ERROR ? "" : "; a raw CRD takes it, and it matches nothing");
}

bool read_selector(struct read_context *c, const struct yaml_node *n, const char *path,
                   const struct selector **ret_selector, const char **ret_text) {
    const char *text;
    if (!read_text(c, n, path, 1024, &text))
        return false;
    struct selector_error error, never;
    const struct selector *s = selector_parse(text, c->arena, &error);
    if (!s)
        report_selector(c, n, path, text, &error);
    if (!s && read_severity(c) != DIAG_ERROR)
        s = selector_parse("!all()", c->arena, &never);
    if (!s)
        return false;
    *ret_selector = s;
    if (ret_text)
        *ret_text = text;
    return true;
}

static void read_ref_name(struct read_context *c, const struct yaml_node *n, const char *path,
                          void *object) {
    read_text(c, n, path, 253, &((struct calico_secret_ref *)object)->name);
}
static void read_ref_key(struct read_context *c, const struct yaml_node *n, const char *path,
                         void *object) {
    read_text(c, n, path, 253, &((struct calico_secret_ref *)object)->key);
}
static void read_ref(struct read_context *c, const struct yaml_node *n, const char *path,
                     void *object) {
    static const struct read_field fields[] = {
        {"name", read_ref_name}, {"key", read_ref_key}, {"optional", NULL}};
    READ_FIELDS(c, n, path, fields, object);
}

bool read_secret_ref(struct read_context *c, const struct yaml_node *n, const char *path,
                     struct calico_secret_ref *ret_ref) {
    static const struct read_field fields[] = {{"secretKeyRef", read_ref}};
    struct calico_secret_ref ref = {0};
    if (n->kind == YAML_SCALAR) {
        read_error(c, n, "wrong-type", path,
                   "a password stands in a Secret: secretKeyRef: {name: …, key: …}");
        return false;
    }
    READ_FIELDS(c, n, path, fields, &ref);
    if (n->kind == YAML_MAPPING && yaml_get(n, "secretKeyRef") && (!ref.name || !ref.key)) {
        read_error(c, n, "required-field", path, "secretKeyRef needs name and key");
        return false;
    }
    *ret_ref = ref;
    return ref.name != NULL;
}

static bool is_subdomain(const char *s) {
    size_t size = strlen(s);
    if (size == 0 || size > 253)
        return false;
    for (size_t i = 0; i < size; i++) {
        bool alnum = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9');
        bool edge = i == 0 || i + 1 == size || s[i - 1] == '.' || s[i + 1] == '.';
        if (!alnum && (edge || (s[i] != '-' && s[i] != '.')))
            return false;
    }
    return true;
}

bool read_name(struct read_context *c, const struct yaml_node *n, const char *path,
               const char **ret_name) {
    const char *text;
    if (!read_text(c, n, path, 253, &text))
        return false;
    if (!is_subdomain(text)) {
        read_error(c, n, "bad-name", path,
                   "\"%.100s\" is no name: lower case letters, digits, '-' and '.', with a letter "
                   "or digit at both ends",
                   text);
        return false;
    }
    *ret_name = text;
    return true;
}

bool read_community(struct read_context *c, const struct yaml_node *n, const char *path,
                    const char **ret_text) {
    const char *text;
    struct calico_community community;
    if (!read_text(c, n, path, 40, &text))
        return false;
    switch (calico_community_parse(text, &community)) {
    case COMMUNITY_NONE:
        read_error(
            c, n, "bad-community", path,
            "invalid community value or format used: \"%.60s\" is neither aa:nn nor aa:nn:mm",
            text);
        return false;
    case COMMUNITY_TOO_BIG:
        read_error(c, n, "bad-community", path,
                   "invalid community value, expected %s bit value in each part of \"%.60s\"",
                   strchr(strchr(text, ':') + 1, ':') ? "32" : "16", text);
        return false;
    case COMMUNITY_STANDARD:
    case COMMUNITY_LARGE:
        break;
    }
    *ret_text = text;
    return true;
}
