#ifndef RIBCAGE_CORE_AS_PATH_H
#define RIBCAGE_CORE_AS_PATH_H

#include "attr.h"

#include "../base/bytes.h"

/*
 * AS paths between wire and memory, for the codec. What everybody may use is in attr.h.
 */

#define AS_SEGMENT_MAX 255u

enum as_path_status {
    AS_PATH_OK,
    AS_PATH_MALFORMED,
    AS_PATH_NO_MEMORY,
};

enum as_path_confed {
    AS_PATH_CONFED_KEEP,
    AS_PATH_CONFED_REFUSE, /* from outside: RFC 5065 5 */
    AS_PATH_CONFED_DROP,   /* AS4_PATH: RFC 6793 3 */
};

/* An attribute's value, with AS numbers of two or four octets. Malformed: unknown segment type,
 * empty segment, over- or underrun (RFC 7606 7.2), AS 0 (7607), more than BGP_AS_PATH_MAX ASes. */
enum as_path_status as_path_decode(struct byte_reader *r, bool as4, enum as_path_confed confed,
                                   struct arena *arena, struct as_path *ret_path);
/* RFC 6793 4.2.3: the path as it was before an OLD speaker cut it. */
enum as_path_status as_path_merge(struct as_path path, struct as_path as4_path, struct arena *arena,
                                  struct as_path *ret_path);
/* Value of AS_PATH. `as4` false: AS_TRANS for what needs more than two octets. */
void as_path_put(struct byte_writer *w, struct as_path p, bool as4);
/* Does an OLD speaker need AS4_PATH beside it? */
bool as_path_needs_as4(struct as_path p);
/* Value of AS4_PATH: without confederation segments. */
void as_path_put_as4(struct byte_writer *w, struct as_path p);

#endif
