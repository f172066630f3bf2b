#ifndef RIBCAGE_YAML_LIMITS_H
#define RIBCAGE_YAML_LIMITS_H

/* What a text may cost. Each has a test that meets it. */

#define YAML_DEPTH_MAX 64
#define YAML_NODES_MAX 4000000
#define YAML_BYTES_MAX (64 << 20)
#define YAML_REPEAT_MAX 10000                /* of one item */
#define YAML_SUBSTITUTED_BYTES_MAX (1 << 20) /* one scalar after its parameters were put in */

#endif
