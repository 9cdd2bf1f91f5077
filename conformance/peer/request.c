/* RFC 6267 §4.2.1: a key request and its answer, made and judged. */
#include "peer/internal.h"

#include <string.h>

void px_recipe_direct(const peer *p, px_recipe *r, ibk_span secret) {
    px_set(&r->secret, secret);
    px_set(&r->rand, px_span(&p->rand));
    r->direct = true;
    r->prf = p->prf;
    r->csb_id = p->csb_id;
}

/* ---- the user's request
 * ------------------------------------------------------------------------------------ */

static void put_id_body(px_chain *chain, uint8_t role, peer_id id) {
    px_idr(&px_add(chain, PX_IDR)->body, role, id);
}

static ibk_err put_envelope(peer *p, px_draft *d) {
    uint8_t key[32];
    const peer_pke *pke = p->c.pke;
    PX_TRY(px_draw_octets(p, IBK_DRAW_ENVELOPE, key, sizeof key));
    px_set(&p->envelope, ibk_span_of(key, sizeof key));
    if (pke->chash) {
        uint8_t hash[32];
        PX_TRY(px_digest("SHA256", pke->kms_certificate, hash));
        px_octets *body = &px_add(&d->chain, PX_CHASH)->body;
        px_put8(body, 2); /* SHA-256, RFC 6043 §6.7 */
        px_put(body, hash, sizeof hash);
    }
    px_octets data = {0};
    ibk_err err = px_rsa_encrypt(pke->kms_certificate, pke->envelope, px_span(&p->envelope), &data);
    px_octets *body = &px_add(&d->chain, PX_PKE)->body;
    px_put16(body, (unsigned)px_span(&data).len); /* C: no cache */
    px_put_span(body, px_span(&data));
    px_free(&data);
    unsigned type = pke->pss ? 1 : 0;
    px_put16(&px_add(&d->chain, PX_SIGN)->body, type << 12 | (unsigned)px_rsa_len(pke->private_key));
    return err;
}

static ibk_err fill_request(peer *p, px_draft *d) {
    px_put_span(&px_add(&d->chain, PX_T)->body, px_span(&p->t));
    px_octets *rand = &px_add(&d->chain, PX_RAND)->body;
    px_put8(rand, (unsigned)px_span(&p->rand).len);
    px_put_span(rand, px_span(&p->rand));
    for (size_t i = 0; i < p->c.n_asks; i++) {
        put_id_body(&d->chain, PX_ROLE_I, p->c.asks[i]);
        px_cover(d, p->c.asks[i].data); /* P-8 */
    }
    px_cover(d, p->c.other.data);
    for (size_t i = 0; p->c.pke && i < p->c.pke->n_chain; i++) {
        px_octets *body = &px_add(&d->chain, PX_CERT)->body;
        px_put8(body, 0); /* X.509v3 */
        px_put16(body, (unsigned)p->c.pke->chain[i].len);
        px_put_span(body, p->c.pke->chain[i]);
    }
    put_id_body(&d->chain, PX_ROLE_KMS, p->c.other);
    if (p->c.pke)
        return put_envelope(p, d);
    if (p->c.psk_id)
        put_id_body(&d->chain, PX_ROLE_PSK, *p->c.psk_id);
    px_recipe_direct(p, &d->recipe, p->c.psk);
    px_put8(&px_add(&d->chain, PX_V)->body, px_mac_of(p));
    return IBK_OK;
}

ibk_err px_make_request(peer *p, ibk_buf *out) {
    PX_TRY(px_begin_bundle(p));
    p->map_type = PX_MAP_EMPTY;
    PX_TRY(px_stamp_new(p, &p->t));
    px_draft *d = px_draft_begin(p, p->c.pke ? PX_QPKE : PX_QPSK);
    if (!d)
        return IBK_ERR_NO_MEMORY;
    ibk_err err = fill_request(p, d);
    if (!err)
        return px_send(p, d, out);
    px_draft_free(d);
    return err;
}

/* ---- the KMS's answer
 * --------------------------------------------------------------------------------------- */

ibk_span px_answer_secret(const peer *p) {
    return px_span(&p->envelope).len ? px_span(&p->envelope) : p->c.psk;
}

/* The IBE identity that an IDRi/r asks for (P-10): a byte string is one; another means the key of now. */
static ibk_err put_private_key(const peer *p, px_chain *chain, peer_id ask) {
    px_octets identity = {0};
    ibk_buf der = {0};
    ibk_ibe_key *key = NULL;
    const peer_domain *domain = px_domain_of(p, ask.data);
    if (ask.type == 2) /* its domain is that of the identity without its date */
        for (size_t cut = 6; !domain && cut <= 10 && cut < ask.data.len; cut += 2)
            domain = px_domain_of(p, ibk_span_of(ask.data.data, ask.data.len - cut));
    ibk_err err = domain && domain->master ? IBK_OK : IBK_ERR_NO_PARAMS;
    if (!err && ask.type == 2)
        px_put_span(&identity, ask.data);
    else if (!err)
        px_ibe_identity(&identity, ask.data, domain, p->c.utc_ms / 1000);
    if (!err)
        err = ibk_ibe_extract(domain->params, domain->master, px_span(&identity), &key);
    if (!err)
        err = ibk_ibe_key_encode(key, &der);
    put_id_body(chain, PX_ROLE_I, (peer_id){2, px_span(&identity)});
    px_octets *body = &px_add(chain, PX_KEY)->body;
    px_put8(body, 7 << 4); /* K_PR, RFC 6267 §6.1.3 */
    px_put16(body, (unsigned)der.len);
    px_put_span(body, ibk_buf_span(&der));
    ibk_ibe_key_free(key);
    ibk_buf_free(&der);
    px_free(&identity);
    return err ? err : body->err;
}

static ibk_err fill_response(peer *p, px_draft *d) {
    px_put_span(&px_add(&d->chain, PX_T)->body, px_span(&p->t));
    for (size_t i = 0; i < p->n_asked; i++) {
        px_put_span(&px_add(&d->chain, PX_IDR)->body, px_span(&p->asked[i]));
        px_cover(d, px_id_data(px_find(&d->chain, PX_IDR, -1, NULL)));
    }
    put_id_body(&d->chain, PX_ROLE_KMS, p->c.self);
    px_cover(d, px_span(&p->kms_data));
    px_recipe_direct(p, &d->recipe, px_answer_secret(p));
    d->encryption = p->c.encryption ? p->c.encryption : PX_ENC_CM_128;
    px_chain *keys = px_within(px_add(&d->chain, PX_KEMAC));
    if (!keys)
        return IBK_ERR_NO_MEMORY;
    for (size_t i = 0; i < p->n_asked; i++) {
        px_part ask = {.type = PX_IDR, .body = p->asked[i]};
        uint8_t role;
        peer_id id = {0};
        if (px_idr_read(&ask, &role, &id))
            PX_TRY(put_private_key(p, keys, id));
    }
    px_put8(&px_add(&d->chain, PX_V)->body, px_mac_of(p));
    return IBK_OK;
}

ibk_err px_make_response(peer *p, ibk_buf *out) {
    px_draft *d = px_draft_begin(p, PX_RESP);
    if (!d)
        return IBK_ERR_NO_MEMORY;
    ibk_err err = fill_response(p, d);
    if (!err)
        return px_send(p, d, out);
    px_draft_free(d);
    return err == IBK_ERR_NO_PARAMS ? IBK_OK : err; /* nobody whom we serve: no answer */
}

/* ---- the KMS judges
 * ------------------------------------------------------------------------------------------ */

static void keep_request(peer *p, const px_draft *d, px_octets *covered) {
    const px_part *rand = px_find(&d->chain, PX_RAND, 0, NULL);
    p->prf = d->v_prf & 0x7F;
    p->csb_id = p->result.csb_id = d->csb_id;
    p->n_cs = d->n_cs;
    p->map_type = d->map_type;
    px_set(&p->map, px_span(&d->map));
    px_clear(&p->rand);
    if (rand && px_span(&rand->body).len > 0)
        px_set(&p->rand, ibk_span_of(px_span(&rand->body).data + 1, px_span(&rand->body).len - 1));
    p->n_asked = 0;
    px_clear(&p->kms_data);
    for (size_t i = 0; i < d->chain.n; i++) {
        const px_part *part = &d->chain.parts[i];
        uint8_t role;
        peer_id id;
        if (!px_idr_read(part, &role, &id))
            continue;
        if ((role == PX_ROLE_I || role == PX_ROLE_R) && p->n_asked < sizeof p->asked / sizeof *p->asked) {
            px_set(&p->asked[p->n_asked++], px_span(&part->body));
            px_put_span(covered, id.data);
        } else if (role == PX_ROLE_KMS) {
            px_set(&p->kms_data, id.data);
        }
    }
    px_put_span(covered, px_span(&p->kms_data));
}

static bool judge_psk(peer *p, px_received m, const px_octets *covered) {
    px_recipe recipe = {.auth_constant = PX_LABEL_AUTH, .cs_id = 0xFF};
    px_recipe_direct(p, &recipe, p->c.psk);
    bool good = px_judge_v(p, m, &recipe, covered);
    px_free(&recipe.secret);
    px_free(&recipe.rand);
    return good;
}

bool px_sign_verifies(px_received m, const px_octets *covered, bool bare) {
    ibk_span sign = px_span(&px_find(&m.d->chain, PX_SIGN, 0, NULL)->body),
             cert = px_span(&px_find(&m.d->chain, PX_CERT, 0, NULL)->body);
    px_octets text = {0};
    px_put(&text, m.octets.data, px_mac_offset(m.d, PX_SIGN));
    px_put_span(&text, px_span(covered));
    ibk_span certificate = ibk_span_of(cert.data + 3, cert.len - 3),
             signature = ibk_span_of(sign.data + 2, sign.len - 2);
    bool pss = sign.data[0] >> 4 == 1;
    bool good = !text.err && (bare ? px_rsa_is_bare(certificate, px_span(&text), signature)
                                   : px_rsa_verify(certificate, pss, px_span(&text), signature));
    px_free(&text);
    return good;
}

static bool judge_sign(peer *p, px_received m, const px_octets *covered) {
    const px_part *sign = px_find(&m.d->chain, PX_SIGN, 0, NULL),
                  *cert = px_find(&m.d->chain, PX_CERT, 0, NULL);
    if (!cert)
        px_finding_should(p, "6267-13", "there is no certificate");
    if (!sign || !cert || px_span(&cert->body).len < 3)
        return false;
    ibk_span body = px_span(&sign->body), der = px_span(&cert->body);
    unsigned type = body.data[0] >> 4;
    if (type > 1 || der.data[0] > 3 || der.data[0] == 1) {
        px_finding_of(p, PX_RULE_PARSE, "the type of SIGN or CERT is unknown");
        return false;
    }
    bool good = px_sign_verifies(m, covered, false);
    if (!good) {
        px_explain_sign(p, m, covered);
        px_finding_of(p, PX_RULE_MAC, "SIGN does not verify");
    }
    return good;
}

static void judge_chash(peer *p, const px_draft *d) {
    const px_part *chash = px_find(&d->chain, PX_CHASH, 0, NULL);
    uint8_t hash[32];
    if (!chash)
        return;
    ibk_span body = px_span(&chash->body);
    const char *name = body.data[0] == 0 ? "SHA1" : body.data[0] == 2 ? "SHA256" : NULL;
    size_t len = body.data[0] == 0 ? 20 : 32;
    if (!name || px_digest(name, p->c.pke->kms_certificate, hash) ||
        !ibk_span_equal(ibk_span_of(hash, len), ibk_span_of(body.data + 1, body.len - 1)))
        px_finding(p, "3830-68", "CHASH names no certificate of the KMS");
}

static bool judge_envelope(peer *p, const px_draft *d) {
    const px_part *pke = px_find(&d->chain, PX_PKE, 0, NULL);
    px_clear(&p->envelope);
    if (!pke)
        return false;
    judge_chash(p, d);
    ibk_span body = px_span(&pke->body);
    if (body.data[0] >> 6 != 0)
        px_finding(p, "P-24", "C is not \"no cache\"");
    bool good = px_rsa_decrypt(p->c.pke->private_key, p->c.pke->envelope,
                               ibk_span_of(body.data + 2, body.len - 2), &p->envelope);
    if (!good)
        px_finding(p, p->c.pke->envelope ? "3830-20" : "3830-19", "the envelope does not open");
    size_t len = px_span(&p->envelope).len;
    if (good && (len < 16 || len > 32))
        px_finding(p, "P-24", "the envelope key has not 128 to 256 bits");
    return good;
}

bool px_judge_request(peer *p, px_received m, ibk_err *err) {
    px_octets covered = {0};
    bool pke = p->judging == PX_QPKE;
    keep_request(p, m.d, &covered);
    px_clear(&p->envelope);
    if (!px_is(&p->kms_data, p->c.self.data))
        px_finding(p, "6267-8", "IDRkms is missing, or not ours");
    if (p->n_asked == 0)
        px_finding(p, "P-10", "no IDRi/r asks for a key");
    bool good = p->n_asked > 0 && px_find(&m.d->chain, PX_T, 0, NULL) && (!pke || p->c.pke);
    good = good && (pke ? judge_sign(p, m, &covered) && judge_envelope(p, m.d) : judge_psk(p, m, &covered));
    *err = covered.err;
    px_free(&covered);
    return good && !*err;
}
