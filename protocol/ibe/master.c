/* The master secret: DER, and its check against the parameters. */
#include "ibe/der.h"
#include "ibe/objects.h"

#include <stdlib.h>
#include <string.h>

void ibk_master_limbs(ibk_limb *s, const ibk_ibe_master *master, const ibk_group *g) {
    ibk_limbs_from_octets(s, g->fq.n, master->s, master->len);
}

/* 2 <= s < q, in constant time but for the verdict. */
static bool in_range(const ibk_ibe_master *master, const ibk_group *g) {
    ibk_limb s[IBK_FP_MAX], two[IBK_FP_MAX] = {2}, t[IBK_FP_MAX];
    ibk_master_limbs(s, master, g);
    bool ok = ibk_limbs_sub(t, s, two, g->fq.n) == 0 && ibk_limbs_sub(t, s, g->fq.p, g->fq.n) == 1;
    ibk_wipe(s, sizeof s);
    ibk_wipe(t, sizeof t);
    return ok;
}

ibk_err ibk_ibe_master_parse(ibk_ibe_master **master, const ibk_ibe_params *params, ibk_span der,
                             ibk_diag *diag) {
    static const char NAME[] = "BFMasterSecret";
    const ibk_group *g = &params->group;
    ibk_der d;
    ibk_span s = {NULL, 0};
    size_t at = 0;
    *master = NULL;
    ibk_err err = ibk_der_open(&d, der, NAME, diag);
    if (err == IBK_OK)
        err = ibk_der_version(&d, diag);
    if (err == IBK_OK) {
        at = ibk_der_offset(&d);
        err = ibk_der_natural(&d, &s, IBK_IBE_FIELD_MAX, "masterSecret", diag);
    }
    if (err == IBK_OK)
        err = ibk_der_close(&d, diag);
    if (err != IBK_OK)
        return err;
    if (s.len > g->fq.octets)
        return ibk_fail(diag, IBK_ERR_BAD_SCALAR, NAME, at, "masterSecret: not in 2 ... q - 1");
    ibk_ibe_master *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ibk_fail(diag, IBK_ERR_NO_MEMORY, NAME, 0, "out of memory");
    made->len = g->fq.octets;
    memcpy(made->s + made->len - s.len, s.data, s.len);
    if (!in_range(made, g)) {
        ibk_ibe_master_free(made);
        return ibk_fail(diag, IBK_ERR_BAD_SCALAR, NAME, at, "masterSecret: not in 2 ... q - 1");
    }
    *master = made;
    return IBK_OK;
}

ibk_err ibk_ibe_master_encode(const ibk_ibe_master *master, ibk_buf *out) {
    size_t from = out->len;
    ibk_err err = ibk_der_put_version(out);
    if (err == IBK_OK)
        err = ibk_der_put_natural(out, ibk_span_of(master->s, master->len));
    return err == IBK_OK ? ibk_der_wrap(out, from) : err;
}

void ibk_ibe_master_free(ibk_ibe_master *master) {
    if (master == NULL)
        return;
    ibk_wipe(master, sizeof *master);
    free(master);
}

ibk_err ibk_ibe_master_check(const ibk_ibe_params *params, const ibk_ibe_master *master) {
    const ibk_group *g = &params->group;
    ibk_limb s[IBK_FP_MAX], point[IBK_POINT_MAX];
    if (master->len != g->fq.octets || !in_range(master, g))
        return IBK_ERR_BAD_PARAMS;
    ibk_master_limbs(s, master, g);
    ibk_limb ok = ibk_curve_mul_secret(point, params->p, s, g); // no tables: a KMS checks once
    ok &= ibk_fp_equal(point, params->pub, &g->fp);
    ok &= ibk_fp_equal(point + g->fp.n, params->pub + g->fp.n, &g->fp);
    ibk_wipe(s, sizeof s);
    return ok != 0 ? IBK_OK : IBK_ERR_BAD_PARAMS;
}
