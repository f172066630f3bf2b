#ifndef RIBCAGE_CALICO_READ_H
#define RIBCAGE_CALICO_READ_H

#include "../../speaker/base/addr.h"
#include "../../speaker/base/diag.h"
#include "../yaml/yaml.h"
#include "resources.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

/*
 * Reading one object out of a YAML tree: tables of fields, and the value types Calico's resources
 * are made of. All readers report what is wrong (`BGPPeer "rack1-tor": spec.peerIP: …`), leave
 * *ret alone then, and copy what they keep into the context's arena.
 */

enum read_group {
    READ_V3,        /* projectcalico.org/v3: calicoctl's rules */
    READ_CRD,       /* crd.projectcalico.org/v1: kubectl's, no coercion */
    READ_CORE,      /* v1: Kubernetes' own objects */
    READ_DISCOVERY, /* discovery.k8s.io/v1: Kubernetes' as well */
};

struct read_context {
    struct arena *arena;
    struct diag_list *diags;
    enum read_group group;
    const char *kind; /* "BGPPeer" */
    const char *name; /* the object's, "" while unknown */
    bool out_of_memory;
};

typedef void read_field_fn(struct read_context *c, const struct yaml_node *n, const char *path,
                           void *object);

struct read_field {
    const char *name;
    read_field_fn *read; /* NULL: known, not kept */
};

#define READ_FIELDS_MAX 40

/* Reads a mapping by a table. Unknown keys are errors with the nearest known one, or with advice
 * where operators are known to go wrong; null values count as not given. */
void read_fields(struct read_context *c, const struct yaml_node *n, const char *path,
                 const struct read_field *fields, size_t count, void *object);
#define READ_FIELDS(c, n, path, table, object)                                                     \
    read_fields(c, n, path, table, sizeof(table) / sizeof(table)[0], object)

/* A sequence of at most `max` items of `size` bytes each, all read with `read`. NULL: nothing
 * there or not a sequence. */
void *read_list(struct read_context *c, const struct yaml_node *n, const char *path, size_t max,
                size_t size, read_field_fn *read, size_t *ret_count);

void read_problem(struct read_context *c, enum diag_severity severity, struct diag_place place,
                  const char *id, const char *path, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
#define read_error(c, n, id, path, ...)                                                            \
    read_problem(c, DIAG_ERROR, yaml_place(n), id, path, __VA_ARGS__)
#define read_warning(c, n, id, path, ...)                                                          \
    read_problem(c, DIAG_WARNING, yaml_place(n), id, path, __VA_ARGS__)

/* What Calico's own code looks at and the schema of a raw CRD does not: calicoctl and the API
 * server refuse it, kubectl brings it in, and then it has the effect the message names. */
enum diag_severity read_severity(const struct read_context *c);
#define read_unless_raw(c, n, id, path, ...)                                                       \
    read_problem(c, read_severity(c), yaml_place(n), id, path, __VA_ARGS__)

/* "spec.exportV4[1]" + "cidr"; never NULL. */
const char *read_path(struct read_context *c, const char *path, const char *field);
/* The place of a node with its file name copied into the arena. */
struct diag_place read_place(struct read_context *c, const struct yaml_node *n);
char *read_copy(struct read_context *c, const char *text);

/* A scalar where a text is wanted, as calicoctl has it: a boolean or number of YAML 1.1 becomes
 * its text (read_scalar.h). kubectl refuses booleans and numbers there: NULL with a finding. */
const char *read_coerced(struct read_context *c, const struct yaml_node *n, const char *path);

/* Coerced. "" counts as not given: *ret untouched, false without a finding. */
bool read_text(struct read_context *c, const struct yaml_node *n, const char *path, size_t max,
               const char **ret_text);
bool read_bool(struct read_context *c, const struct yaml_node *n, const char *path,
               bool *ret_value);
bool read_u32(struct read_context *c, const struct yaml_node *n, const char *path, uint32_t min,
              uint32_t max, uint32_t *ret_value);
bool read_seconds(struct read_context *c, const struct yaml_node *n, const char *path,
                  uint32_t *ret_seconds);
bool read_word(struct read_context *c, const struct yaml_node *n, const char *path,
               const char *const *words, size_t count, size_t *ret_index);
/* A number, "64512" or "1.10", as far as the object's group allows. */
bool read_asn(struct read_context *c, const struct yaml_node *n, const char *path,
              uint32_t *ret_asn);
bool read_address(struct read_context *c, const struct yaml_node *n, const char *path,
                  struct ip_addr *ret_addr);
/* Strictly masked; `family` IP_NONE: either. With `ret_unmasked`, one with host bits comes in with
 * a raw CRD: masked, and *ret_unmasked is the text as it was written. */
bool read_cidr(struct read_context *c, const struct yaml_node *n, const char *path,
               enum ip_family family, struct ip_prefix *ret_prefix, const char **ret_unmasked);
/* One that does not parse selects nothing where it comes in all the same (a raw CRD). */
bool read_selector(struct read_context *c, const struct yaml_node *n, const char *path,
                   const struct selector **ret_selector, const char **ret_text);
bool read_secret_ref(struct read_context *c, const struct yaml_node *n, const char *path,
                     struct calico_secret_ref *ret_ref);
/* A metadata name: DNS-1123 subdomain. */
bool read_name(struct read_context *c, const struct yaml_node *n, const char *path,
               const char **ret_name);
/* `aa:nn` or `aa:nn:mm`. */
bool read_community(struct read_context *c, const struct yaml_node *n, const char *path,
                    const char **ret_text);

#endif
