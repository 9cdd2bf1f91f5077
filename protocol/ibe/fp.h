/* Prime-field arithmetic in Montgomery form. An element is f->n limbs, little-endian, fully reduced, times
 * R = 2^(64 n). n is a multiple of 8: 8 for p of 512 bits and for every q, 16, 24, 64, 120 for the larger p.
 *
 * Everything here runs in constant time (the sequence of operations and addresses depends on the field
 * alone), but for what is named _vartime. */
#ifndef IBE_FP_H
#define IBE_FP_H

#include <ibake/base.h>

#define IBK_FP_MAX 120 /* limbs of the largest field */

typedef uint64_t ibk_limb;
typedef struct ibk_fp ibk_fp;

/* A multiplier. Wide products have 2n limbs and lie below p * R, which redc turns into a reduced element.
 * Outputs may be the inputs, wide outputs excepted. */
typedef struct ibk_fp_ops {
    const char *name;
    void (*mul)(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f);
    void (*sqr)(ibk_limb *r, const ibk_limb *a, const ibk_fp *f);
    void (*mul_wide)(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f);
    void (*sqr_wide)(ibk_limb *r, const ibk_limb *a, const ibk_fp *f);
    void (*redc)(ibk_limb *r, ibk_limb *t, const ibk_fp *f); /* destroys t */
    void (*add)(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f);
    void (*sub)(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f);
    /* sums and differences of wide products, kept below p * R */
    void (*add_wide)(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f);
    void (*sub_wide)(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f);
} ibk_fp_ops;

struct ibk_fp {
    const ibk_fp_ops *ops;
    unsigned n;    /* limbs */
    unsigned bits; /* of p */
    size_t octets; /* of p */
    ibk_limb n0;   /* -1/p mod 2^64 */
    ibk_limb p[IBK_FP_MAX], one[IBK_FP_MAX], r2[IBK_FP_MAX];
};

/* The portable multiplier, and the one with MULX, ADCX, ADOX (NULL where the processor lacks them). */
const ibk_fp_ops *ibk_fp_ops_portable(void);
const ibk_fp_ops *ibk_fp_ops_adx(unsigned n);

/* p is odd, greater than 2, big-endian; whether it is prime is not looked at. ops NULL: the fastest one.
 * False if p is even or too long. */
bool ibk_fp_init(ibk_fp *f, ibk_span p, const ibk_fp_ops *ops);

static inline void ibk_fp_mul(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f) {
    f->ops->mul(r, a, b, f);
}
static inline void ibk_fp_sqr(ibk_limb *r, const ibk_limb *a, const ibk_fp *f) {
    f->ops->sqr(r, a, f);
}
static inline void ibk_fp_add(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f) {
    f->ops->add(r, a, b, f);
}
static inline void ibk_fp_sub(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f) {
    f->ops->sub(r, a, b, f);
}
static inline void ibk_fp_dbl(ibk_limb *r, const ibk_limb *a, const ibk_fp *f) {
    f->ops->add(r, a, a, f);
}
void ibk_fp_neg(ibk_limb *r, const ibk_limb *a, const ibk_fp *f);
void ibk_fp_triple(ibk_limb *r, const ibk_limb *a, const ibk_fp *f); /* r is not a */
void ibk_fp_set_small(ibk_limb *r, unsigned value, const ibk_fp *f); /* value below p */
void ibk_fp_copy(ibk_limb *r, const ibk_limb *a, const ibk_fp *f);
void ibk_fp_zero(ibk_limb *r, const ibk_fp *f);

/* Masks: all ones for yes. */
ibk_limb ibk_fp_is_zero(const ibk_limb *a, const ibk_fp *f);
ibk_limb ibk_fp_equal(const ibk_limb *a, const ibk_limb *b, const ibk_fp *f);
/* r = mask ? a : r over count limbs; and a <-> b if mask. */
void ibk_limbs_select(ibk_limb *r, const ibk_limb *a, ibk_limb mask, size_t count);
void ibk_limbs_swap(ibk_limb *a, ibk_limb *b, ibk_limb mask, size_t count);

/* r = 1/a, 0 for 0 (fp_inv.c). */
void ibk_fp_inv(ibk_limb *r, const ibk_limb *a, const ibk_fp *f);
/* Many inversions for the price of one: r[i] = 1/a[i], none of them 0; elements lie `stride` limbs apart.
 * `scratch` has room for count elements. In place is allowed. */
void ibk_fp_inv_many(ibk_limb *a, size_t count, size_t stride, ibk_limb *scratch, const ibk_fp *f);
/* a^e, e public, in limbs; sliding window. r may be a. */
void ibk_fp_pow_public(ibk_limb *r, const ibk_limb *a, const ibk_limb *e, size_t e_limbs, const ibk_fp *f);

/* Octets are big-endian. `from` refuses integers not below p; `from_wide` reduces any length, in constant
 * time for its length. `to` writes f->octets octets. */
bool ibk_fp_from(ibk_limb *r, const uint8_t *octets, size_t len, const ibk_fp *f);
void ibk_fp_from_wide(ibk_limb *r, const uint8_t *octets, size_t len, const ibk_fp *f);
void ibk_fp_to(uint8_t *octets, const ibk_limb *a, const ibk_fp *f);
/* Out of Montgomery form, as plain limbs. */
void ibk_fp_to_limbs(ibk_limb *r, const ibk_limb *a, const ibk_fp *f);

/* Plain multi-limb integers. */
ibk_limb ibk_limbs_add(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, size_t count); /* carry */
ibk_limb ibk_limbs_sub(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, size_t count); /* borrow */
bool ibk_limbs_from_octets(ibk_limb *r, size_t count, const uint8_t *octets,
                           size_t len); /* false: too long */
void ibk_limbs_to_octets(uint8_t *octets, size_t len, const ibk_limb *a, size_t count);
unsigned ibk_limbs_bits_vartime(const ibk_limb *a, size_t count); /* bit length */
static inline unsigned ibk_limbs_bit(const ibk_limb *a, size_t index) {
    return (unsigned)(a[index / 64] >> (index % 64)) & 1;
}

/* What both multipliers share: modular addition and subtraction (fp_ops_c.c). */
void ibk_fp_c_add(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f);
void ibk_fp_c_sub(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f);
void ibk_fp_c_add_wide(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f);
void ibk_fp_c_sub_wide(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f);

#endif
