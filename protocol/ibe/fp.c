/* Field set-up, conversions, comparisons, powers. */
#include "ibe/fp.h"

#include <string.h>

void ibk_fp_copy(ibk_limb *r, const ibk_limb *a, const ibk_fp *f) {
    memmove(r, a, f->n * sizeof *r);
}

void ibk_fp_zero(ibk_limb *r, const ibk_fp *f) {
    memset(r, 0, f->n * sizeof *r);
}

void ibk_fp_neg(ibk_limb *r, const ibk_limb *a, const ibk_fp *f) {
    ibk_limb zero[IBK_FP_MAX];
    ibk_fp_zero(zero, f);
    ibk_fp_sub(r, zero, a, f);
}

void ibk_fp_triple(ibk_limb *r, const ibk_limb *a, const ibk_fp *f) {
    ibk_fp_add(r, a, a, f);
    ibk_fp_add(r, r, a, f);
}

void ibk_fp_set_small(ibk_limb *r, unsigned value, const ibk_fp *f) {
    ibk_limb t[IBK_FP_MAX];
    ibk_fp_zero(t, f);
    t[0] = value;
    ibk_fp_mul(r, t, f->r2, f);
}

ibk_limb ibk_fp_is_zero(const ibk_limb *a, const ibk_fp *f) {
    ibk_limb any = 0;
    for (size_t i = 0; i < f->n; i++)
        any |= a[i];
    return (ibk_limb)0 - ((~any & (any - 1)) >> 63);
}

ibk_limb ibk_fp_equal(const ibk_limb *a, const ibk_limb *b, const ibk_fp *f) {
    ibk_limb any = 0;
    for (size_t i = 0; i < f->n; i++)
        any |= a[i] ^ b[i];
    return (ibk_limb)0 - ((~any & (any - 1)) >> 63);
}

void ibk_limbs_select(ibk_limb *r, const ibk_limb *a, ibk_limb mask, size_t count) {
    for (size_t i = 0; i < count; i++)
        r[i] ^= (r[i] ^ a[i]) & mask;
}

void ibk_limbs_swap(ibk_limb *a, ibk_limb *b, ibk_limb mask, size_t count) {
    for (size_t i = 0; i < count; i++) {
        ibk_limb t = (a[i] ^ b[i]) & mask;
        a[i] ^= t;
        b[i] ^= t;
    }
}

bool ibk_limbs_from_octets(ibk_limb *r, size_t count, const uint8_t *octets, size_t len) {
    memset(r, 0, count * sizeof *r);
    for (size_t i = 0; i < len; i++) {
        size_t place = len - 1 - i; // octet of weight 256^place
        if (place / 8 < count)
            r[place / 8] |= (ibk_limb)octets[i] << (8 * (place % 8));
        else if (octets[i] != 0)
            return false;
    }
    return true;
}

void ibk_limbs_to_octets(uint8_t *octets, size_t len, const ibk_limb *a, size_t count) {
    for (size_t i = 0; i < len; i++) {
        size_t place = len - 1 - i;
        octets[i] = place / 8 < count ? (uint8_t)(a[place / 8] >> (8 * (place % 8))) : 0;
    }
}

unsigned ibk_limbs_bits_vartime(const ibk_limb *a, size_t count) {
    while (count > 0 && a[count - 1] == 0)
        count--;
    return count == 0 ? 0 : (unsigned)(count * 64) - (unsigned)__builtin_clzll(a[count - 1]);
}

/* -1/p mod 2^64 by Newton's iteration; each round doubles the number of right bits. */
static ibk_limb negative_inverse(ibk_limb p0) {
    ibk_limb x = p0; // right to 3 bits
    for (int i = 0; i < 5; i++)
        x *= 2 - p0 * x;
    return (ibk_limb)0 - x;
}

/* R mod p and R^2 mod p: doublings of 1, which need nothing but the addition. */
static void set_constants(ibk_fp *f) {
    ibk_limb t[IBK_FP_MAX];
    memset(t, 0, sizeof t);
    t[0] = 1;
    for (unsigned i = 0; i < 64 * f->n; i++)
        ibk_fp_c_add(t, t, t, f);
    ibk_fp_copy(f->one, t, f);
    // 2R, then squarings in Montgomery form: 2^(2^k) R; 64 n = 2^k * odd part
    unsigned odd = 64 * f->n, squarings = 0;
    while (odd % 2 == 0) {
        odd /= 2;
        squarings++;
    }
    for (unsigned i = 0; i < odd; i++)
        ibk_fp_c_add(t, t, t, f);
    for (unsigned i = 0; i < squarings; i++)
        f->ops->sqr(t, t, f);
    ibk_fp_copy(f->r2, t, f);
}

bool ibk_fp_init(ibk_fp *f, ibk_span p, const ibk_fp_ops *ops) {
    memset(f, 0, sizeof *f);
    if (!ibk_limbs_from_octets(f->p, IBK_FP_MAX, p.data, p.len) || (f->p[0] & 1) == 0)
        return false;
    f->bits = ibk_limbs_bits_vartime(f->p, IBK_FP_MAX);
    if (f->bits < 2)
        return false;
    f->octets = (f->bits + 7) / 8;
    f->n = (f->bits + 511) / 512 * 8;
    f->n0 = negative_inverse(f->p[0]);
    f->ops = ops != NULL ? ops : ibk_fp_ops_adx(f->n);
    if (f->ops == NULL)
        f->ops = ibk_fp_ops_portable();
    set_constants(f);
    return true;
}

bool ibk_fp_from(ibk_limb *r, const uint8_t *octets, size_t len, const ibk_fp *f) {
    ibk_limb t[IBK_FP_MAX], d[IBK_FP_MAX];
    if (!ibk_limbs_from_octets(t, f->n, octets, len) || ibk_limbs_sub(d, t, f->p, f->n) == 0)
        return false;
    ibk_fp_mul(r, t, f->r2, f);
    ibk_wipe(t, f->n * sizeof *t);
    ibk_wipe(d, f->n * sizeof *d);
    return true;
}

void ibk_fp_from_wide(ibk_limb *r, const uint8_t *octets, size_t len, const ibk_fp *f) {
    ibk_limb acc[IBK_FP_MAX], t[IBK_FP_MAX];
    size_t chunk = 8 * (size_t)f->n, first = len % chunk;
    ibk_fp_zero(acc, f);
    for (size_t at = 0; at < len; first = 0) {
        size_t take = first != 0 ? first : chunk;
        ibk_limbs_from_octets(t, f->n, octets + at, take);
        // A factor below R, reduced or not, times a reduced one is below p * R: the product is right.
        ibk_fp_mul(acc, acc, f->r2, f); // acc * R
        ibk_fp_mul(t, t, f->r2, f);
        ibk_fp_add(acc, acc, t, f);
        at += take;
    }
    ibk_fp_copy(r, acc, f);
    ibk_wipe(acc, f->n * sizeof *acc);
    ibk_wipe(t, f->n * sizeof *t);
}

void ibk_fp_to_limbs(ibk_limb *r, const ibk_limb *a, const ibk_fp *f) {
    ibk_limb t[2 * IBK_FP_MAX];
    memset(t, 0, 2 * f->n * sizeof *t);
    memcpy(t, a, f->n * sizeof *t);
    f->ops->redc(r, t, f);
    ibk_wipe(t, 2 * f->n * sizeof *t);
}

void ibk_fp_to(uint8_t *octets, const ibk_limb *a, const ibk_fp *f) {
    ibk_limb t[IBK_FP_MAX];
    ibk_fp_to_limbs(t, a, f);
    ibk_limbs_to_octets(octets, f->octets, t, f->n);
    ibk_wipe(t, f->n * sizeof *t);
}

#define POW_WINDOW 5

void ibk_fp_pow_public(ibk_limb *r, const ibk_limb *a, const ibk_limb *e, size_t e_limbs, const ibk_fp *f) {
    ibk_limb table[(1 << (POW_WINDOW - 1)) * IBK_FP_MAX], square[IBK_FP_MAX], acc[IBK_FP_MAX];
    size_t n = f->n;
    ibk_fp_copy(table, a, f); // a, a^3, a^5, …
    ibk_fp_sqr(square, a, f);
    for (size_t i = 1; i < 1 << (POW_WINDOW - 1); i++)
        ibk_fp_mul(table + i * n, table + (i - 1) * n, square, f);
    ibk_fp_copy(acc, f->one, f);
    bool started = false;
    for (unsigned i = ibk_limbs_bits_vartime(e, e_limbs); i > 0;) {
        if (ibk_limbs_bit(e, i - 1) == 0) {
            if (started)
                ibk_fp_sqr(acc, acc, f);
            i--;
            continue;
        }
        unsigned width = i < POW_WINDOW ? i : POW_WINDOW;
        while (ibk_limbs_bit(e, i - width) == 0)
            width--;
        unsigned digit = 0;
        for (unsigned k = 0; k < width; k++) {
            digit = digit << 1 | ibk_limbs_bit(e, i - 1 - k);
            if (started)
                ibk_fp_sqr(acc, acc, f);
        }
        if (started)
            ibk_fp_mul(acc, acc, table + digit / 2 * n, f);
        else
            ibk_fp_copy(acc, table + digit / 2 * n, f);
        started = true;
        i -= width;
    }
    ibk_fp_copy(r, acc, f);
}
