#ifndef RIBCAGE_CONFIG_JSON_H
#define RIBCAGE_CONFIG_JSON_H

#include "../core/config.h"

#include <jansson.h>
#include <stdbool.h>

struct arena;
struct diag_list;

/*
 * bgp_config as JSON, both ways: how the runner hands a configuration to a speaker, and the file a
 * stand-alone speaker reads. Member names are the C names; defaults (bgp_config_init) are left out
 * when written and filled in when read. Unknown members are errors. Addresses, prefixes and the
 * cluster id are text; enums are their lower-case words ("calico", "accept", "next-policy").
 */

/* A new reference; NULL: out of memory. */
json_t *config_to_json(const struct bgp_config *c);
/* In `arena`. NULL with findings otherwise; `file` names the text. */
struct bgp_config *config_from_json(const json_t *root, const char *file, struct arena *arena,
                                    struct diag_list *diags);
/* Parses text (NUL-terminated or not) with line and column in findings, then as above. Depth, size
 * and duplicate keys are limited. */
struct bgp_config *config_from_text(const char *text, size_t size, const char *file,
                                    struct arena *arena, struct diag_list *diags);

/* ---- what dumps share ---- */

struct attr_values;
/* {"origin":"igp","as_path":"65001 64512","next_hop":"…","med":0,"local_pref":100,
 *  "communities":["64512:100"],"large_communities":["a:b:c"],"ext_communities":["%016x"],
 *  "originator_id":"…","cluster_list":["0.0.0.1"],"aggregator":"as:ip","atomic_aggregate":true,
 *  "unknown":[{"code":99,"flags":192,"data":"hex"}]} — absent attributes are left out. */
json_t *attrs_to_json(const struct attr_values *v);

#endif
