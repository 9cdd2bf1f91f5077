/* BFdecrypt (RFC 5091 §5.5.1). */
#include "ibe/objects.h"

static const char NAME[] = "BFCiphertextBlock";

/* U as a point of the curve with x != 0. That U has order q follows from the last check, U = [l]P. */
static ibk_err read_u(ibk_limb *u, const ibk_ibe_ciphertext *ct, const ibk_ibe_params *params,
                      ibk_diag *diag) {
    const ibk_group *g = &params->group;
    if (!ibk_fp_from(u, ct->ux.data, ct->ux.len, &g->fp) ||
        !ibk_fp_from(u + g->fp.n, ct->uy.data, ct->uy.len, &g->fp))
        return ibk_fail(diag, IBK_ERR_BAD_VALUE, NAME, ct->u_offset, "u: a coordinate is not below p");
    if (!ibk_guards(params->without, IBK_DEFENCE_U_IN_GROUP))
        return IBK_OK;
    if (!ibk_curve_on(u, g))
        return ibk_fail(diag, IBK_ERR_NOT_ON_CURVE, NAME, ct->u_offset, "u: not on y^2 = x^3 + 1");
    if (ibk_fp_is_zero(u, &g->fp) != 0)
        return ibk_fail(diag, IBK_ERR_BAD_ORDER, NAME, ct->u_offset, "u: a point of order 3");
    return IBK_OK;
}

/* Steps 2 to 5: rho = hash(Canonical(e'(U, S_id))) XOR V. */
static ibk_err recover_rho(uint8_t *rho, const ibk_limb *u, ibk_span v, const ibk_ibe_key *key,
                           ibk_hasher *h) {
    const ibk_group *g = &key->params->group;
    ibk_limb inverse_x[IBK_FP_MAX], image[IBK_POINT_MAX], theta[IBK_FP2_MAX];
    uint8_t z[2 * IBK_IBE_FIELD_MAX];
    const ibk_span none = {NULL, 0};
    ibk_fp_inv(inverse_x, u, &g->fp);
    ibk_pairing_image(image, u, inverse_x, g);
    ibk_lines_eval(theta, &key->lines, image, g);
    ibk_final_exp(theta, theta, g->cofactor, g->cofactor_bits, g);
    ibk_curve_to_octets(z, theta, g);
    ibk_err err = ibk_hasher_run(h, rho, ibk_span_of(z, 2 * g->fp.octets), none, none);
    for (size_t i = 0; i < h->len && err == IBK_OK; i++)
        rho[i] ^= v.data[i];
    ibk_wipe(z, sizeof z);
    ibk_wipe(theta, sizeof theta);
    return err;
}

/* Steps 7 to 9: U = [l]P. */
static ibk_err check_u(const ibk_limb *u, const uint8_t *rho, ibk_span m, const ibk_ibe_params *params,
                       ibk_hasher *h) {
    const ibk_group *g = &params->group;
    const ibk_tables *tables;
    ibk_limb l[IBK_FP_MAX], expected[IBK_POINT_MAX];
    ibk_err err = ibk_params_tables(params, &tables);
    if (err == IBK_OK)
        err = ibk_session_scalar(l, h, rho, m, g);
    if (err != IBK_OK)
        return err;
    ibk_fp_to_limbs(l, l, &g->fq);
    ibk_limb same = ibk_comb_mul(expected, &tables->comb, l, g);
    same &= ibk_fp_equal(u, expected, &g->fp) & ibk_fp_equal(u + g->fp.n, expected + g->fp.n, &g->fp);
    ibk_wipe(l, g->fq.n * sizeof *l);
    ibk_wipe(expected, sizeof expected);
    return same != 0 ? IBK_OK : IBK_ERR_DECRYPT;
}

ibk_err ibk_ibe_decrypt(const ibk_ibe_params *params, const ibk_ibe_key *key, ibk_span ciphertext,
                        ibk_buf *plaintext, ibk_diag *diag) {
    ibk_ibe_ciphertext ct;
    ibk_limb u[IBK_POINT_MAX];
    uint8_t rho[IBK_IBE_HASH_MAX];
    size_t from = plaintext->len;
    ibk_hasher h;
    if (!ibk_ibe_params_equal(params, key->params))
        return ibk_fail(diag, IBK_ERR_USAGE, NAME, 0, "the key belongs to other parameters");
    ibk_err err = ibk_ibe_ciphertext_parse(&ct, ciphertext, diag);
    if (err == IBK_OK)
        err = read_u(u, &ct, params, diag);
    if (err != IBK_OK)
        return err;
    if (ct.v.len != ibk_ibe_hash_len(params->size->hash))
        return ibk_fail(diag, IBK_ERR_DER_STRUCTURE, NAME, ct.v_offset, "v: %zu octets, the hash has %zu",
                        ct.v.len, ibk_ibe_hash_len(params->size->hash));
    err = ibk_hasher_init(&h, params->size->hash);
    if (err == IBK_OK)
        err = recover_rho(rho, u, ct.v, key, &h);
    if (err == IBK_OK)
        err = ibk_buf_resize(plaintext, from + ct.w.len);
    if (err == IBK_OK) {
        uint8_t *room = ct.w.len != 0 ? plaintext->data + from : NULL; /* an empty buffer has no storage */
        ibk_span m = {room, ct.w.len};
        err = ibk_hash_bytes_xor(&h, room, ct.w.data, ct.w.len, ibk_span_of(rho, h.len));
        if (err == IBK_OK && ibk_guards(params->without, IBK_DEFENCE_IBE_INTEGRITY))
            err = check_u(u, rho, m, params, &h);
        if (err != IBK_OK)
            ibk_buf_resize(plaintext, from); // wipes what it cuts off; cannot fail
    }
    ibk_hasher_free(&h);
    ibk_wipe(rho, sizeof rho);
    if (err != IBK_OK)
        return ibk_fail(diag, err, NAME, 0, "%s", ibk_err_text(err));
    return IBK_OK;
}
