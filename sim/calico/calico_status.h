#ifndef RIBCAGE_CALICO_STATUS_H
#define RIBCAGE_CALICO_STATUS_H

#include <stddef.h>
#include <stdint.h>

struct text;

/* What `birdcl show protocols` says of one BGP protocol. */
struct calico_status_row {
    const char *name;  /* "Mesh_10_0_0_2" */
    const char *state; /* BIRD's protocol state: up, start, down… */
    const char *since; /* as shown: HH:MM:SS or a date */
    const char *info;  /* "Established", "Active        Socket: Connection refused"; "" none */
};

/* The output of `calicoctl node status` of that version (calico_version.h), rows in the order given
 * (BIRD's). */
void calico_status_print(const struct calico_status_row *rows4, size_t count4,
                         const struct calico_status_row *rows6, size_t count6, uint32_t version,
                         struct text *out);

#endif
