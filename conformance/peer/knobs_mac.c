/* Deviations of V and SIGN: what they cover, and the keys behind them (RFC 6267 §5, RFC 3830 §4.1). */
#include "peer/knob.h"

#include <string.h>

#define N(array) (sizeof(array) / sizeof *(array))
#define AT(type) PX_PLACE(0, type, 0)

static bool bend_flip(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    d->flip = (uint8_t)k->value;
    return px_count(&d->chain, PX_V) + px_count(&d->chain, PX_SIGN) > 0;
}

/* V with another algorithm than before, right in itself. */
static bool bend_other_mac(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)k, (void)octets;
    px_part *v = px_find(&d->chain, PX_V, 0, NULL);
    if (!v)
        return false;
    v->body.buf.data[0] = v->body.buf.data[0] == PX_MAC_SHA_1 ? PX_MAC_SHA_256 : PX_MAC_SHA_1;
    return true;
}

static bool bend_null_mac(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)k, (void)octets;
    px_part *v = px_find(&d->chain, PX_V, 0, NULL);
    if (!v)
        return false;
    v->body.buf.data[0] = PX_MAC_NULL;
    return true;
}

/* RSASSA-PKCS1-v1_5 without DigestInfo. */
static bool bend_bare(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)k, (void)octets;
    px_part *sign = px_find(&d->chain, PX_SIGN, 0, NULL);
    px_octets text = {0}, signature = {0};
    bool done = sign && px_draft_encode(d, &text) == IBK_OK &&
                ibk_buf_resize(&text.buf, px_mac_offset(d, PX_SIGN)) == IBK_OK;
    px_put_span(&text, px_span(&d->covered));
    done = done && !text.err && px_rsa_sign_bare(p->c.pke->private_key, px_span(&text), &signature) == IBK_OK;
    if (done) {
        sign->body.err = ibk_buf_resize(&sign->body.buf, 2);
        px_put_span(&sign->body, px_span(&signature));
    }
    px_free(&text);
    px_free(&signature);
    return done;
}

/* ---- what is covered
 * ------------------------------------------------------------------------------------------- */

enum { NO_IDS, IDS_TURNED, PAYLOADS, WITH_TIME, CALLED };

static void cover_ids(px_draft *d, uint8_t role, bool payload) {
    const px_part *id = px_find_id(&d->chain, role, 0);
    if (id)
        px_put_span(&d->covered, payload ? px_span(&id->body) : px_id_data(id));
}

static bool bend_covered(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)octets;
    if (k->value == WITH_TIME) { /* as RFC 3830 §5.2 has it for its own messages */
        px_put(&d->covered, px_span(&p->t).data + 1, px_span(&p->t).len - 1);
        return true;
    }
    px_clear(&d->covered);
    if (k->value == CALLED) {
        px_cover(d, px_span(&p->idi.data));
        px_cover(d, px_span(&p->called.data));
        return !px_is(&p->called.data, px_span(&p->idr.data));
    }
    bool turned = k->value == IDS_TURNED, user = px_find_id(&d->chain, PX_ROLE_KMS, 0) != NULL;
    if (k->value == NO_IDS)
        return true;
    uint8_t second = user ? PX_ROLE_KMS : PX_ROLE_R;
    cover_ids(d, turned ? second : PX_ROLE_I, k->value == PAYLOADS);
    cover_ids(d, turned ? PX_ROLE_I : second, k->value == PAYLOADS);
    return true;
}

/* ---- derivation
 * ------------------------------------------------------------------------------------------------- */

enum {
    MPK_CONSTANT,
    MPK_CS_ID,
    MPK_CSB_ID,
    MPK_LENGTH,
    AUTH_CONSTANT,
    AUTH_CS_ID,
    AUTH_CSB_ID,
    NO_RAND,
    OTHER_PRF,
    X_ALONE,
    COMPRESSED,
    NO_MPK,
    OTHER_SECRET,
    INITIAL,
    MPK_SHORT,
    MPK_CSB_ZERO,
    CS_IDS_ZERO,
    WHOLE_INPUT,
    SHORT_SPLIT,
    SHORT_OUTPUT,
    CUT_HASH,
    SHORT_KEY,
    HEADLESS
};

static bool bend_secret(const peer *p, px_recipe *r, int what) {
    px_octets copy = {0};
    px_put_span(&copy, px_span(&r->secret));
    ibk_span all = px_span(&copy);
    if (what == X_ALONE && all.len > 1)
        px_set(&r->secret, ibk_span_of(all.data + 1, all.len / 2));
    else if (what == COMPRESSED)
        copy.err = px_compress(p->curve, all, &r->secret);
    else if (what == OTHER_SECRET && all.len > 0)
        r->secret.buf.data[0] ^= 1;
    else if (what == INITIAL)
        px_set(&r->secret, px_span(&p->initial));
    bool bent = !copy.err && !px_is(&r->secret, all);
    px_free(&copy);
    return bent;
}

/* The PRF or the MAC is another function than it has to be. */
static bool bend_function(px_draft *d, int what) {
    const px_part *v = px_find(&d->chain, PX_V, 0, NULL);
    uint8_t mac = v ? px_span(&v->body).data[0] : PX_MAC_NULL;
    px_recipe *r = &d->recipe;
    switch (what) {
    case WHOLE_INPUT:
        r->prf_fault = PX_PRF_WHOLE;
        return true;
    case SHORT_SPLIT:
        r->prf_fault = PX_PRF_SPLIT;
        return true;
    case SHORT_OUTPUT:
        r->prf_fault = PX_PRF_OUTPUT;
        return r->prf == PX_PRF_SHA_256;
    case CUT_HASH:
        r->mac_fault = PX_MAC_HASH;
        return mac == PX_MAC_SHA_1;
    case SHORT_KEY:
        r->mac_fault = PX_MAC_SHORT_KEY;
        return mac == PX_MAC_SHA_256;
    default:
        r->mac_fault = PX_MAC_HEADLESS;
        return true;
    }
}

static bool bend_recipe(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)octets;
    px_recipe *r = &d->recipe;
    if (k->value >= WHOLE_INPUT)
        return bend_function(d, k->value);
    switch (k->value) {
    case MPK_CONSTANT:
        r->mpk_constant = PX_LABEL_TGK;
        return true;
    case MPK_CS_ID:
        r->mpk_cs_id = 0;
        return true;
    case MPK_CSB_ID:
        r->mpk_csb_id = r->csb_id;
        return true;
    case MPK_LENGTH:
        r->mpk_len = r->mpk_len == 20 ? 32 : 20;
        return true;
    case MPK_SHORT:
        r->mpk_len = 16;
        return true;
    case MPK_CSB_ZERO:
        r->mpk_csb_id = 0;
        return true;
    case CS_IDS_ZERO:
        r->mpk_cs_id = r->cs_id = 0;
        return true;
    case AUTH_CONSTANT:
        r->auth_constant = PX_LABEL_ENCR;
        return true;
    case AUTH_CS_ID:
        r->cs_id = 0;
        return true;
    case AUTH_CSB_ID:
        r->csb_id = 0xFFFFFFFF;
        return true;
    case NO_RAND:
        px_clear(&r->rand);
        return true;
    case OTHER_PRF:
        r->prf ^= 1;
        return true;
    case NO_MPK: /* auth_key from K_SESSION directly */
        r->direct = true;
        return true;
    default:
        return bend_secret(p, r, k->value);
    }
}

bool px_knob_of_keys(const px_knob *knob) {
    return knob->bend == bend_recipe || knob->bend == bend_covered;
}

bool px_knob_of_choice(const px_knob *knob) {
    return knob->bend == bend_other_mac;
}

uint8_t px_knob_prf(const px_knob *knob) {
    bool wide = knob->bend == bend_recipe && (knob->value == SHORT_OUTPUT || knob->value == SHORT_KEY);
    return wide ? PX_PRF_SHA_256 : PX_PRF_MIKEY_1;
}

#define BETWEEN (PX_OF(PX_R2) | PX_OF(PX_R2D) | PX_OF(PX_U2))
#define DIRECT  (PX_OF(PX_QPSK) | PX_OF(PX_RESP))
#define C       PX_AT_CONTENT
#define DONE    PX_AT_PROTECTED

static const px_knob knobs[] = {
    {"v-missing", "there is no V", C, px_bend_drop, AT(PX_V), 0, 0, BETWEEN | PX_OF(PX_QPSK), "@mac",
     PX_REFUSE},
    {"v-missing", "there is no V", C, px_bend_drop, AT(PX_V), 0, 0, PX_OF(PX_RESP), "6267-24", PX_REFUSE},
    {"v-wrong", "the last octet of the MAC is wrong", C, bend_flip, PX_NOWHERE, 0, 1, PX_WITH_V, "@mac",
     PX_REFUSE},
    {"v-wrong-first", "the first octet of the MAC is wrong", DONE, px_bend_octet, AT(PX_V), 1, 0x80,
     PX_WITH_V, "@mac", PX_REFUSE},
    {"v-null", "V has the NULL MAC", C, bend_null_mac, PX_NOWHERE, 0, 0, PX_WITH_V, "3830-18", PX_REFUSE},
    {"v-algorithm-unknown", "the algorithm of V is none that is registered", DONE, px_bend_set, AT(PX_V), 0,
     99, PX_WITH_V, "@parse", PX_REFUSE},
    {"v-algorithm-other", "V is made with the other MAC algorithm", C, bend_other_mac, PX_NOWHERE, 0, 0,
     PX_WITH_V, "3830-16 3830-17", PX_TAKE_UNSEEN("V says which algorithm it is made with")},
    {"v-short", "the MAC lacks its last two octets", DONE, px_bend_cut, AT(PX_V), -2, 2, PX_WITH_V, "@parse",
     PX_REFUSE},
    {"v-twice", "there are two V", DONE, px_bend_twice, AT(PX_V), 0, 0, PX_WITH_V, "3830-62 @parse",
     PX_REFUSE},
    {"v-not-last", "another payload follows V", C, px_bend_swap, AT(PX_V), 0, -1, PX_WITH_V, "3830-62 @parse",
     PX_REFUSE},
    {"v-first", "V is the first payload", C, px_bend_first, AT(PX_V), 0, 0, PX_WITH_V, "3830-62 @parse",
     PX_REFUSE},
    {"v-without-identities", "V covers the message alone", C, bend_covered, PX_NOWHERE, 0, NO_IDS, PX_WITH_V,
     "@mac 6267-82", PX_REFUSE},
    {"v-identities-turned", "under V the identities stand in the other order", C, bend_covered, PX_NOWHERE, 0,
     IDS_TURNED, PX_WITH_V, "@mac P-8", PX_REFUSE},
    {"v-over-payloads", "under V stand ID payloads in place of identities", C, bend_covered, PX_NOWHERE, 0,
     PAYLOADS, PX_WITH_V, "@mac 6267-82", PX_REFUSE},
    {"v-without-header", "V does not cover the header", C, bend_recipe, PX_NOWHERE, 0, HEADLESS, PX_WITH_V,
     "@mac 6267-82", PX_REFUSE},
    {"v-over-called", "under V stands the identity that was called, not the one that answered", C,
     bend_covered, PX_NOWHERE, 0, CALLED, PX_OF(PX_R2D), "@mac 6267-83", PX_REFUSE},
    {"v-with-time", "under V stands T behind the identities", C, bend_covered, PX_NOWHERE, 0, WITH_TIME,
     PX_WITH_V, "@mac P-8", PX_REFUSE},
    {"mpk-constant", "the MPK is derived with the constant of the TGK", C, bend_recipe, PX_NOWHERE, 0,
     MPK_CONSTANT, BETWEEN, "@mac 6267-94", PX_REFUSE},
    {"mpk-cs-id", "the MPK is derived with CS ID 0", C, bend_recipe, PX_NOWHERE, 0, MPK_CS_ID, BETWEEN,
     "@mac 6267-94", PX_REFUSE},
    {"mpk-csb-id", "the MPK is derived with the CSB ID of the exchange", C, bend_recipe, PX_NOWHERE, 0,
     MPK_CSB_ID, BETWEEN, "@mac 6267-94", PX_REFUSE},
    {"mpk-length", "the MPK has the length of the other PRF's hash", C, bend_recipe, PX_NOWHERE, 0,
     MPK_LENGTH, BETWEEN, "@mac P-6", PX_REFUSE},
    {"mpk-csb-id-0", "the MPK is derived with CSB ID 0", C, bend_recipe, PX_NOWHERE, 0, MPK_CSB_ZERO, BETWEEN,
     "@mac 6267-94", PX_REFUSE},
    {"mpk-short", "the MPK has 128 bits", C, bend_recipe, PX_NOWHERE, 0, MPK_SHORT, BETWEEN, "@mac P-6",
     PX_REFUSE},
    {"cs-ids-0", "MPK and auth_key are derived with CS ID 0", C, bend_recipe, PX_NOWHERE, 0, CS_IDS_ZERO,
     BETWEEN, "@mac 6267-96 6267-94", PX_REFUSE},
    {"auth-constant", "auth_key is derived with the constant of encr_key", C, bend_recipe, PX_NOWHERE, 0,
     AUTH_CONSTANT, BETWEEN, "@mac 6267-96", PX_REFUSE},
    {"auth-constant", "auth_key is derived with the constant of encr_key", C, bend_recipe, PX_NOWHERE, 0,
     AUTH_CONSTANT, DIRECT, "@mac 6267-72", PX_REFUSE},
    {"auth-cs-id", "auth_key is derived with CS ID 0", C, bend_recipe, PX_NOWHERE, 0, AUTH_CS_ID, BETWEEN,
     "@mac 6267-96", PX_REFUSE},
    {"auth-cs-id", "auth_key is derived with CS ID 0", C, bend_recipe, PX_NOWHERE, 0, AUTH_CS_ID,
     PX_OF(PX_QPSK), "@mac 6267-72", PX_REFUSE},
    {"auth-csb-id", "auth_key is derived with CSB ID 0xFFFFFFFF", C, bend_recipe, PX_NOWHERE, 0, AUTH_CSB_ID,
     BETWEEN, "@mac 6267-96", PX_REFUSE},
    {"auth-csb-id", "auth_key is derived with CSB ID 0xFFFFFFFF", C, bend_recipe, PX_NOWHERE, 0, AUTH_CSB_ID,
     PX_OF(PX_QPSK), "@mac 6267-4", PX_REFUSE},
    {"label-without-rand", "the labels of the keys of V have no RAND", C, bend_recipe, PX_NOWHERE, 0, NO_RAND,
     BETWEEN, "@mac 6267-94", PX_REFUSE},
    {"label-without-rand", "the labels of the keys have no RAND", C, bend_recipe, PX_NOWHERE, 0, NO_RAND,
     DIRECT, "@mac 6267-72", PX_REFUSE},
    {"prf-of-v", "the keys of V are derived with another PRF than the header says", C, bend_recipe,
     PX_NOWHERE, 0, OTHER_PRF, PX_WITH_V, "@mac 3830-11 6043-1", PX_REFUSE},
    {"prf-input-whole", "the PRF does not split its input key", C, bend_recipe, PX_NOWHERE, 0, WHOLE_INPUT,
     BETWEEN, "@mac 3830-11 6043-1", PX_REFUSE},
    {"prf-input-160", "the PRF splits its input key into blocks of 160 bits", C, bend_recipe, PX_NOWHERE, 0,
     SHORT_SPLIT, BETWEEN, "@mac 3830-11 6043-2", PX_REFUSE},
    {"prf-output-160", "PRF-HMAC-SHA-256 uses 160 bits of each HMAC", C, bend_recipe, PX_NOWHERE, 0,
     SHORT_OUTPUT, PX_OF(PX_R2), "@mac 6043-2", PX_REFUSE},
    {"v-hash-cut", "HMAC-SHA-1-160 is the first 160 bits of HMAC-SHA-256", C, bend_recipe, PX_NOWHERE, 0,
     CUT_HASH, PX_WITH_V, "@mac 3830-16", PX_REFUSE},
    {"v-key-160", "HMAC-SHA-256-256 is made with the first 160 bits of its key", C, bend_recipe, PX_NOWHERE,
     0, SHORT_KEY, PX_OF(PX_R2), "@mac 6043-10", PX_REFUSE},
    {"k-session-x", "K_SESSION is the x coordinate alone", C, bend_recipe, PX_NOWHERE, 0, X_ALONE, BETWEEN,
     "@mac P-5", PX_REFUSE},
    {"k-session-compressed", "K_SESSION is the compressed point", C, bend_recipe, PX_NOWHERE, 0, COMPRESSED,
     BETWEEN, "@mac P-5", PX_REFUSE},
    {"no-mpk", "auth_key is derived from K_SESSION without an MPK", C, bend_recipe, PX_NOWHERE, 0, NO_MPK,
     BETWEEN, "@mac", PX_REFUSE},
    {"other-secret", "V is made with the keys of another K_SESSION", C, bend_recipe, PX_NOWHERE, 0,
     OTHER_SECRET, BETWEEN, "@mac", PX_REFUSE},
    {"other-secret", "V is made with another pre-shared key", C, bend_recipe, PX_NOWHERE, 0, OTHER_SECRET,
     PX_OF(PX_QPSK), "@mac", PX_REFUSE},
    {"other-secret", "KEMAC and V are made with another key than that of the request", C, bend_recipe,
     PX_NOWHERE, 0, OTHER_SECRET, PX_OF(PX_RESP), "@mac 6267-1", PX_REFUSE},
    {"initial-keys", "V is made with the keys of the initial exchange though there are new values", C,
     bend_recipe, PX_NOWHERE, 0, INITIAL, PX_OF(PX_U2), "6267-79", PX_REFUSE},
    {"sign-missing", "there is no SIGN", C, px_bend_drop, AT(PX_SIGN), 0, 0, PX_OF(PX_QPKE), "@mac 3830-62",
     PX_REFUSE},
    {"sign-wrong", "the last octet of the signature is wrong", C, bend_flip, PX_NOWHERE, 0, 1, PX_OF(PX_QPKE),
     "5091-19 3830-21 @mac", PX_REFUSE},
    {"sign-type-unknown", "the type of the signature is none that is registered", DONE, px_bend_octet,
     AT(PX_SIGN), 0, 0x70, PX_OF(PX_QPKE), "@parse", PX_REFUSE},
    {"sign-type-other", "the signature says that it is of the other scheme", DONE, px_bend_octet, AT(PX_SIGN),
     0, 0x10, PX_OF(PX_QPKE), "@mac", PX_REFUSE},
    {"sign-length-over", "the length of the signature is greater by one", DONE, px_bend_length16, AT(PX_SIGN),
     0, 1, PX_OF(PX_QPKE), "@parse", PX_REFUSE},
    {"sign-without-identities", "SIGN covers the message alone", C, bend_covered, PX_NOWHERE, 0, NO_IDS,
     PX_OF(PX_QPKE), "@mac 6267-82", PX_REFUSE},
    {"sign-over-payloads", "under SIGN stand ID payloads in place of identities", C, bend_covered, PX_NOWHERE,
     0, PAYLOADS, PX_OF(PX_QPKE), "@mac 6267-82", PX_REFUSE},
    {"sign-without-hash-name", "SIGN is over the digest alone, without the name of its hash", DONE, bend_bare,
     PX_NOWHERE, 0, 0, PX_OF(PX_QPKE), "@mac 3830-21", PX_REFUSE},
    {"sign-with-time", "under SIGN stands T behind the identities", C, bend_covered, PX_NOWHERE, 0, WITH_TIME,
     PX_OF(PX_QPKE), "@mac P-8", PX_REFUSE},
};

const px_table px_knobs_mac = {knobs, N(knobs)};
