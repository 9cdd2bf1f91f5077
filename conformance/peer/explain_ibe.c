/* Which mistake explains an IBE payload that does not open: another date, another identity, or HashBytes by
 * another rule than RFC 5091 §4.2.1. */
#include "peer/internal.h"

#include <string.h>

/* ---- for whom it is ---- */

/* Whether it is for this ID data, with the date of a moment in the form of `granularity`, or without a date.
 */
static bool is_for(peer *p, const px_part *part, ibk_span id_data, const peer_granularity *granularity,
                   uint64_t seconds) {
    const peer_domain *domain = px_domain_of(p, id_data);
    if (!domain)
        return false;
    peer_domain dated = *domain;
    px_octets identity = {0}, plain = {0};
    if (granularity) {
        dated.granularity = *granularity;
        px_ibe_identity(&identity, id_data, &dated, seconds);
    } else {
        px_put_span(&identity, id_data);
    }
    bool is = !identity.err && px_open(p, part, domain, px_span(&identity), &plain) == IBK_OK;
    px_free(&identity);
    px_free(&plain);
    return is;
}

static const char *wrong_date(peer *p, const px_part *part, ibk_span id_data, peer_granularity right) {
    enum { HOUR = 3600, DAY = 24 * HOUR };
    uint64_t now = px_stamp_seconds(p, &p->t);
    if (is_for(p, part, id_data, &right, now - DAY) || is_for(p, part, id_data, &right, now + DAY))
        return "an IBE identity has the date of another day";
    for (uint64_t away = HOUR; right == PEER_HOUR && away <= 14 * HOUR; away += HOUR) /* as time zones are */
        if (is_for(p, part, id_data, &right, now - away) || is_for(p, part, id_data, &right, now + away))
            return "an IBE identity has the date of another hour";
    if (is_for(p, part, id_data, NULL, now))
        return "an IBE identity has no date";
    for (peer_granularity other = PEER_DAY; other <= PEER_MONTH; other++)
        if (is_for(p, part, id_data, &other, now))
            return "the date of an IBE identity is of another granularity";
    return NULL;
}

/* ---- HashBytes ---- */

/* K = hash(p), h_0 = 0, h_i = hash(h_(i-1)), r_i = hash(h_i || K), where nobody errs. */
ibk_err px_hash_bytes(px_hash_fault fault, ibk_ibe_hash hash, ibk_span p, uint8_t *out, size_t len) {
    uint8_t text[2 * IBK_IBE_HASH_MAX], key[IBK_IBE_HASH_MAX], h[IBK_IBE_HASH_MAX] = {0}, r[IBK_IBE_HASH_MAX];
    size_t n = ibk_ibe_hash_len(hash);
    bool key_first = fault == PX_HASH_KEY_FIRST;
    PX_TRY(ibk_ibe_digest(hash, p, key));
    for (size_t at = 0; at < len; at += n) {
        if (at == 0 || fault != PX_HASH_REPEATED)
            PX_TRY(ibk_ibe_digest(hash, ibk_span_of(h, n), h));
        memcpy(text, key_first ? key : h, n);
        memcpy(text + n, key_first ? h : key, n);
        PX_TRY(ibk_ibe_digest(hash, ibk_span_of(text, 2 * n), r));
        memcpy(out + at, r, len - at < n ? len - at : n);
    }
    return IBK_OK;
}

static void put_padded(uint8_t *out, size_t len, ibk_span number) {
    memset(out, 0, len);
    if (number.len <= len)
        memcpy(out + len - number.len, number.data, number.len);
}

/* rho = hash(Canonical(e'(S, U))) XOR V, RFC 5091 §5.5.1. */
static ibk_err recover_rho(const peer_domain *domain, ibk_span identity, const ibk_ibe_ciphertext *ct,
                           uint8_t *rho) {
    uint8_t own[2 * IBK_IBE_FIELD_MAX], u[2 * IBK_IBE_FIELD_MAX], z[2 * IBK_IBE_FIELD_MAX];
    size_t field = ibk_ibe_params_field_len(domain->params);
    ibk_ibe_hash hash = ibk_ibe_params_hash(domain->params);
    ibk_ibe_key *key = NULL;
    put_padded(u, field, ct->ux);
    put_padded(u + field, field, ct->uy);
    ibk_err err = ct->v.len == ibk_ibe_hash_len(hash) ? IBK_OK : IBK_ERR_DECRYPT;
    err = err ? err : ibk_ibe_point_check(domain->params, u);
    err = err ? err : ibk_ibe_extract(domain->params, domain->master, identity, &key);
    err = err ? err : ibk_ibe_key_point(key, own);
    err = err ? err : ibk_ibe_pairing(domain->params, own, u, z);
    err = err ? err : ibk_ibe_digest(hash, ibk_span_of(z, 2 * field), rho);
    for (size_t i = 0; !err && i < ct->v.len; i++)
        rho[i] ^= ct->v.data[i];
    ibk_ibe_key_free(key);
    return err;
}

/* Whether W is a chain of payloads for somebody who errs so. */
static bool is_hashed(px_hash_fault fault, ibk_ibe_hash hash, ibk_span rho, ibk_span w) {
    ibk_buf plain = {0};
    if (ibk_buf_resize(&plain, w.len) || px_hash_bytes(fault, hash, rho, plain.data, w.len)) {
        ibk_buf_free(&plain);
        return false;
    }
    for (size_t i = 0; i < w.len; i++)
        plain.data[i] ^= w.data[i];
    px_chain chain = {0};
    ibk_err err = IBK_OK;
    bool whole = px_read_chain(&px_reader_quiet, ibk_buf_span(&plain), PX_IDR, NULL, &chain, &err);
    px_chain_free(&chain);
    ibk_buf_free(&plain);
    return whole;
}

static const char *wrong_hash(peer *p, const px_part *part, const px_name *own, const peer_domain *domain) {
    static const char *const texts[] = {[PX_HASH_REPEATED] =
                                            "HashBytes gives one output of the hash again and again",
                                        [PX_HASH_KEY_FIRST] = "in HashBytes K stands in front of h_i"};
    uint8_t rho[IBK_IBE_HASH_MAX];
    ibk_ibe_ciphertext ct;
    px_octets identity = {0};
    px_cursor c = px_read(px_span(&part->body));
    ibk_ibe_hash hash = ibk_ibe_params_hash(domain->params);
    px_ibe_identity(&identity, px_span(&own->data), domain, px_stamp_seconds(p, &p->t));
    bool known = domain->master && !identity.err &&
                 !ibk_ibe_ciphertext_parse(&ct, px_take(&c, px_take16(&c)), NULL) &&
                 !recover_rho(domain, px_span(&identity), &ct, rho);
    px_free(&identity);
    for (px_hash_fault fault = PX_HASH_REPEATED; known && fault <= PX_HASH_KEY_FIRST; fault++)
        if (is_hashed(fault, hash, ibk_span_of(rho, ct.v.len), ct.w))
            return texts[fault];
    return NULL;
}

bool px_explain_sealed(peer *p, const px_part *part, const px_name *own) {
    const px_name *others[] = {&p->idi, &p->idr, &p->called};
    const peer_domain *domain = px_domain_of(p, px_span(&own->data));
    if (!domain)
        return false;
    const char *text = wrong_date(p, part, px_span(&own->data), domain->granularity);
    if (text) {
        px_finding(p, "P-9", text);
        return true;
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!px_is(&own->data, px_span(&others[i]->data)) &&
            is_for(p, part, px_span(&others[i]->data), &domain->granularity, px_stamp_seconds(p, &p->t))) {
            px_finding_of(p, PX_RULE_TO, "a payload is encrypted to another identity than it has to be");
            return true;
        }
    text = wrong_hash(p, part, own, domain);
    if (text)
        px_finding(p, "P-1", text);
    return text != NULL;
}
