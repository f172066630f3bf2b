#ifndef RIBCAGE_DECODE_EXT_H
#define RIBCAGE_DECODE_EXT_H

#include <stdint.h>

struct text;

#define DECODE_EXT_SIZE 8   /* an extended community: RFC 4360 2 */
#define DECODE_EXT6_SIZE 20 /* … that has an IPv6 address: RFC 5701 2 */

/* Extended communities in words without blanks, "rt:65000:101"; one that is not known by name is
 * given by its octets in hexadecimal. Appended. */
void decode_ext_put(const uint8_t *data, struct text *out);
void decode_ext6_put(const uint8_t *data, struct text *out);

/* "vxlan", or the number: IANA "BGP Tunnel Encapsulation Attribute Tunnel Types" (RFC 9012). */
void decode_tunnel_type(uint16_t type, struct text *out);

#endif
