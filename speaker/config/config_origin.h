#ifndef RIBCAGE_CONFIG_ORIGIN_H
#define RIBCAGE_CONFIG_ORIGIN_H

#include "../core/config.h"

#include <jansson.h>
#include <stdbool.h>

struct arena;
struct diag_list;

/* One own route as it stands in a configuration's `origins`: what `originate` requests carry. False
 * with findings. */
bool origin_from_json(const json_t *from, const char *file, struct arena *arena,
                      struct diag_list *diags, struct bgp_origin_config *ret_origin);

#endif
