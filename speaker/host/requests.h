#ifndef RIBCAGE_HOST_REQUESTS_H
#define RIBCAGE_HOST_REQUESTS_H

#include <jansson.h>
#include <stddef.h>

struct host;
struct text;
struct dump;

/* Carries out one request line and appends the answer line to `out`; or, for a table, returns a
 * dump that will append it piece by piece. */
struct dump *request_run(struct host *h, const char *line, size_t size, struct text *out);

/* Compact JSON, appended. */
void request_put_json(struct text *out, const json_t *value);

#endif
