#ifndef RIBCAGE_CORE_LIMITS_H
#define RIBCAGE_CORE_LIMITS_H

/* Named maxima of everything a remote or a configuration can make grow. Most have a test that
 * meets them. */

#define BGP_MESSAGE_SIZE_MAX 4096
#define BGP_MESSAGE_EXTENDED_MAX 65535 /* RFC 8654 */
#define BGP_HEADER_SIZE 19
#define BGP_PORT 179

#define BGP_PEERS_MAX 16384   /* per speaker */
#define BGP_PEER_NAME_MAX 128 /* with the NUL */
#define BGP_PASSWORD_MAX 80   /* octets; the kernel's TCP_MD5SIG_MAXKEYLEN */
#define BGP_LISTEN_RANGES_MAX 256
#define BGP_POLICIES_MAX 4096      /* per configuration */
#define BGP_POLICY_TERMS_MAX 65536 /* per policy */
#define BGP_POLICY_CHAIN_MAX 64    /* policies per session and direction */
#define BGP_ORIGINS_MAX 1000000    /* configured routes per speaker */
#define BGP_AS_PATH_MAX 2048       /* ASes in a path we hold; longer: treat-as-withdraw */
#define BGP_COMMUNITIES_MAX 16000
#define BGP_ATTRS_UNKNOWN_MAX 64      /* unknown transitive attributes kept per route */
#define BGP_SHUTDOWN_TEXT_MAX 255     /* RFC 9003 */
#define BGP_MALFORMED_COUNTS_MAX 1024 /* pairs of peer and attribute that are counted */
#define BGP_MALFORMED_KEPT_MAX 16     /* malformed UPDATEs kept for the operator, per speaker */
#define BGP_EVENTS_MAX 65536
#define BGP_PATHS_PER_PREFIX_MAX 16384
#define BGP_ADD_PATH_ALL UINT32_MAX
#define BGP_ADD_PATH_IDS 256 /* paths taken per peer and prefix, unless configured */
#define BGP_CONFEDERATION_MEMBERS_MAX 1024
#define BGP_AGGREGATES_MAX 1024
#define BGP_CONDITIONS_MAX 256   /* conditional advertisements of one peer */
#define BGP_DAMPENED_MAX 1000000 /* routes whose instability is remembered */
#define BGP_MULTIPATH_MAX 32     /* next hops of one route */

#endif
