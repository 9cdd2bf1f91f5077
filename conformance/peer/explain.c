/* Which mistake explains what is wrong. A MAC, a TEK or a KEMAC that is not what it has to be says nothing of
 * why; but the mistakes that implementers make are few, and each leaves octets of its own. */
#include "peer/knob.h"

#include <stdlib.h>

/* ---- V ---- */

static void copy_recipe(px_recipe *to, const px_recipe *from) {
    *to = *from;
    to->secret = to->rand = (px_octets){0};
    px_set(&to->secret, px_span(&from->secret));
    px_set(&to->rand, px_span(&from->rand));
}

/* Whether the message has the V that somebody makes who errs as the knob does. */
static bool is_v_of(peer *p, px_received m, const px_knob *knob, const px_recipe *recipe,
                    const px_octets *covered) {
    px_draft erring = *m.d; /* its chain is only looked at */
    copy_recipe(&erring.recipe, recipe);
    erring.covered = (px_octets){0};
    px_set(&erring.covered, px_span(covered));
    bool is = knob->bend(p, &erring, knob, NULL) && px_v_verifies(m, &erring.recipe, &erring.covered);
    px_free(&erring.recipe.secret);
    px_free(&erring.recipe.rand);
    px_free(&erring.covered);
    return is;
}

static bool is_zero(ibk_span octets) {
    uint8_t any = 0;
    for (size_t i = 0; i < octets.len; i++)
        any |= octets.data[i];
    return any == 0;
}

void px_explain_v(peer *p, px_received m, const px_recipe *recipe, const px_octets *covered) {
    ibk_span v = px_span(&px_find(&m.d->chain, PX_V, -1, NULL)->body);
    if (is_zero(ibk_span_of(v.data + 1, v.len - 1))) {
        const char *rule = p->judging == PX_RESP ? "6267-24" : px_rule_of(p->judging, PX_RULE_MAC);
        px_finding(p, rule, "the MAC of V is all zeros, as before it is computed");
        return;
    }
    for (size_t i = 0; i < px_knobs_mac.n; i++) {
        const px_knob *knob = &px_knobs_mac.knobs[i];
        if (!px_knob_of_keys(knob) || !(knob->kinds & PX_OF(p->judging)) ||
            !is_v_of(p, m, knob, recipe, covered))
            continue;
        px_finding(p, peer_prf_rule(px_knob_rule(knob, p->judging), recipe->prf), knob->text);
        return;
    }
}

/* ---- SIGN ---- */

/* Whether SIGN is right for somebody who covers what the knob does. */
static bool is_sign_over(peer *p, px_received m, const px_knob *knob, const px_octets *covered) {
    px_draft erring = *m.d;
    erring.covered = (px_octets){0};
    px_set(&erring.covered, px_span(covered));
    bool is = knob->bend(p, &erring, knob, NULL) && px_sign_verifies(m, &erring.covered, false);
    px_free(&erring.covered);
    return is;
}

void px_explain_sign(peer *p, px_received m, const px_octets *covered) {
    if (px_sign_verifies(m, covered, true)) {
        px_finding(p, "3830-21", "SIGN is over the digest alone, without the name of its hash");
        return;
    }
    for (size_t i = 0; i < px_knobs_mac.n; i++) {
        const px_knob *knob = &px_knobs_mac.knobs[i];
        if (!px_knob_of_keys(knob) || !(knob->kinds & PX_OF(p->judging)) ||
            !is_sign_over(p, m, knob, covered))
            continue;
        px_finding(p, px_knob_rule(knob, p->judging), knob->text);
        return;
    }
}

/* ---- KEMAC ---- */

/* Whether the content can be read by somebody who encrypts as the knob does. */
static bool is_kemac_of(peer *p, px_received m, const px_knob *knob) {
    px_draft erring = *m.d;
    ibk_span body = px_span(&px_find(&m.d->chain, PX_KEMAC, 0, NULL)->body);
    px_cursor c = px_read(body);
    px_octets plain = {0};
    erring.encryption = px_take8(&c);
    px_put_span(&plain, px_take(&c, px_take16(&c)));
    erring.recipe =
        (px_recipe){.encr_constant = PX_LABEL_ENCR, .salt_constant = PX_LABEL_SALT, .cs_id = 0xFF};
    px_recipe_direct(p, &erring.recipe, px_answer_secret(p));
    bool is = knob->bend(p, &erring, knob, NULL) &&
              !px_kemac_crypt(&erring.recipe, false, erring.encryption, &p->t, &plain) &&
              px_kemac_reads(erring.encryption, px_span(&plain));
    px_free(&erring.recipe.secret);
    px_free(&erring.recipe.rand);
    px_free(&plain);
    return is;
}

void px_explain_kemac(peer *p, px_received m) {
    for (size_t i = 0; i < px_knobs_key.n; i++) {
        const px_knob *knob = &px_knobs_key.knobs[i];
        if (!px_knob_of_kemac(knob) || !is_kemac_of(p, m, knob))
            continue;
        px_finding(p, px_knob_rule(knob, p->judging), knob->text);
        return;
    }
}

/* ---- T ---- */

void px_explain_time(peer *p, const px_part *t, int64_t skew) {
    ibk_span body = px_span(&t->body);
    const uint32_t now = (uint32_t)(p->c.utc_ms / 1000);
    px_octets turned = {0};
    uint64_t stamp;
    px_put8(&turned, body.data[0]);
    for (size_t i = body.len; i > 1; i--)
        px_put8(&turned, body.data[i - 1]);
    bool swapped = px_stamp_read(&turned, &stamp) && llabs((int64_t)(stamp >> 32) - (int64_t)now) <= skew;
    px_free(&turned);
    px_cursor c = px_read(ibk_span_of(body.data + 1, body.len - 1));
    bool unix_time = llabs((int64_t)px_take32(&c) - (int64_t)now) <= skew;
    if (swapped)
        px_finding(p, "3830-64", "T is written with its lowest octet first");
    else if (unix_time)
        px_finding(p, "3830-65", "T counts the seconds since 1970, and not those since 1900");
}

/* ---- the padding of ECCPT ---- */

static bool reads(ibk_span content, px_padding padding) {
    px_reader reader = px_reader_quiet;
    px_chain chain = {0};
    ibk_err err = IBK_OK;
    reader.padding = padding;
    bool whole = px_read_chain(&reader, content, PX_IDR, NULL, &chain, &err);
    px_chain_free(&chain);
    return whole;
}

void px_explain_padding(peer *p, ibk_span content) {
    if (reads(content, PX_PADDED))
        return;
    if (reads(content, PX_UNPADDED))
        px_finding(p, "6267-99", "the points in ECCPT are not padded");
    else if (reads(content, PX_PADDED_ALONE))
        px_finding(p, "6267-99", "the points in ECCPT are padded as if they stood at a 32-bit boundary");
}

/* ---- TEKs ---- */

enum { LABEL_DATA_AUTH = 0x1B5C7973, LABEL_DATA_ENCR = 0x15798CEF }; /* RFC 3830 §4.1.3 */

static const px_tek_recipe mistakes[] = {
    {.requirement = "6267-95",
     .text = "the TGK is derived with the constant of the MPK",
     .tgk_constant = PX_LABEL_MPK},
    {.requirement = "6267-95",
     .text = "the TGK is derived with the CSB ID of the exchange",
     .tgk_csb_own = true},
    {.requirement = "6267-95", .text = "the TGK is derived with CSB ID 0", .tgk_csb_zero = true},
    {.requirement = "6267-95", .text = "the TGK is derived with CS ID 0", .tgk_cs_zero = true},
    {.requirement = "6267-95", .text = "TEKs are derived from K_SESSION without a TGK", .direct = true},
    {.requirement = "P-6", .text = "the TGK has 160 bits", .tgk_len = 20},
    {.requirement = "P-6", .text = "the TGK has 128 bits", .tgk_len = 16},
    {.requirement = "3830-6",
     .text = "TEKs are derived with the constant of salts",
     .tek_constant = PX_LABEL_TEK_SALT},
    {.requirement = "3830-6",
     .text = "TEKs are derived with the constant of authentication keys",
     .tek_constant = LABEL_DATA_AUTH},
    {.requirement = "3830-6",
     .text = "TEKs are derived with the constant of encryption keys",
     .tek_constant = LABEL_DATA_ENCR},
    {.requirement = "3830-6", .text = "in the labels of TEKs, CS IDs count from 0", .cs_id_less = 1},
    {.requirement = "3830-6", .text = "the labels of TEKs have the CSB ID 0xFFFFFFFF", .tek_csb_none = true},
    {.requirement = "3830-6", .text = "the labels of TEKs have no CS ID", .tek_cs_none = true},
    {.requirement = "3830-6", .text = "the labels of TEKs have no RAND", .no_rand = true},
    {.requirement = "6043-1", .text = "the PRF does not split its input key", .fault = PX_PRF_WHOLE},
    {.requirement = "6043-2",
     .text = "the PRF splits its input key into blocks of 160 bits",
     .fault = PX_PRF_SPLIT},
    {.requirement = "6043-1", .text = "A_(i+1) of the PRF is made of A_i || label", .fault = PX_PRF_CHAIN},
    {.requirement = "6043-2", .text = "PRF-HMAC-SHA-256 uses 160 bits of each HMAC", .fault = PX_PRF_OUTPUT},
    {.requirement = "6043-1",
     .text = "TEKs are derived with another PRF than the header says",
     .other_prf = true},
};

/* The i-th crypto session's keys as somebody has them who derives so. */
static bool keys_of(const peer *p, const px_tek_recipe *recipe, size_t i, peer_cs_keys *out) {
    peer_cs_keys keys[PX_KEYS_MAX];
    size_t n = px_keys(p, recipe, keys, PX_KEYS_MAX);
    bool there = i < n && i < PX_KEYS_MAX;
    if (there)
        *out = keys[i];
    ibk_wipe(keys, sizeof keys);
    return there;
}

static bool is_tek(const peer *p, const px_tek_recipe *recipe, size_t i, ibk_span tek) {
    peer_cs_keys keys;
    bool is = keys_of(p, recipe, i, &keys) && ibk_span_equal(tek, ibk_span_of(keys.tek, keys.tek_len));
    ibk_wipe(&keys, sizeof keys);
    return is;
}

bool peer_explain_keys(const peer *p, size_t i, ibk_span tek, peer_finding *out) {
    static const px_tek_recipe right;
    *out = (peer_finding){.requirement = "3830-6", .text = "the TEK is right, and the salt is not"};
    if (is_tek(p, &right, i, tek))
        return true;
    for (size_t m = 0; m < sizeof mistakes / sizeof *mistakes; m++) {
        out->requirement = peer_prf_rule(mistakes[m].requirement, p->prf);
        out->text = mistakes[m].text;
        if (is_tek(p, &mistakes[m], i, tek))
            return true;
    }
    return false;
}
