/* Values about which nothing is known, and what stands for the parts of libibake below. */
#ifndef PROVE_NONDET_H
#define PROVE_NONDET_H

#include <stddef.h>
#include <stdint.h>

extern int Frama_C_interval(int min, int max);
extern unsigned long Frama_C_unsigned_long_interval(unsigned long min, unsigned long max);

static inline int any_int(int min, int max) {
    return Frama_C_interval(min, max);
}

static inline size_t any_size(void) {
    return Frama_C_unsigned_long_interval(0, SIZE_MAX);
}

static inline void any_octets(uint8_t *octets, int len) {
    for (int i = 0; i < len; i++)
        octets[i] = (uint8_t)Frama_C_interval(0, 255);
}

#endif
