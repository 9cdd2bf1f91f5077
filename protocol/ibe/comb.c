/* The scalar, made odd by adding q if need be, is written with digits +-1 in all L = w d places: for odd k <
 * 2^L the bits of (k + 2^L - 1) / 2 are the signs. Column j has the places j, j + d, … j + (w-1) d; its top
 * sign is taken out, which leaves 2^(w-1) entries. Columns in the upper half of the d use the second table,
 * shifted by d/2. */
#include "ibe/comb.h"

#include <stdlib.h>
#include <string.h>

#define TEETH   7
#define TABLES  2
#define ENTRIES ((size_t)1 << (TEETH - 1))

static unsigned spacing_for(const ibk_group *g) {
    unsigned d = (g->fq.bits + 1 + TEETH - 1) / TEETH;
    return (d + TABLES - 1) / TABLES * TABLES;
}

/* teeth: [2^(d t + d/2 m)]P for tooth t of table m, projective. */
static void build_teeth(ibk_limb *teeth, const ibk_limb *point, unsigned d, const ibk_group *g) {
    size_t size = 3 * (size_t)g->fp.n;
    ibk_limb v[IBK_PROJ_MAX];
    ibk_curve_to_proj(v, point, g);
    for (unsigned i = 0; i < d * TEETH; i++) {
        if (i % (d / TABLES) == 0) {
            unsigned step = i / (d / TABLES), tooth = step / TABLES, table = step % TABLES;
            memcpy(teeth + (table * TEETH + tooth) * size, v, size * sizeof *v);
        }
        ibk_curve_double(v, v, g);
    }
}

/* Entry e: top tooth, plus or minus each lower tooth t as bit t of e says. Entry 0 has all minuses; another
 * one is that without its lowest bit plus twice that tooth. */
static void build_table(ibk_limb *entries, ibk_limb *teeth, const ibk_group *g) {
    const ibk_fp *f = &g->fp;
    size_t n = f->n, size = 3 * n;
    ibk_limb t[IBK_PROJ_MAX];
    memcpy(entries, teeth + (TEETH - 1) * size, size * sizeof *t);
    for (size_t i = 0; i < TEETH - 1; i++) {
        memcpy(t, teeth + i * size, size * sizeof *t);
        ibk_fp_neg(t + n, t + n, f);
        ibk_curve_add(entries, entries, t, g);
        ibk_curve_double(teeth + i * size, teeth + i * size, g);
    }
    for (size_t e = 1; e < ENTRIES; e++) {
        size_t low = (size_t)__builtin_ctzl(e);
        ibk_curve_add(entries + e * size, entries + (e & (e - 1)) * size, teeth + low * size, g);
    }
}

ibk_err ibk_comb_init(ibk_comb *comb, const ibk_limb *point, const ibk_group *g) {
    const ibk_fp *f = &g->fp;
    size_t n = f->n, size = 3 * n, all = TABLES * ENTRIES;
    *comb = (ibk_comb){NULL, spacing_for(g)};
    ibk_limb *proj = malloc(all * size * sizeof *proj),
             *teeth = malloc(TABLES * TEETH * size * sizeof *teeth);
    ibk_limb *scratch = malloc(all * n * sizeof *scratch), *points = malloc(all * 2 * n * sizeof *points);
    ibk_err err = IBK_ERR_NO_MEMORY;
    if (proj != NULL && teeth != NULL && scratch != NULL && points != NULL) {
        build_teeth(teeth, point, comb->spacing, g);
        for (size_t m = 0; m < TABLES; m++)
            build_table(proj + m * ENTRIES * size, teeth + m * TEETH * size, g);
        ibk_fp_inv_many(proj + 2 * n, all, size, scratch, f);
        for (size_t i = 0; i < all; i++)
            for (size_t xy = 0; xy < 2; xy++)
                ibk_fp_mul(points + (2 * i + xy) * n, proj + i * size + xy * n, proj + i * size + 2 * n, f);
        comb->points = points;
        points = NULL;
        err = IBK_OK;
    }
    free(proj);
    free(teeth);
    free(scratch);
    free(points);
    return err;
}

void ibk_comb_free(ibk_comb *comb) {
    free(comb->points);
    *comb = (ibk_comb){NULL, 0};
}

/* signs = (k' + 2^L - 1) / 2, k' = k or k + q, whichever is odd. */
static void recode(ibk_limb *signs, const ibk_limb *k, unsigned places, const ibk_group *g) {
    size_t n = g->fq.n;
    ibk_limb addend[IBK_FP_MAX] = {0}, even = (k[0] & 1) - 1;
    for (size_t i = 0; i < n; i++)
        addend[i] = g->fq.p[i] & even;
    signs[n] = ibk_limbs_add(signs, k, addend, n);
    // halve (k' - 1, exactly), then add 2^(L-1)
    for (size_t i = 0; i < n; i++)
        signs[i] = signs[i] >> 1 | signs[i + 1] << 63;
    signs[n] >>= 1;
    signs[(places - 1) / 64] |= (ibk_limb)1 << ((places - 1) % 64); // k' < 2^L: that bit is clear
    ibk_wipe(addend, n * sizeof *addend);
}

typedef ibk_limb pair __attribute__((vector_size(16), aligned(8), may_alias));

/* entry = table[index], the whole table read; 8 limbs of every entry at a time, so that they stay in
 * registers. */
static void read_all(ibk_limb *entry, const ibk_limb *table, ibk_limb index, size_t limbs) {
    for (size_t at = 0; at < limbs; at += 8) {
        pair r0 = {0}, r1 = {0}, r2 = {0}, r3 = {0};
        for (ibk_limb i = 0; i < ENTRIES; i++) {
            ibk_limb chosen = (ibk_limb)0 - (((i ^ index) - 1) >> 63);
            pair mask = {chosen, chosen};
            const pair *from = (const pair *)(table + i * limbs + at);
            r0 |= from[0] & mask;
            r1 |= from[1] & mask;
            r2 |= from[2] & mask;
            r3 |= from[3] & mask;
        }
        pair *to = (pair *)(entry + at);
        to[0] = r0;
        to[1] = r1;
        to[2] = r2;
        to[3] = r3;
    }
}

/* The column's entry with its sign. */
static void column(ibk_limb *entry, const ibk_limb *table, const ibk_limb *signs, unsigned j, unsigned d,
                   const ibk_fp *f) {
    size_t n = f->n;
    ibk_limb index = 0, negated[IBK_FP_MAX];
    for (unsigned t = TEETH - 1; t-- > 0;)
        index = index << 1 | ibk_limbs_bit(signs, j + t * (size_t)d);
    ibk_limb negative = (ibk_limb)ibk_limbs_bit(signs, j + (TEETH - 1) * (size_t)d) - 1;
    index = (index ^ negative) & (ENTRIES - 1);
    read_all(entry, table, index, 2 * n);
    ibk_fp_neg(negated, entry + n, f);
    ibk_limbs_select(entry + n, negated, negative, n);
}

ibk_limb ibk_comb_mul(ibk_limb *r, const ibk_comb *comb, const ibk_limb *k, const ibk_group *g) {
    const ibk_fp *f = &g->fp;
    size_t n = f->n;
    unsigned d = comb->spacing, rows = d / TABLES;
    ibk_limb signs[IBK_FP_MAX + 1], acc[IBK_PROJ_MAX], entry[IBK_POINT_MAX];
    memset(signs, 0, sizeof signs);
    recode(signs, k, d * TEETH, g);
    for (unsigned row = rows; row-- > 0;) {
        if (row + 1 < rows)
            ibk_curve_double(acc, acc, g);
        for (unsigned m = 0; m < TABLES; m++) {
            column(entry, comb->points + m * ENTRIES * 2 * n, signs, row + m * rows, d, f);
            if (row + 1 == rows && m == 0)
                ibk_curve_to_proj(acc, entry, g);
            else
                ibk_curve_add_affine(acc, acc, entry, g);
        }
    }
    ibk_limb finite = ibk_curve_to_affine(r, acc, g);
    ibk_wipe(signs, sizeof signs);
    ibk_wipe(acc, 3 * n * sizeof *acc);
    ibk_wipe(entry, 2 * n * sizeof *entry);
    return finite;
}
