/* From a description to octets: IBE, KEMAC, V and SIGN, and the way back for what is encrypted. */
#include "peer/internal.h"
#include "peer/knob.h"

#include <string.h>

ibk_err px_draw_octets(peer *p, ibk_draw_label label, uint8_t *out, size_t len) {
    return px_random_draw(&p->random, (unsigned)label, out, len);
}

typedef struct scalar_draw {
    peer *p;
    ibk_draw_label label;
} scalar_draw;

static ibk_err draw_scalar(void *user, uint8_t *out, size_t len) {
    scalar_draw *s = user;
    return px_draw_octets(s->p, s->label, out, len);
}

ibk_err px_fresh_point(peer *p, ibk_draw_label label, uint8_t curve) {
    scalar_draw draw = {p, label};
    p->curve = curve;
    px_set(&p->own_before, px_span(&p->own));
    PX_TRY(px_scalar(curve, draw_scalar, &draw, &p->scalar));
    return px_multiply(curve, px_span(&p->scalar), NULL, &p->own);
}

/* ---- IBE ---------------------------------------------------------------------------------------------- */

static ibk_err seal_ibe(peer *p, px_part *part, ibk_span plain) {
    if (!part->domain)
        return IBK_ERR_NO_PARAMS;
    ibk_buf ciphertext = {0};
    ibk_err err = ibk_ibe_encrypt(&p->env, part->domain->params, px_span(&part->to), plain, &ciphertext);
    px_clear(&part->body);
    px_put16(&part->body, (unsigned)ciphertext.len);
    px_put_span(&part->body, ibk_buf_span(&ciphertext));
    ibk_buf_free(&ciphertext);
    return err ? err : part->body.err;
}

ibk_err px_open(peer *p, const px_part *part, const peer_domain *domain, ibk_span identity, px_octets *out) {
    px_cursor c = px_read(px_span(&part->body));
    ibk_span ciphertext = px_take(&c, px_take16(&c));
    ibk_ibe_key *key = NULL;
    if (!domain || !domain->master)
        return IBK_ERR_NO_KEY;
    (void)p;
    ibk_err err = ibk_ibe_extract(domain->params, domain->master, identity, &key);
    ibk_buf plain = {0};
    if (!err)
        err = ibk_ibe_decrypt(domain->params, key, ciphertext, &plain, NULL);
    if (!err)
        px_set(out, ibk_buf_span(&plain));
    ibk_buf_free(&plain);
    ibk_ibe_key_free(key);
    return err ? err : out->err;
}

/* ---- keys of a message -------------------------------------------------------------------------------- */

static ibk_err message_key(const px_recipe *r, uint32_t constant, uint8_t *key, size_t len) {
    ibk_span secret = px_span(&r->secret);
    uint8_t mpk[64];
    if (!r->direct) { /* RFC 6267 §5.1 */
        px_label of_mpk = {r->mpk_constant, r->mpk_cs_id, r->mpk_csb_id, px_span(&r->rand), r->prf_fault};
        PX_TRY(px_derive(r->prf, secret, of_mpk, mpk, r->mpk_len));
        secret = ibk_span_of(mpk, r->mpk_len);
    }
    px_label label = {constant, r->cs_id, r->csb_id, px_span(&r->rand), r->prf_fault}; /* RFC 3830 §4.1.4 */
    ibk_err err = px_derive(r->prf, secret, label, key, len);
    ibk_wipe(mpk, sizeof mpk);
    return err;
}

ibk_err px_mac(const px_recipe *r, uint8_t algorithm, px_covered over, uint8_t *mac) {
    bool sha_1 = algorithm == PX_MAC_SHA_1;
    uint8_t key[PX_MAC_LEN_MAX];
    size_t len = px_mac_len(algorithm), skip = r->mac_fault == PX_MAC_HEADLESS ? over.header : 0;
    PX_TRY(message_key(r, r->auth_constant, key, len));
    px_octets text = {0};
    px_put(&text, over.message.data + skip, over.message.len - skip);
    px_put_span(&text, over.identities);
    ibk_err err = text.err ? text.err
                           : px_hmac(sha_1 && r->mac_fault == PX_MAC_HASH ? PX_MAC_SHA_256 : algorithm,
                                     ibk_span_of(key, r->mac_fault == PX_MAC_SHORT_KEY ? 20 : len),
                                     px_span(&text), mac);
    px_free(&text);
    return err;
}

static ibk_err wrap_keys(const px_recipe *r, bool encrypt, ibk_span key, const uint8_t *salt,
                         px_octets *data) {
    static const uint8_t of_rfc_3394[8] = {0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6};
    ibk_buf out = {0};
    ibk_err err = px_aes_wrap(encrypt, key, r->kemac_fault == PX_KEMAC_DEFAULT_IV ? of_rfc_3394 : salt,
                              px_span(data), &out);
    if (!err)
        px_set(data, ibk_buf_span(&out));
    ibk_buf_free(&out);
    return err ? err : data->err;
}

/* IV = (salt XOR (0x0000 || CSB ID || T)) || 0x0000, RFC 3830 §4.2.3 */
static void make_iv(const px_recipe *r, const px_octets *t, uint8_t iv[16]) {
    uint8_t time[8];
    px_stamp_64(t, time, r->kemac_fault == PX_KEMAC_PADDED);
    size_t at = r->kemac_fault == PX_KEMAC_LEFT ? 0 : 2;
    for (unsigned i = 0; i < 4 && r->kemac_fault != PX_KEMAC_NO_CSB; i++)
        iv[at + i] ^= (uint8_t)(r->csb_id >> (24 - 8 * i));
    for (unsigned i = 0; i < 8; i++)
        iv[6 + i] ^= time[i];
}

ibk_err px_kemac_crypt(const px_recipe *r, bool encrypt, uint8_t algorithm, const px_octets *t,
                       px_octets *data) {
    uint8_t key[32], salt[16] = {0};
    bool wide = algorithm == PX_ENC_CM_256 && r->kemac_fault != PX_KEMAC_SHORT_KEY;
    size_t salt_len = algorithm == PX_ENC_KW_128 ? 8 : 14;
    if (algorithm == PX_ENC_NULL)
        return IBK_OK;
    if (algorithm > PX_ENC_CM_256)
        return IBK_ERR_UNSUPPORTED;
    PX_TRY(message_key(r, r->encr_constant, key, algorithm == PX_ENC_CM_256 ? 32 : 16));
    PX_TRY(message_key(r, r->salt_constant, salt, salt_len));
    if (algorithm == PX_ENC_KW_128)
        return wrap_keys(r, encrypt, ibk_span_of(key, 16), salt, data);
    make_iv(r, t, salt);
    return px_aes_cm(ibk_span_of(key, wide ? 32 : 16), salt, &data->buf);
}

static ibk_err seal_kemac(px_draft *d, px_part *part, px_octets *plain) {
    const px_part *t = px_find(&d->chain, PX_T, 0, NULL);
    if (!t)
        return IBK_ERR_INTERNAL;
    while (d->encryption == PX_ENC_KW_128 && px_span(plain).len % 8 != 0)
        px_put8(plain, 0); /* RFC 3394 takes whole blocks of 64 bits */
    PX_TRY(px_kemac_crypt(&d->recipe, true, d->encryption, &t->body, plain));
    px_clear(&part->body);
    px_put8(&part->body, d->encryption);
    px_put16(&part->body, (unsigned)px_span(plain).len);
    px_put_span(&part->body, px_span(plain));
    px_put8(&part->body, d->kemac_mac); /* NULL: V has a MAC (RFC 6267 §4.2.1.3) */
    return part->body.err;
}

ibk_err px_seal_part(peer *p, px_draft *d, px_part *part) {
    if (!part->inside)
        return IBK_OK;
    px_octets plain = {0};
    ibk_err err = px_chain_encode(part->inside, &plain);
    if (!err)
        err = part->type == PX_KEMAC ? seal_kemac(d, part, &plain) : seal_ibe(p, part, px_span(&plain));
    px_free(&plain);
    return err;
}

/* ---- V and SIGN ---------------------------------------------------------------------------------------- */

size_t px_header_len(const px_draft *d) {
    return 10 + px_span(&d->map).len;
}

size_t px_mac_offset(const px_draft *d, uint8_t type) {
    size_t at = px_header_len(d);
    for (size_t i = 0; i < d->chain.n; i++) {
        const px_part *part = &d->chain.parts[i];
        if (part->type == type)
            return at + 2; /* SIGN: type and length; V: next payload and algorithm */
        at += (part->type != PX_SIGN) + px_span(&part->body).len;
    }
    return 0;
}

static ibk_err put_mac(const px_draft *d, px_part *v) {
    uint8_t alg = px_span(&v->body).data[0], mac[PX_MAC_LEN_MAX];
    size_t len = px_mac_len(alg);
    if (len == 0 || len == SIZE_MAX)
        return IBK_OK;
    px_octets all = {0};
    ibk_err err = px_draft_encode(d, &all);
    px_covered over = {ibk_span_of(px_span(&all).data, px_mac_offset(d, PX_V)), px_header_len(d),
                       px_span(&d->covered)};
    err = err ? err : px_mac(&d->recipe, alg, over, mac);
    mac[len - 1] ^= d->flip;
    if (!err)
        px_put(&v->body, mac, len);
    px_free(&all);
    return err ? err : v->body.err;
}

static ibk_err put_signature(const peer *p, const px_draft *d, px_part *sign) {
    bool pss = px_span(&sign->body).data[0] >> 4 == 1;
    px_octets text = {0}, signature = {0};
    ibk_err err = px_draft_encode(d, &text);
    if (!err)
        err = ibk_buf_resize(&text.buf, px_mac_offset(d, PX_SIGN));
    px_put_span(&text, px_span(&d->covered));
    err = err ? err : text.err;
    if (!err)
        err = px_rsa_sign(p->c.pke->private_key, pss, px_span(&text), &signature);
    if (!err && px_span(&signature).len > 0)
        signature.buf.data[px_span(&signature).len - 1] ^= d->flip;
    px_put_span(&sign->body, px_span(&signature));
    px_free(&text);
    px_free(&signature);
    return err ? err : sign->body.err;
}

static ibk_err protect(const peer *p, px_draft *d) {
    px_part *v = px_find(&d->chain, PX_V, 0, NULL), *sign = px_find(&d->chain, PX_SIGN, 0, NULL);
    if (v && px_span(&v->body).len == 1)
        PX_TRY(put_mac(d, v));
    if (sign && px_span(&sign->body).len == 2)
        PX_TRY(put_signature(p, d, sign));
    return IBK_OK;
}

static ibk_err make(peer *p, px_draft *d, px_octets *out) {
    px_bend(p, d, PX_AT_CONTENT);
    for (size_t i = 0; i < d->chain.n; i++)
        PX_TRY(px_seal_part(p, d, &d->chain.parts[i]));
    px_bend(p, d, PX_AT_SEALED);
    PX_TRY(protect(p, d));
    px_bend(p, d, PX_AT_PROTECTED);
    PX_TRY(px_draft_encode(d, out));
    px_bend_octets(p, d, out);
    return out->err;
}

ibk_err px_send(peer *p, px_draft *d, ibk_buf *out) {
    if (!d)
        return IBK_ERR_NO_MEMORY;
    px_octets octets = {0};
    ibk_err err = make(p, d, &octets);
    if (!err)
        err = ibk_buf_append_span(out, px_span(&octets));
    px_free(&octets);
    px_draft_free(d);
    return err;
}
