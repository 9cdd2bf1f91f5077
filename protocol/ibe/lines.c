/* Precomputed lines of a fixed first argument, two doublings at a time.
 *
 * Let l1 = y + a1 x + c1 and l2 = y + a2 x + c2 be the tangents at V and 2V. Two rounds of Miller's loop take
 * f to f^4 l1^2 l2 (verticals apart). The vertical at 2V divides l1^2 l2 twice, and the quotient is G = x y +
 * gy y + g2 x^2 + g1 x + g0, four coefficients for two doublings. At Q' = (x', i y''): (g2 x'^2 + g1 x' + g0)
 * + i y'' (x' + gy). */
#include "ibe/pairing.h"

#include <stdlib.h>
#include <string.h>

#define T(i) (tmp + (size_t)(i)*n)

/* The doublings before 2^b A and those after it are paired apart; an odd one is a line of its own. */
typedef struct plan {
    unsigned quads_b, quads_a;
    bool single_b, single_a;
} plan;

static plan plan_of(const ibk_group *g) {
    unsigned rest = g->a - g->b;
    return (plan){g->b / 2, rest / 2, g->b % 2 != 0, rest % 2 != 0};
}

static size_t coefficient_count(const plan *p) {
    return 4 * ((size_t)p->quads_b + p->quads_a) + 2 * ((size_t)p->single_b + p->single_a) + 2;
}

/* For V_i = [2^i]A, i < count: slope, and affine x and y, three elements each: one inversion for all. */
static ibk_err doubling_chain(ibk_limb *out, const ibk_limb *a, unsigned count, const ibk_group *g) {
    const ibk_fp *f = &g->fp;
    size_t n = f->n, size = count * n * sizeof(ibk_limb);
    ibk_limb v[IBK_PROJ_MAX], t[IBK_FP_MAX];
    ibk_limb *inverse = malloc(2 * size), *scratch = inverse + (size_t)count * n;
    if (inverse == NULL)
        return IBK_ERR_NO_MEMORY;
    ibk_curve_to_proj(v, a, g);
    for (unsigned i = 0; i < count; i++) { // F = 2YZ; 3X^2, 2XY, 2Y^2 over F are slope, x, y
        ibk_limb *o = out + 3 * i * n, *h = inverse + i * n;
        ibk_fp_mul(h, v + n, v + 2 * n, f);
        ibk_fp_dbl(h, h, f);
        ibk_fp_sqr(t, v, f);
        ibk_fp_triple(o, t, f);
        ibk_fp_mul(o + n, v, v + n, f);
        ibk_fp_dbl(o + n, o + n, f);
        ibk_fp_sqr(o + 2 * n, v + n, f);
        ibk_fp_dbl(o + 2 * n, o + 2 * n, f);
        ibk_curve_double(v, v, g);
    }
    ibk_fp_inv_many(inverse, count, n, scratch, f);
    for (unsigned i = 0; i < 3 * count; i++)
        ibk_fp_mul(out + i * n, out + i * n, inverse + i / 3 * n, f);
    ibk_wipe(inverse, 2 * size);
    ibk_wipe(v, 3 * n * sizeof *v);
    free(inverse);
    return IBK_OK;
}

/* The tangent at V: a = -slope, c = slope * x - y. */
static void tangent(ibk_limb *line, const ibk_limb *v, const ibk_fp *f) {
    size_t n = f->n;
    ibk_fp_mul(line + n, v, v + n, f);
    ibk_fp_sub(line + n, line + n, v + 2 * n, f);
    ibk_fp_neg(line, v, f);
}

/* g2, g1, g0, gy from the tangents at V and at 2V. */
static void quad(ibk_limb *out, const ibk_limb *v, const ibk_group *g) {
    const ibk_fp *f = &g->fp;
    size_t n = f->n;
    ibk_limb tmp[10 * IBK_FP_MAX];
    ibk_limb *a1 = T(0), *c1 = T(1), *a2 = T(2), *c2 = T(3), *square = T(4), *product = T(5), *t = T(6),
             *u = T(7);
    const ibk_limb *x2 = v + 4 * n;
    tangent(a1, v, f);
    tangent(a2, v + 3 * n, f);
    ibk_fp_sqr(square, a1, f);
    ibk_fp_mul(product, a1, a2, f);
    ibk_fp_dbl(product, product, f); // 2 a1 a2
    // gy = a1^2 + 2 a1 a2 + 2 x2
    ibk_fp_add(t, square, product, f);
    ibk_fp_dbl(u, x2, f);
    ibk_fp_add(out + 3 * n, t, u, f);
    // g2 = a2 + 2 a1
    ibk_fp_dbl(t, a1, f);
    ibk_fp_add(out, a2, t, f);
    // g1 = c2 + 2 c1 + a1^2 a2 + 2 x2 g2
    ibk_fp_mul(t, square, a2, f);
    ibk_fp_add(t, t, c2, f);
    ibk_fp_add(t, t, c1, f);
    ibk_fp_add(t, t, c1, f);
    ibk_fp_mul(T(8), u, out, f);
    ibk_fp_add(out + n, t, T(8), f);
    // g0 = a1^2 c2 + 2 a1 a2 c1 + 2 x2 g1 - x2^2 g2
    ibk_fp_mul(t, square, c2, f);
    ibk_fp_mul(T(8), product, c1, f);
    ibk_fp_add(t, t, T(8), f);
    ibk_fp_mul(T(8), u, out + n, f);
    ibk_fp_add(t, t, T(8), f);
    ibk_fp_sqr(T(8), x2, f);
    ibk_fp_mul(T(8), T(8), out, f);
    ibk_fp_sub(out + 2 * n, t, T(8), f);
    ibk_wipe(tmp, 10 * n * sizeof *tmp);
}

/* The line through [2^a]A and [s 2^b]A, normalised as the tangents are. */
static void joining_line(ibk_limb *out, const ibk_limb *va, const ibk_limb *vb, const ibk_group *g) {
    const ibk_fp *f = &g->fp;
    size_t n = f->n;
    ibk_limb tmp[3 * IBK_FP_MAX];
    ibk_fp_copy(T(0), vb + 2 * n, f);
    if (g->s < 0)
        ibk_fp_neg(T(0), T(0), f);
    ibk_fp_sub(T(0), va + 2 * n, T(0), f);
    ibk_fp_sub(T(1), va + n, vb + n, f);
    ibk_fp_inv(T(1), T(1), f);
    ibk_fp_mul(T(0), T(0), T(1), f); // slope
    ibk_fp_mul(T(1), T(0), va + n, f);
    ibk_fp_sub(out + n, T(1), va + 2 * n, f);
    ibk_fp_neg(out, T(0), f);
    ibk_wipe(tmp, 3 * n * sizeof *tmp);
}

ibk_err ibk_lines_init(ibk_lines *lines, const ibk_limb *a, const ibk_group *g) {
    size_t n = g->fp.n, points = (size_t)g->a + 1;
    plan p = plan_of(g);
    *lines = (ibk_lines){NULL, coefficient_count(&p) * n};
    ibk_limb *chain = malloc(3 * points * n * sizeof *chain);
    ibk_limb *out = malloc(lines->limbs * sizeof *out);
    ibk_err err =
        chain == NULL || out == NULL ? IBK_ERR_NO_MEMORY : doubling_chain(chain, a, (unsigned)points, g);
    if (err == IBK_OK) {
        ibk_limb *o = out;
        unsigned at = 0;
        for (int half = 0; half < 2; half++) {
            unsigned quads = half ? p.quads_a : p.quads_b;
            for (unsigned i = 0; i < quads; i++, at += 2, o += 4 * n)
                quad(o, chain + 3 * (size_t)at * n, g);
            if (half ? p.single_a : p.single_b) {
                tangent(o, chain + 3 * (size_t)at * n, &g->fp);
                at++;
                o += 2 * n;
            }
        }
        joining_line(o, chain + 3 * (size_t)g->a * n, chain + 3 * (size_t)g->b * n, g);
        lines->coefficients = out;
    } else {
        free(out);
    }
    if (chain != NULL)
        ibk_wipe(chain, 3 * points * n * sizeof *chain);
    free(chain);
    return err;
}

void ibk_lines_free(ibk_lines *lines) {
    if (lines->coefficients != NULL)
        ibk_wipe(lines->coefficients, lines->limbs * sizeof *lines->coefficients);
    free(lines->coefficients);
    *lines = (ibk_lines){NULL, 0};
}

/* point: x', y'', x'^2 */
static void eval_quad(ibk_limb *value, const ibk_limb *c, const ibk_limb *point, const ibk_fp *f) {
    size_t n = f->n;
    ibk_limb tmp[5 * IBK_FP_MAX];
    f->ops->mul_wide(T(0), c, point + 2 * n, f);
    f->ops->mul_wide(T(2), c + n, point, f);
    f->ops->add_wide(T(0), T(0), T(2), f);
    f->ops->redc(value, T(0), f);
    ibk_fp_add(value, value, c + 2 * n, f);
    ibk_fp_add(T(4), point, c + 3 * n, f);
    ibk_fp_mul(value + n, T(4), point + n, f);
}

static void eval_line(ibk_limb *value, const ibk_limb *c, const ibk_limb *point, const ibk_fp *f) {
    size_t n = f->n;
    ibk_fp_mul(value, c, point, f);
    ibk_fp_add(value, value, c + n, f);
    ibk_fp_copy(value + n, point + n, f);
}

void ibk_lines_eval(ibk_limb *f2, const ibk_lines *lines, const ibk_limb *image, const ibk_group *g) {
    const ibk_fp *f = &g->fp;
    size_t n = f->n;
    ibk_limb point[3 * IBK_FP_MAX], value[IBK_FP2_MAX], fb[IBK_FP2_MAX];
    const ibk_limb *c = lines->coefficients;
    plan p = plan_of(g);
    memcpy(point, image, 2 * n * sizeof *point);
    ibk_fp_sqr(point + 2 * n, image, f);
    ibk_fp2_one(f2, f);
    for (int half = 0; half < 2; half++) {
        unsigned quads = half ? p.quads_a : p.quads_b;
        for (unsigned i = 0; i < quads; i++, c += 4 * n) {
            eval_quad(value, c, point, f);
            ibk_fp2_sqr(f2, f2, f);
            ibk_fp2_sqr(f2, f2, f);
            ibk_fp2_mul(f2, f2, value, f);
        }
        if (half ? p.single_a : p.single_b) {
            eval_line(value, c, point, f);
            ibk_fp2_sqr(f2, f2, f);
            ibk_fp2_mul(f2, f2, value, f);
            c += 2 * n;
        }
        if (half == 0)
            memcpy(fb, f2, 2 * n * sizeof *fb);
    }
    if (g->s < 0)
        ibk_fp2_conj(fb, fb, f);
    eval_line(value, c, point, f);
    ibk_fp2_mul(f2, f2, fb, f);
    ibk_fp2_mul(f2, f2, value, f);
    ibk_wipe(value, 2 * n * sizeof *value);
    ibk_wipe(fb, 2 * n * sizeof *fb);
}
