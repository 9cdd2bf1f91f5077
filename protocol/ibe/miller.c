/* The image Q', and Miller's loop for two variable points. */
#include "ibe/pairing.h"

#include <string.h>

#define T(i) (tmp + (size_t)(i)*n)

/* x' = -(y^2 + 3) / (3 x^2), y'' = -y (y^2 - 9) / (3 sqrt 3 x^3): x - 4y^2/(3x^2) and its companion, with x^3
 * = y^2 - 1. */
void ibk_pairing_image(ibk_limb *image, const ibk_limb *point, const ibk_limb *inverse_x,
                       const ibk_group *g) {
    const ibk_fp *f = &g->fp;
    size_t n = f->n;
    ibk_limb tmp[6 * IBK_FP_MAX];
    ibk_fp_sqr(T(0), point + n, f);
    ibk_fp_triple(T(1), f->one, f);
    ibk_fp_triple(T(2), T(1), f);
    ibk_fp_add(T(1), T(0), T(1), f); // y^2 + 3
    ibk_fp_sub(T(2), T(0), T(2), f); // y^2 - 9
    ibk_fp_mul(T(2), T(2), point + n, f);
    ibk_fp_sqr(T(3), inverse_x, f);
    ibk_fp_mul(T(4), T(3), inverse_x, f);
    ibk_fp_mul(T(3), T(3), g->image_x, f);
    ibk_fp_mul(T(4), T(4), g->image_y, f);
    ibk_fp_mul(image, T(1), T(3), f);
    ibk_fp_mul(image + n, T(2), T(4), f);
}

/* V = 2V (see curve.c for the formulas), and the tangent at the old V: 2YZ y - 3X^2 x + (Y^2 - 3Z^2). */
static void double_step(ibk_limb *line, ibk_limb *v, const ibk_limb *image, const ibk_group *g) {
    const ibk_fp *f = &g->fp;
    size_t n = f->n;
    ibk_limb tmp[12 * IBK_FP_MAX];
    ibk_limb *x = v, *y = v + n, *z = v + 2 * n;
    ibk_limb *a = T(0), *b = T(1), *d = T(2), *e = T(3), *h = T(4), *d3 = T(5), *t = T(6), *w0 = T(7),
             *w1 = T(9);
    ibk_fp_sqr(a, x, f);
    ibk_fp_sqr(b, y, f);
    ibk_fp_sqr(t, z, f);
    ibk_fp_triple(d, t, f);
    ibk_fp_mul(e, x, y, f);
    ibk_fp_dbl(e, e, f);
    ibk_fp_mul(h, y, z, f);
    ibk_fp_dbl(h, h, f);
    // the line
    ibk_fp_triple(t, a, f);
    ibk_fp_mul(a, t, image, f);
    ibk_fp_sub(t, b, d, f);
    ibk_fp_sub(line, t, a, f);
    ibk_fp_mul(line + n, h, image + n, f);
    // the point
    ibk_fp_triple(d3, d, f);
    ibk_fp_sub(t, b, d3, f);
    ibk_fp_mul(x, e, t, f);
    ibk_fp_dbl(h, h, f);
    ibk_fp_dbl(h, h, f);
    ibk_fp_mul(z, b, h, f);
    ibk_fp_add(t, b, d3, f);
    ibk_fp_dbl(d, d, f);
    f->ops->sqr_wide(w0, t, f);
    f->ops->sqr_wide(w1, d, f);
    f->ops->sub_wide(w0, w0, w1, f);
    f->ops->sub_wide(w0, w0, w1, f);
    f->ops->sub_wide(w0, w0, w1, f);
    f->ops->redc(y, w0, f);
}

/* The line through V1 and V2 at Q', both projective: with d = X1Z2 - X2Z1, t = Y1Z2 - Y2Z1:
 * d Z1 y - t Z1 x + (t X1 - d Y1). */
static void join(ibk_limb *line, const ibk_limb *v1, const ibk_limb *v2, const ibk_limb *image,
                 const ibk_fp *f) {
    size_t n = f->n;
    ibk_limb tmp[5 * IBK_FP_MAX];
    const ibk_limb *z1 = v1 + 2 * n, *z2 = v2 + 2 * n;
    ibk_fp_mul(T(0), v1, z2, f);
    ibk_fp_mul(T(2), v2, z1, f);
    ibk_fp_sub(T(0), T(0), T(2), f); // d
    ibk_fp_mul(T(1), v1 + n, z2, f);
    ibk_fp_mul(T(2), v2 + n, z1, f);
    ibk_fp_sub(T(1), T(1), T(2), f); // t
    ibk_fp_mul(T(2), T(1), v1, f);
    ibk_fp_mul(T(3), T(0), v1 + n, f);
    ibk_fp_sub(T(2), T(2), T(3), f);
    ibk_fp_mul(T(3), z1, image, f);
    ibk_fp_mul(T(3), T(3), T(1), f);
    ibk_fp_sub(line, T(2), T(3), f);
    ibk_fp_mul(T(3), z1, image + n, f);
    ibk_fp_mul(line + n, T(3), T(0), f);
}

/* q = 2^a + s 2^b + c. The term c adds nothing: its line is a vertical one, as is every denominator, and
 * those lie in F_p; where RFC 5091's algorithm 3.5.2 divides, the conjugate is as good, since N(f) lies in
 * F_p too. */
void ibk_miller(ibk_limb *f2, const ibk_limb *a, const ibk_limb *image, const ibk_group *g) {
    const ibk_fp *f = &g->fp;
    size_t n = f->n;
    ibk_limb v[IBK_PROJ_MAX], vb[IBK_PROJ_MAX], fb[IBK_FP2_MAX], line[IBK_FP2_MAX];
    ibk_curve_to_proj(v, a, g);
    double_step(f2, v, image, g);
    for (unsigned i = 1; i < g->a; i++) {
        if (i == g->b) {
            memcpy(vb, v, 3 * n * sizeof *v);
            memcpy(fb, f2, 2 * n * sizeof *fb);
        }
        ibk_fp2_sqr(f2, f2, f);
        double_step(line, v, image, g);
        ibk_fp2_mul(f2, f2, line, f);
    }
    if (g->s < 0) {
        ibk_fp_neg(vb + n, vb + n, f);
        ibk_fp2_conj(fb, fb, f);
    }
    join(line, v, vb, image, f);
    ibk_fp2_mul(f2, f2, fb, f);
    ibk_fp2_mul(f2, f2, line, f);
    ibk_wipe(v, 3 * n * sizeof *v);
    ibk_wipe(vb, 3 * n * sizeof *v);
    ibk_wipe(fb, 2 * n * sizeof *v);
    ibk_wipe(line, 2 * n * sizeof *v);
}
