/*
 * Owns the text form of communities in Calico's resources: two parts of 16 bits (RFC 1997) or
 * three of 32 bits (RFC 8092). Names for communities (BGPConfiguration.spec.communities) are
 * resolved by whoever compiles them.
 */
#include "calico_community.h"

#include <stddef.h>

#define DIGITS_MAX 18 /* of a part; more cannot be told apart from "too big" anyway */

/* One decimal part. `*text` moves behind it. */
static bool take_part(const char **text, uint64_t *ret_part) {
    const char *s = *text;
    uint64_t value = 0;
    size_t digits = 0;
    for (; s[digits] >= '0' && s[digits] <= '9'; digits++)
        if (digits < DIGITS_MAX)
            value = value * 10 + (uint64_t)(s[digits] - '0');
    *ret_part = digits < DIGITS_MAX ? value : UINT64_MAX;
    *text = s + digits;
    return digits > 0;
}

enum calico_community_kind calico_community_parse(const char *text,
                                                  struct calico_community *ret_community) {
    uint64_t part[3] = {0};
    size_t count = 0;
    for (;;) {
        if (count == 3 || !take_part(&text, &part[count++]))
            return COMMUNITY_NONE;
        if (*text == '\0')
            break;
        if (*text++ != ':')
            return COMMUNITY_NONE;
    }
    if (count < 2)
        return COMMUNITY_NONE;
    uint64_t max = count == 2 ? UINT16_MAX : UINT32_MAX;
    for (size_t i = 0; i < count; i++)
        if (part[i] > max)
            return COMMUNITY_TOO_BIG;
    if (count == 2) {
        ret_community->standard = (uint32_t)(part[0] << 16 | part[1]);
        return COMMUNITY_STANDARD;
    }
    ret_community->large =
        (struct large_community){(uint32_t)part[0], (uint32_t)part[1], (uint32_t)part[2]};
    return COMMUNITY_LARGE;
}
