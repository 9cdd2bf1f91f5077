/* The MIKEY-aware mutator: one set of functions behind libFuzzer (libfuzzer.c) and AFL++ (afl.c). What comes
 * out depends on the input, the donor and the seed alone. */
#ifndef FUZZ_MUTATOR_MUTATE_H
#define FUZZ_MUTATOR_MUTATE_H

#include <ibake/base.h>

typedef enum mutate_kind {
    MUTATE_MESSAGE = 0, /* a MIKEY message */
    MUTATE_SEALED,      /* the same, and often inside its encrypted payloads, with the keys of the fixture */
    MUTATE_CONTENT,     /* one octet, then the content of an IBAKE, ESK or KEMAC */
    MUTATE_PAYLOAD,     /* one octet, the payload's type, then a chain that begins with it */
    MUTATE_SEQUENCE     /* of world/world.h */
} mutate_kind;

/* Changes data[0..size) in place, at most to `max` octets; returns the new size, at least 1 for max >= 1.
 * `donor` is another input of the same kind, or empty. */
size_t mutate(mutate_kind kind, uint8_t *data, size_t size, size_t max, uint32_t seed, ibk_span donor);

#endif
