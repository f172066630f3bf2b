#ifndef RIBCAGE_CONFIG_FILE_H
#define RIBCAGE_CONFIG_FILE_H

#include "../core/config.h"

#include <jansson.h>
#include <stddef.h>

struct arena;
struct diag_list;

/*
 * A configuration as people write it (ribcage-speaker(8)): the JSON of config_json.h with comments
 * from # to the end of the line, and with what can be guessed left out:
 *
 *   profile          "plain"
 *   a peer's name    its remote_addr
 *   hold_time_set    true where hold_time_s is given; med_set likewise
 *   a route's source "static"
 *   import, export   "accept" where the session is internal
 *
 * Words stand for numbers in the value of a match on "source" (one or several) and of "set-origin".
 *
 * Checked as a whole (bgp_config_check): every finding has its file, line and column.
 */

/* In `arena`; NULL with findings. `profile` stands in place of the text's; NULL: none does. */
struct bgp_config *config_from_file(const char *text, size_t size, const char *file,
                                    const char *profile, struct arena *arena,
                                    struct diag_list *diags);

/* The JSON Schema (2020-12) of such a text, made from the tables it is read by: a new reference.
 * NULL: out of memory. */
json_t *config_schema(void);

#endif
