#ifndef RIBCAGE_CALICO_COMMUNITY_TEXT_H
#define RIBCAGE_CALICO_COMMUNITY_TEXT_H

#include "../../speaker/core/policy.h"

#include <stdbool.h>
#include <stdint.h>

/* Communities as Calico writes them: "64512:100" (16 bit parts) or "64512:1:2" (32 bit parts). */

enum calico_community_kind {
    COMMUNITY_NONE,
    COMMUNITY_STANDARD,
    COMMUNITY_LARGE,
    COMMUNITY_TOO_BIG
};

struct calico_community {
    uint32_t standard;
    struct large_community large;
};

/* COMMUNITY_NONE: not that form at all; COMMUNITY_TOO_BIG: that form, and a part does not fit. */
enum calico_community_kind calico_community_parse(const char *text,
                                                  struct calico_community *ret_community);

#endif
