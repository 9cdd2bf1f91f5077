/* BFencrypt (RFC 5091 §5.4.1) for an identity and for a peer whose theta is kept. */
#include "ibe/der.h"
#include "ibe/objects.h"

#include <stdlib.h>
#include <string.h>

/* e = 12 r * k, plain limbs; cofactor_limbs + fq.n of them. Constant time in k. */
static void exponent_product(ibk_limb *e, const ibk_limb *k, const ibk_group *g) {
    size_t n = g->fq.n;
    memset(e, 0, (g->cofactor_limbs + n) * sizeof *e);
    for (size_t i = 0; i < g->cofactor_limbs; i++) {
        ibk_limb carry = 0;
        for (size_t j = 0; j < n; j++) {
            unsigned __int128 t = (unsigned __int128)g->cofactor[i] * k[j] + e[i + j] + carry;
            e[i + j] = (ibk_limb)t;
            carry = (ibk_limb)(t >> 64);
        }
        e[i + n] = carry;
    }
}

/* With Q_id = [12 r]Q': e'(P_pub, Q_id)^k = e'(P_pub, Q')^(12 r k), and e'(P_pub, Q') = f^((p-1) 12 r) from
 * the lines of half of P_pub: one exponentiation of u = f^(p-1) to 12 r (12 r k mod q). */
ibk_err ibk_identity_theta(ibk_limb *theta, const ibk_ibe_params *params, ibk_hasher *h, ibk_span identity,
                           const ibk_limb *k) {
    const ibk_group *g = &params->group;
    const ibk_tables *tables;
    ibk_limb point[IBK_POINT_MAX], inverse_x[IBK_FP_MAX], image[IBK_POINT_MAX];
    ibk_limb scalar[IBK_FP_MAX], e[2 * IBK_FP_MAX];
    ibk_err err = ibk_params_tables(params, &tables);
    if (err == IBK_OK)
        err = ibk_identity_point(point, inverse_x, h, identity, g);
    if (err != IBK_OK)
        return err;
    ibk_pairing_image(image, point, inverse_x, g);
    ibk_lines_eval(theta, &tables->pub, image, g);
    ibk_fp_copy(scalar, g->cofactor_q, &g->fq);
    if (k != NULL)
        ibk_fp_mul(scalar, scalar, k, &g->fq);
    ibk_fp_to_limbs(scalar, scalar, &g->fq);
    exponent_product(e, scalar, g);
    ibk_final_exp(theta, theta, e, g->cofactor_bits + g->fq.bits, g);
    ibk_wipe(scalar, g->fq.n * sizeof *scalar);
    ibk_wipe(e, (g->cofactor_limbs + g->fq.n) * sizeof *e);
    // theta = 1 would be no secret: the identity's point has an order that q does not divide
    bool is_one = ibk_fp2_is_one(theta, &g->fp);
    return is_one && ibk_guards(params->without, IBK_DEFENCE_PARAMETERS_CHECK) ? IBK_ERR_INFINITY : IBK_OK;
}

ibk_err ibk_session_scalar(ibk_limb *l, ibk_hasher *h, const uint8_t *rho, ibk_span m, const ibk_group *g) {
    uint8_t t[IBK_IBE_HASH_MAX], octets[2 * IBK_IBE_HASH_MAX];
    const ibk_span none = {NULL, 0};
    ibk_err err = ibk_hasher_run(h, t, m, none, none);
    if (err == IBK_OK)
        err = ibk_hash_range_octets(h, octets, ibk_span_of(rho, h->len), ibk_span_of(t, h->len));
    if (err == IBK_OK)
        ibk_fp_from_wide(l, octets, 2 * h->len, &g->fq);
    ibk_wipe(t, sizeof t);
    ibk_wipe(octets, sizeof octets);
    return err;
}

typedef struct session {
    uint8_t rho[IBK_IBE_HASH_MAX];
    ibk_limb l[IBK_FP_MAX]; /* fq's Montgomery form */
    ibk_limb u[IBK_POINT_MAX];
} session;

#define DRAWS 4 /* l = 0 once has probability 1/q: a source that repeats it is broken */

/* Steps 3 to 6. U cannot be infinity, which FpPoint does not encode: another rho then. */
static ibk_err draw_session(session *s, const ibk_env *env, const ibk_ibe_params *params, ibk_hasher *h,
                            ibk_span m) {
    const ibk_group *g = &params->group;
    const ibk_tables *tables;
    ibk_limb plain[IBK_FP_MAX];
    ibk_err err = ibk_params_tables(params, &tables);
    for (int i = 0; i < DRAWS && err == IBK_OK; i++) {
        err = env->draw(env->user, IBK_DRAW_RHO, s->rho, h->len);
        if (err == IBK_OK)
            err = ibk_session_scalar(s->l, h, s->rho, m, g);
        if (err != IBK_OK)
            return err;
        ibk_fp_to_limbs(plain, s->l, &g->fq);
        ibk_limb finite = ibk_comb_mul(s->u, &tables->comb, plain, g);
        ibk_wipe(plain, g->fq.n * sizeof *plain);
        if (finite != 0)
            return IBK_OK;
    }
    return err != IBK_OK ? err : IBK_ERR_RANDOM;
}

/* Steps 9 to 13, DER. */
static ibk_err seal(ibk_buf *out, const session *s, const ibk_limb *theta, ibk_hasher *h, ibk_span m,
                    const ibk_group *g) {
    uint8_t z[2 * IBK_IBE_FIELD_MAX], u[2 * IBK_IBE_FIELD_MAX], v[IBK_IBE_HASH_MAX];
    size_t len = g->fp.octets, from = out->len;
    const ibk_span none = {NULL, 0};
    ibk_buf w = {NULL, 0, 0};
    ibk_curve_to_octets(z, theta, g); // Canonical with order 0
    ibk_curve_to_octets(u, s->u, g);
    ibk_err err = ibk_hasher_run(h, v, ibk_span_of(z, 2 * len), none, none);
    for (size_t i = 0; i < h->len && err == IBK_OK; i++)
        v[i] ^= s->rho[i];
    if (err == IBK_OK)
        err = ibk_buf_resize(&w, m.len);
    if (err == IBK_OK)
        err = ibk_hash_bytes_xor(h, w.data, m.data, m.len, ibk_span_of(s->rho, h->len));
    ibk_ibe_ciphertext parts = {.ux = ibk_span_of(u, len), .uy = ibk_span_of(u + len, len)};
    parts.v = ibk_span_of(v, h->len);
    parts.w = ibk_buf_span(&w);
    if (err == IBK_OK)
        err = ibk_ibe_ciphertext_encode(&parts, out);
    if (err != IBK_OK)
        ibk_buf_resize(out, from); // shrinks: cannot fail
    ibk_wipe(z, sizeof z);
    ibk_buf_free(&w);
    return err;
}

/* peer NULL: theta' from the identity. */
static ibk_err encrypt(const ibk_env *env, const ibk_ibe_params *params, const ibk_ibe_peer *peer,
                       ibk_span identity, ibk_span m, ibk_buf *out) {
    const ibk_group *g = &params->group;
    ibk_limb theta[IBK_FP2_MAX], plain[IBK_FP_MAX];
    session s;
    ibk_hasher h;
    if (m.len > IBK_IBE_PLAINTEXT_MAX)
        return IBK_ERR_LIMIT;
    ibk_err err = ibk_hasher_init(&h, params->size->hash);
    if (err == IBK_OK)
        err = draw_session(&s, env, params, &h, m);
    if (err == IBK_OK && peer == NULL)
        err = ibk_identity_theta(theta, params, &h, identity, s.l);
    if (err == IBK_OK && peer != NULL) {
        ibk_fp_to_limbs(plain, s.l, &g->fq);
        ibk_gt_pow(theta, peer->theta, plain, g->fq.bits, g);
        ibk_wipe(plain, sizeof plain);
    }
    if (err == IBK_OK)
        err = seal(out, &s, theta, &h, m, g);
    ibk_hasher_free(&h);
    ibk_wipe(theta, sizeof theta);
    ibk_wipe(&s, sizeof s);
    return err;
}

ibk_err ibk_ibe_encrypt(const ibk_env *env, const ibk_ibe_params *params, ibk_span identity,
                        ibk_span plaintext, ibk_buf *out) {
    return encrypt(env, params, NULL, identity, plaintext, out);
}

ibk_err ibk_ibe_peer_new(ibk_ibe_peer **peer, const ibk_ibe_params *params, ibk_span identity) {
    ibk_hasher h;
    *peer = NULL;
    ibk_ibe_peer *made = calloc(1, sizeof *made);
    if (made == NULL)
        return IBK_ERR_NO_MEMORY;
    made->params = ibk_params_share(params);
    ibk_err err = ibk_hasher_init(&h, params->size->hash);
    if (err == IBK_OK)
        err = ibk_identity_theta(made->theta, params, &h, identity, NULL);
    ibk_hasher_free(&h);
    if (err != IBK_OK) {
        ibk_ibe_peer_free(made);
        return err;
    }
    *peer = made;
    return IBK_OK;
}

void ibk_ibe_peer_free(ibk_ibe_peer *peer) {
    if (peer == NULL)
        return;
    ibk_ibe_params_free(peer->params);
    free(peer);
}

ibk_err ibk_ibe_peer_encrypt(const ibk_env *env, const ibk_ibe_peer *peer, ibk_span plaintext, ibk_buf *out) {
    return encrypt(env, peer->params, peer, (ibk_span){NULL, 0}, plaintext, out);
}
