/* RFC 6267 §4.2.1.4: the user judges REQUEST_KEY_RESP and takes its keys. */
#include "peer/internal.h"

#include <string.h>

/* Behind the content of AES key wrap stand zeros up to a block of 64 bits; the content itself may end in
 * some. */
static ibk_span without_padding(ibk_span plain, ibk_err *err) {
    for (size_t n = 0; n < 8 && n < plain.len; n++) {
        px_chain keys = {0};
        bool whole = px_read_chain(&px_reader_quiet, ibk_span_of(plain.data, plain.len - n), PX_IDR, "P-4",
                                   &keys, err);
        px_chain_free(&keys);
        if (whole)
            return ibk_span_of(plain.data, plain.len - n);
        if (plain.data[plain.len - n - 1] != 0)
            break;
    }
    return plain;
}

bool px_kemac_reads(uint8_t algorithm, ibk_span plain) {
    px_chain keys = {0};
    ibk_err err = IBK_OK;
    if (algorithm == PX_ENC_KW_128)
        plain = without_padding(plain, &err);
    bool whole = px_read_chain(&px_reader_quiet, plain, PX_IDR, "P-4", &keys, &err);
    px_chain_free(&keys);
    return whole;
}

/* KEMAC's content, decrypted. False: not possible (noted). */
static bool open_kemac(peer *p, px_received m, px_octets *plain) {
    const px_part *kemac = px_find(&m.d->chain, PX_KEMAC, 0, NULL);
    px_recipe recipe = {.encr_constant = PX_LABEL_ENCR, .salt_constant = PX_LABEL_SALT, .cs_id = 0xFF};
    px_cursor c = px_read(px_span(&kemac->body));
    uint8_t algorithm = px_take8(&c);
    px_put_span(plain, px_take(&c, px_take16(&c)));
    if (px_take8(&c) != PX_MAC_NULL)
        px_finding_should(p, "6267-22", "KEMAC has a MAC of its own");
    if (algorithm == PX_ENC_NULL) {
        px_finding(p, "3830-13", "private keys are not encrypted");
        return true;
    }
    px_recipe_direct(p, &recipe, px_answer_secret(p));
    ibk_err err = px_kemac_crypt(&recipe, false, algorithm, &p->t, plain);
    px_free(&recipe.secret);
    px_free(&recipe.rand);
    if (err || (px_span(plain).len > 0 && !px_kemac_reads(algorithm, px_span(plain))))
        px_explain_kemac(p, m);
    if (err)
        px_finding(p, "6267-23", "KEMAC does not open, or its algorithm is unknown");
    return !err;
}

/* Whether the IBE identity is what was asked for: itself, or that of a user with a date behind it. */
static bool answers(const peer_id *ask, ibk_span identity) {
    ibk_span data = ask->data;
    return ask->type == 2 ? ibk_span_equal(data, identity)
                          : identity.len > data.len && memcmp(identity.data, data.data, data.len) == 0;
}

static bool asked_for(const peer *p, ibk_span identity) {
    for (size_t i = 0; i < p->c.n_asks; i++)
        if (answers(&p->c.asks[i], identity))
            return true;
    return false;
}

/* Whoever asked has got a key. */
static void judge_served(peer *p) {
    for (size_t i = 0; i < p->c.n_asks; i++) {
        bool served = false;
        for (size_t k = 0; k < p->n_private; k++)
            served |= answers(&p->c.asks[i], px_span(&p->private_keys[k].identity));
        if (!served)
            px_finding(p, "6267-90", "an identity that asked has no private key");
    }
}

static const peer_domain *domain_of_ibe(const peer *p, ibk_span identity) {
    const peer_domain *domain = NULL;
    for (size_t cut = 6; !domain && cut <= 10 && cut < identity.len; cut += 2)
        domain = px_domain_of(p, ibk_span_of(identity.data, identity.len - cut));
    return domain;
}

static void take_key(peer *p, const px_part *idr, const px_part *key) {
    uint8_t role;
    peer_id id = {0};
    px_cursor c = px_read(px_span(&key->body));
    bool right = px_take8(&c) >> 4 == 7;
    ibk_span der = px_take(&c, px_take16(&c));
    if (!px_idr_read(idr, &role, &id) || id.type != 2 || !right) {
        px_finding(p, "P-10", "a key does not stand as IDR with an IBE identity and Key data of type 7");
        return;
    }
    if (!asked_for(p, id.data))
        px_finding(p, "P-10", "a key is for an identity that was not asked for");
    const peer_domain *domain = domain_of_ibe(p, id.data);
    ibk_ibe_key *parsed = NULL;
    ibk_err why = domain ? ibk_ibe_key_parse(&parsed, domain->params, der, NULL) : IBK_ERR_NO_PARAMS;
    if (!why)
        why = ibk_ibe_key_verify(domain->params, parsed, id.data);
    ibk_ibe_key_free(parsed);
    if (why)
        px_finding(p, "P-10", "a private key is none of its identity");
    if (why || p->n_private == PX_KEYS_MAX)
        return;
    px_put_span(&p->private_keys[p->n_private].identity, id.data);
    px_put_span(&p->private_keys[p->n_private++].der, der);
}

static void judge_content(peer *p, const px_part *kemac, ibk_span plain, ibk_err *err) {
    px_reader reader = px_reader_of(p);
    px_chain keys = {0};
    if (px_span(&kemac->body).data[0] == PX_ENC_KW_128)
        plain = without_padding(plain, err);
    if (plain.len == 0)
        px_finding(p, "6267-90", "KEMAC is empty");
    if (px_read_chain(&reader, plain, PX_IDR, "P-4", &keys, err)) {
        if (px_count(&keys, PX_KEY) == 0)
            px_finding(p, "6267-90", "there is no private key");
        for (size_t i = 0; i < keys.n; i += 2) {
            bool pair = i + 1 < keys.n && keys.parts[i].type == PX_IDR && keys.parts[i + 1].type == PX_KEY;
            if (pair)
                take_key(p, &keys.parts[i], &keys.parts[i + 1]);
            else
                px_finding(p, "P-10", "KEMAC holds something else than pairs of IDR and Key data");
        }
        judge_served(p);
    }
    px_chain_free(&keys);
}

static bool judge_v(peer *p, px_received m) {
    px_recipe recipe = {.auth_constant = PX_LABEL_AUTH, .cs_id = 0xFF};
    px_octets covered = {0};
    px_recipe_direct(p, &recipe, px_answer_secret(p));
    for (size_t i = 0; i < p->c.n_asks; i++)
        px_put_span(&covered, p->c.asks[i].data);
    px_put_span(&covered, p->c.other.data);
    bool good = px_judge_v(p, m, &recipe, &covered);
    px_free(&covered);
    px_free(&recipe.secret);
    px_free(&recipe.rand);
    return good;
}

static void judge_ids(peer *p, const px_draft *d) {
    size_t users = 0;
    for (size_t i = 0; i < d->chain.n; i++) {
        uint8_t role;
        peer_id id;
        if (!px_idr_read(&d->chain.parts[i], &role, &id))
            continue;
        if (role == PX_ROLE_KMS && !ibk_span_equal(id.data, p->c.other.data))
            px_finding_of(p, PX_RULE_IDS, "IDRkms is not the KMS that was asked");
        if (role == PX_ROLE_I && (users >= p->c.n_asks || !ibk_span_equal(id.data, p->c.asks[users].data)))
            px_finding_of(p, PX_RULE_IDS, "the users are not those of the request");
        users += role == PX_ROLE_I;
    }
}

bool px_judge_response(peer *p, px_received m, ibk_err *err) {
    const px_part *kemac = px_find(&m.d->chain, PX_KEMAC, 0, NULL);
    px_octets plain = {0};
    judge_ids(p, m.d);
    bool good = judge_v(p, m) && kemac;
    if (good && open_kemac(p, m, &plain))
        judge_content(p, kemac, px_span(&plain), err);
    px_free(&plain);
    return good && p->n_private > 0 && !*err;
}
