/* Runs everything that touches secrets with those marked as undefined memory: under valgrind's memcheck every
 * branch and every address that depends on them is then an error. Run by constant_time_test.sh. */
#include "ibe/objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/memcheck.h>

static void secret(const void *data, size_t len) {
    VALGRIND_MAKE_MEM_UNDEFINED(data, len);
}

/* Results become public when they are sent, compared or thrown away. */
static void published(const void *data, size_t len) {
    VALGRIND_MAKE_MEM_DEFINED(data, len);
}

static void need(bool ok, const char *what) {
    if (ok)
        return;
    fprintf(stderr, "%s failed\n", what);
    exit(2);
}

static ibk_ibe_params *load(const char *path) {
    static uint8_t octets[8192];
    ibk_ibe_params *params = NULL;
    FILE *f = fopen(path, "rb");
    need(f != NULL, path);
    size_t len = fread(octets, 1, sizeof octets, f);
    fclose(f);
    need(ibk_ibe_params_parse(&params, ibk_span_of(octets, len), NULL, NULL) == IBK_OK, path);
    return params;
}

static void scalars(const ibk_ibe_params *params) {
    const ibk_group *g = &params->group;
    const ibk_tables *tables;
    ibk_limb k[IBK_FP_MAX] = {0}, point[IBK_POINT_MAX], e[2 * IBK_FP_MAX], f2[IBK_FP2_MAX];
    uint8_t octets[IBK_IBE_HASH_MAX] = {1, 2, 3};
    need(ibk_params_tables(params, &tables) == IBK_OK, "tables");
    for (size_t i = 0; i < g->fq.n; i++)
        k[i] = (ibk_limb)0x9e3779b97f4a7c15 * (i + 1);
    k[2] &= 0xffff; // below every q
    memset(k + 3, 0, sizeof k - 3 * sizeof *k);
    secret(k, g->fq.n * sizeof *k);
    ibk_limb finite = ibk_comb_mul(point, &tables->comb, k, g); // [l]P
    published(&finite, sizeof finite);
    need(finite != 0, "comb");
    finite = ibk_curve_mul_secret(point, params->pub, k, g); // [s]Q
    published(&finite, sizeof finite);
    need(finite != 0, "multiplication");
    memcpy(e, g->cofactor, sizeof g->cofactor);
    secret(e, g->cofactor_limbs * sizeof *e);
    memcpy(f2, params->p, 2 * g->fp.n * sizeof *f2);
    ibk_final_exp(f2, f2, e, g->cofactor_bits, g); // the exponent 12 r (12 r l mod q)
    ibk_gt_pow(f2, f2, k, g->fq.bits, g);          // theta^l
    secret(octets, sizeof octets);
    ibk_fp_from_wide(k, octets, sizeof octets, &g->fq); // l out of its hash
    ibk_fp_mul(k, k, g->cofactor_q, &g->fq);
    ibk_fp_to_limbs(k, k, &g->fq);
}

static void points(const ibk_ibe_params *params) {
    const ibk_group *g = &params->group;
    ibk_limb s_id[IBK_POINT_MAX], half[IBK_POINT_MAX], image[IBK_POINT_MAX], inverse[IBK_FP_MAX],
        f2[IBK_FP2_MAX];
    uint8_t octets[2 * IBK_IBE_FIELD_MAX];
    ibk_lines lines;
    memcpy(s_id, params->pub, sizeof s_id);
    secret(s_id, 2 * g->fp.n * sizeof *s_id);
    bool ok = ibk_curve_half(half, s_id, g);
    published(&ok, sizeof ok);
    need(ok, "half");
    need(ibk_lines_init(&lines, half, g) == IBK_OK, "lines");
    ibk_fp_inv(inverse, params->p, &g->fp);
    ibk_pairing_image(image, params->p, inverse, g);
    ibk_lines_eval(f2, &lines, image, g); // e'(S_id, U)
    ibk_final_exp(f2, f2, g->cofactor, g->cofactor_bits, g);
    ibk_curve_to_octets(octets, f2, g);
    ibk_miller(f2, s_id, image, g);
    ibk_final_exp_signed(f2, f2, g);
    ibk_lines_free(&lines);
}

/* The proof that the check sees something. */
static void leak(const ibk_ibe_params *params) {
    const ibk_group *g = &params->group;
    ibk_limb k[1] = {0x1234567}, r[IBK_POINT_MAX];
    secret(k, sizeof k);
    (void)ibk_curve_mul_vartime(r, params->p, k, 1, g);
}

int main(int argc, char **argv) {
    if (argc < 2)
        return 2;
    ibk_ibe_params *params = load(argv[1]);
    for (int portable = 0; portable < 2; portable++) {
        if (portable)
            params->group.fp.ops = params->group.fq.ops = ibk_fp_ops_portable();
        scalars(params);
        points(params);
    }
    if (argc > 2)
        leak(params);
    ibk_ibe_params_free(params);
    return 0;
}
