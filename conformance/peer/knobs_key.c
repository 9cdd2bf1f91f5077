/* Deviations of key requests and their answers: KEMAC, keys, certificates, envelope (RFC 6267 §4.2.1,
 * §6.1.3). */
#include "peer/knob.h"

#include <string.h>

#define N(array) (sizeof(array) / sizeof *(array))
#define AT(type) PX_PLACE(0, type, 0)
#define KEY      PX_PLACE(PX_KEMAC, PX_KEY, 0)
#define ID       PX_PLACE(PX_KEMAC, PX_IDR, 0)

static px_part *part_of(px_draft *d, px_place place) {
    px_chain *chain;
    size_t at;
    return px_at_place(d, place, &chain, &at);
}

/* Wrong constants of the keys of KEMAC. */
static bool bend_encr(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    uint32_t *constant = k->value ? &d->recipe.salt_constant : &d->recipe.encr_constant;
    *constant = !k->at ? PX_LABEL_AUTH : k->value ? PX_LABEL_ENCR : PX_LABEL_SALT;
    return true;
}

/* KEMAC is encrypted in another way than its algorithm says. */
static bool bend_kemac(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    const px_part *t = px_find(&d->chain, PX_T, 0, NULL);
    bool cm = d->encryption == PX_ENC_CM_128 || d->encryption == PX_ENC_CM_256;
    d->recipe.kemac_fault = (px_kemac_fault)k->value;
    switch (d->recipe.kemac_fault) {
    case PX_KEMAC_PADDED:
        return cm && t && px_span(&t->body).len == 5 && px_span(&t->body).data[0] == k->at;
    case PX_KEMAC_SHORT_KEY:
        return d->encryption == PX_ENC_CM_256;
    case PX_KEMAC_DEFAULT_IV:
        return d->encryption == PX_ENC_KW_128;
    default:
        return cm;
    }
}

bool px_knob_of_kemac(const px_knob *knob) {
    return knob->bend == bend_kemac || knob->bend == bend_encr;
}

uint8_t px_knob_encryption(const px_knob *knob) {
    bool kemac = knob->bend == bend_kemac;
    return kemac && knob->value == PX_KEMAC_SHORT_KEY    ? PX_ENC_CM_256
           : kemac && knob->value == PX_KEMAC_DEFAULT_IV ? PX_ENC_KW_128
                                                         : 0;
}

uint8_t px_knob_timestamp(const px_knob *knob) {
    return knob->bend == bend_kemac ? (uint8_t)knob->at : 0;
}

static bool bend_encryption(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    d->encryption = (uint8_t)k->value;
    return true;
}

/* KEMAC with HMAC-SHA-1-160 of its own. Nobody reads it: RFC 6267 §4.2.1.3 has V protect all. */
static bool bend_kemac_mac(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    static const uint8_t mac[20] = {1, 2, 3};
    px_part *kemac = part_of(d, k->place);
    if (!kemac)
        return false;
    kemac->body.buf.data[px_span(&kemac->body).len - 1] = PX_MAC_SHA_1;
    px_put(&kemac->body, mac, sizeof mac);
    return true;
}

static bool bend_empty(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    px_part *kemac = part_of(d, k->place);
    while (kemac && kemac->inside && kemac->inside->n > 0)
        px_remove(kemac->inside, kemac->inside->n - 1);
    return kemac != NULL;
}

/* The first key is that of another identity: of another user (1), another day (2), or it and its name are
 * (3). */
static bool bend_key(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)octets;
    px_part *idr = part_of(d, (px_place)ID), *part = part_of(d, (px_place)KEY);
    if (!idr || !part)
        return false;
    const peer_domain *domain = &p->c.domains[0];
    px_octets other = {0};
    ibk_buf der = {0};
    ibk_ibe_key *key = NULL;
    px_put_span(&other, px_id_data(idr));
    other.buf.data[k->value == 2 ? px_span(&other).len - 1 : 4] ^= 1;
    bool done = !ibk_ibe_extract(domain->params, domain->master, px_span(&other), &key) &&
                !ibk_ibe_key_encode(key, &der);
    px_clear(&part->body);
    px_put8(&part->body, 7 << 4);
    px_put16(&part->body, (unsigned)der.len);
    px_put_span(&part->body, ibk_buf_span(&der));
    if (k->value == 3) {
        px_clear(&idr->body);
        px_idr(&idr->body, PX_ROLE_I, (peer_id){2, px_span(&other)});
    }
    ibk_ibe_key_free(key);
    ibk_buf_free(&der);
    px_free(&other);
    return done;
}

/* One of several that asked gets no key: the last identity and its key are missing. */
static bool bend_last_key(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    px_part *kemac = part_of(d, k->place);
    if (!kemac || !kemac->inside || kemac->inside->n < 4)
        return false;
    px_remove(kemac->inside, kemac->inside->n - 1);
    px_remove(kemac->inside, kemac->inside->n - 1);
    return true;
}

/* The version follows the SEQUENCE's tag and length, of whichever form. */
static bool bend_key_version(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    px_part *key = part_of(d, k->place);
    if (!key || px_span(&key->body).len < 12)
        return false;
    uint8_t *der = key->body.buf.data + 3;
    der[2 + (der[1] > 0x80 ? der[1] & 0x7F : 0) + 2] = 3;
    return true;
}

/* A validity of the type "interval", which lies behind us: from 0 to 1. */
static bool bend_interval(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    static const uint8_t interval[] = {1, 0, 1, 1};
    px_part *key = part_of(d, k->place);
    if (!key)
        return false;
    key->body.buf.data[k->at < 0 ? px_span(&key->body).len - 1 : 0] |= 2;
    px_put(&key->body, interval, sizeof interval);
    return true;
}

/* IDRpsk names a key that there is not. */
static bool bend_psk_id(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)k, (void)octets;
    px_part *id = px_find_id(&d->chain, PX_ROLE_PSK, 0);
    if (!id)
        px_idr(&px_insert(&d->chain, d->chain.n - 1, PX_IDR)->body, PX_ROLE_PSK,
               (peer_id){2, ibk_span_str("no such key")});
    else
        id->body.buf.data[px_span(&id->body).len - 1] ^= 1;
    return true;
}

static bool bend_certificates(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)k, (void)octets;
    size_t at, n = 0;
    for (; px_find(&d->chain, PX_CERT, 0, &at); n++)
        px_remove(&d->chain, at);
    return n > 0;
}

/* The last certificate comes once more, as X.509v3 Encr, which nobody who verifies SIGN needs. */
static bool bend_encr_certificate(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    px_knob first = *k;
    if (!px_bend_twice(p, d, &first, octets))
        return false;
    px_part *last = px_find(&d->chain, PX_CERT, -1, NULL);
    last->body.buf.data[0] = (uint8_t)k->value;
    return true;
}

static bool bend_chash(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    size_t at;
    px_part *chash = px_find(&d->chain, PX_CHASH, 0, &at);
    if (!chash) {
        static const uint8_t sha_1[21];
        if (!px_find(&d->chain, PX_PKE, 0, &at))
            return false;
        chash = px_insert(&d->chain, at, PX_CHASH);
        px_put(&chash->body, sha_1, sizeof sha_1);
    }
    chash->body.buf.data[k->at] ^= (uint8_t)k->value;
    return true;
}

/* CHASH with the hash that everybody has to implement. */
static bool bend_chash_sha_1(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)k, (void)octets;
    uint8_t hash[20];
    px_part *chash = px_find(&d->chain, PX_CHASH, 0, NULL);
    if (!chash || px_digest("SHA1", p->c.pke->kms_certificate, hash))
        return false;
    px_clear(&chash->body);
    px_put8(&chash->body, 0);
    px_put(&chash->body, hash, sizeof hash);
    return true;
}

enum { COUNTER = 2, NTP_UTC_32 = 3 }; /* types of T */

#define RESP PX_OF(PX_RESP)
#define PKE  PX_OF(PX_QPKE)
#define C    PX_AT_CONTENT
#define S    PX_AT_SEALED

static const px_knob knobs[] = {
    {"kemac-missing", "there is no KEMAC", C, px_bend_drop, AT(PX_KEMAC), 0, 0, RESP, "6267-90", PX_REFUSE},
    {"kemac-twice", "there are two KEMAC", S, px_bend_twice, AT(PX_KEMAC), 0, 0, RESP, "@parse", PX_EITHER},
    {"kemac-empty", "KEMAC holds nothing", C, bend_empty, AT(PX_KEMAC), 0, 0, RESP, "6267-90 @parse",
     PX_REFUSE},
    {"kemac-length-over", "the length in KEMAC is greater by one", S, px_bend_length16, AT(PX_KEMAC), 1, 1,
     RESP, "@parse", PX_REFUSE},
    {"kemac-with-mac", "KEMAC has a MAC of its own, which nobody can verify", S, bend_kemac_mac, AT(PX_KEMAC),
     0, 0, RESP, "6267-22", PX_EITHER},
    {"kemac-null", "the keys in KEMAC are not encrypted", C, bend_encryption, PX_NOWHERE, 0, PX_ENC_NULL,
     RESP, "3830-13 5091-2", PX_REFUSE},
    {"kemac-algorithm-unknown", "the encryption of KEMAC is none that is registered", S, px_bend_set,
     AT(PX_KEMAC), 0, 99, RESP, "6267-23", PX_REFUSE},
    {"kemac-algorithm-other", "KEMAC says AES-CM-256 and is AES-CM-128", S, px_bend_octet, AT(PX_KEMAC), 0, 2,
     RESP, "6043-9 6267-23 @parse", PX_REFUSE},
    {"kemac-changed", "an octet of KEMAC's ciphertext is changed", S, px_bend_octet, AT(PX_KEMAC), 20, 1,
     RESP, "P-10 6267-23 @parse", PX_REFUSE},
    {"encr-constant", "encr_key is derived with the constant of auth_key", C, bend_encr, PX_NOWHERE, 0, 0,
     RESP, "6267-23 @parse P-10 6267-72", PX_REFUSE},
    {"salt-constant", "the salt is derived with the constant of auth_key", C, bend_encr, PX_NOWHERE, 0, 1,
     RESP, "3830-12 @parse P-10 6267-72", PX_REFUSE},
    {"encr-constant-of-salt", "encr_key is derived with the constant of the salt", C, bend_encr, PX_NOWHERE,
     1, 0, RESP, "6267-23 @parse P-10 6267-72", PX_REFUSE},
    {"salt-constant-of-encr", "the salt is derived with the constant of encr_key", C, bend_encr, PX_NOWHERE,
     1, 1, RESP, "3830-12 @parse P-10 6267-72", PX_REFUSE},
    {"kemac-iv-without-csb-id", "the IV of AES-CM has no CSB ID", C, bend_kemac, PX_NOWHERE, 0,
     PX_KEMAC_NO_CSB, RESP, "3830-12", PX_REFUSE},
    {"kemac-iv-left", "in the IV of AES-CM the CSB ID stands at the left edge", C, bend_kemac, PX_NOWHERE, 0,
     PX_KEMAC_LEFT, RESP, "3830-12", PX_REFUSE},
    {"kemac-counter-right", "in the IV a COUNTER is padded on the right", C, bend_kemac, PX_NOWHERE, COUNTER,
     PX_KEMAC_PADDED, RESP, "3830-53", PX_REFUSE},
    {"kemac-ntp-32-left", "in the IV NTP-UTC-32 is padded on the left", C, bend_kemac, PX_NOWHERE, NTP_UTC_32,
     PX_KEMAC_PADDED, RESP, "6043-12", PX_REFUSE},
    {"kemac-256-short-key", "AES-CM-256 is AES-CM-128", C, bend_kemac, PX_NOWHERE, 0, PX_KEMAC_SHORT_KEY,
     RESP, "6043-9", PX_REFUSE},
    {"kemac-wrap-default", "AES key wrap has the initial value of RFC 3394", C, bend_kemac, PX_NOWHERE, 0,
     PX_KEMAC_DEFAULT_IV, RESP, "3830-61", PX_REFUSE},
    {"key-missing", "KEMAC holds an identity without a key", C, px_bend_drop, KEY, 0, 0, RESP, "6267-90 P-10",
     PX_REFUSE},
    {"key-without-id", "KEMAC holds a key without an identity", C, px_bend_drop, ID, 0, 0, RESP,
     "P-10 P-4 @parse", PX_REFUSE},
    {"key-before-id", "in KEMAC the key stands before its identity", C, px_bend_first, KEY, 0, 0, RESP,
     "P-10 P-4 @parse", PX_REFUSE},
    {"last-key-missing", "KEMAC has no key for the last of those that asked", C, bend_last_key, AT(PX_KEMAC),
     0, 0, RESP, "6267-90 P-10", PX_REFUSE},
    {"key-of-other-user", "the key is that of another user", C, bend_key, PX_NOWHERE, 0, 1, RESP, "P-10",
     PX_REFUSE},
    {"key-of-other-day", "the key is that of another day", C, bend_key, PX_NOWHERE, 0, 2, RESP, "P-10 P-9",
     PX_REFUSE},
    {"key-not-asked-for", "identity and key are those of another user, who was not asked for", C, bend_key,
     PX_NOWHERE, 0, 3, RESP, "P-10", PX_REFUSE},
    {"key-type-tgk", "Key data is of the type TGK", C, px_bend_octet, KEY, 0, 0x70, RESP, "P-10", PX_REFUSE},
    {"key-type-unknown", "Key data is of a type that is not registered", C, px_bend_octet, KEY, 0, 0xF0, RESP,
     "P-10", PX_REFUSE},
    {"key-changed", "the point of the key is another", C, px_bend_octet, KEY, -1, 1, RESP, "P-10", PX_REFUSE},
    {"key-no-der", "the key is no DER BFPrivateKeyBlock", C, px_bend_set, KEY, 3, 0x31, RESP, "P-10",
     PX_REFUSE},
    {"key-version-3", "the version of BFPrivateKeyBlock is 3", C, bend_key_version, KEY, 0, 0, RESP, "P-10",
     PX_REFUSE},
    {"key-length-over", "the length of the key is greater by one", C, px_bend_length16, KEY, 1, 1, RESP,
     "@parse P-10", PX_REFUSE},
    {"key-twice", "a key is there twice, the second time without identity", C, px_bend_twice, KEY, 0, 0, RESP,
     "P-10", PX_REFUSE},
    {"key-id-type", "the identity of a key is a URI and no byte string", C, px_bend_set, ID, 1, 1, RESP,
     "P-10", PX_REFUSE},
    {"key-id-duplicate", "an identity is there twice", C, px_bend_twice, ID, 0, 0, RESP, "P-10", PX_REFUSE},
    {"key-expired", "the validity of the key is an interval that has ended", C, bend_interval, KEY, 0, 0,
     RESP, "P-10", PX_EITHER_UNSEEN("an interval of indices says nothing about dates")},
    {"kemac-next-payload", "the last payload in KEMAC says that another follows", C, px_bend_next,
     PX_PLACE(PX_KEMAC, PX_KEY, -1), 0, PX_IDR, RESP, "P-4 @parse", PX_REFUSE},
    {"kemac-unknown-payload", "there is a payload of an unknown type in KEMAC", C, px_bend_add, ID, 99, 0,
     RESP, "@parse P-4", PX_REFUSE},
    {"psk-unknown", "IDRpsk names a key that there is not", C, bend_psk_id, PX_NOWHERE, 0, 0, PX_OF(PX_QPSK),
     "6267-11 5091-19", PX_REFUSE_UNSEEN("which keys there are is the KMS's knowledge")},
    {"cert-missing", "there is no certificate", C, bend_certificates, PX_NOWHERE, 0, 0, PKE, "6267-13",
     PX_EITHER},
    {"cert-type-sign", "the certificate is of the type X.509v3 Sign", C, px_bend_set, AT(PX_CERT), 0, 2, PKE,
     "3830-67", PX_TAKE_UNSEEN("certificates of this type are taken")},
    {"cert-encr-added", "there is a certificate of the type X.509v3 Encr, too", C, bend_encr_certificate,
     AT(PX_CERT), 0, 3, PKE, "3830-67", PX_TAKE_UNSEEN("certificates of this type are taken")},
    {"cert-type-url", "the certificate is said to be a URL", C, px_bend_set, AT(PX_CERT), 0, 1, PKE,
     "@parse 3830-67", PX_REFUSE},
    {"cert-type-unknown", "the type of CERT is none that is registered", C, px_bend_set, AT(PX_CERT), 0, 99,
     PKE, "@parse 3830-67", PX_REFUSE},
    {"cert-changed", "an octet of the certificate is changed", C, px_bend_octet, AT(PX_CERT), 30, 1, PKE,
     "5091-19", PX_REFUSE_UNSEEN("the peer's KMS trusts any certificate whose key verifies SIGN")},
    {"cert-no-der", "the certificate is no DER", C, px_bend_set, AT(PX_CERT), 3, 0x31, PKE, "@mac",
     PX_REFUSE},
    {"cert-length-over", "the length of CERT is greater by one", C, px_bend_length16, AT(PX_CERT), 1, 1, PKE,
     "@parse", PX_REFUSE},
    {"chash-other", "CHASH names another certificate", C, bend_chash, PX_NOWHERE, 1, 1, PKE, "3830-68",
     PX_REFUSE},
    {"chash-sha-1", "CHASH is made with SHA-1", C, bend_chash_sha_1, PX_NOWHERE, 0, 0, PKE, "3830-68 3830-9",
     PX_TAKE_UNSEEN("everybody has to implement it")},
    {"chash-unknown", "the hash of CHASH is none that is registered", C, bend_chash, PX_NOWHERE, 0, 99, PKE,
     "@parse", PX_REFUSE},
    {"pke-missing", "there is no envelope", C, px_bend_drop, AT(PX_PKE), 0, 0, PKE, "3830-4", PX_REFUSE},
    {"pke-changed", "an octet of the envelope is changed", C, px_bend_octet, AT(PX_PKE), -1, 1, PKE,
     "3830-19 3830-20 P-24", PX_EITHER},
    {"pke-cached", "C says that the envelope key is to be kept", C, px_bend_octet, AT(PX_PKE), 0, 0x40, PKE,
     "P-24", PX_REFUSE},
    /* By two: with one, the octet that is left over (0x01, 0x11) at times makes a length of SIGN that fits.
     */
    {"pke-length-under", "the length of PKE is smaller by two", C, px_bend_length16, AT(PX_PKE), 0, -2, PKE,
     "@parse", PX_REFUSE},
};

const px_table px_knobs_key = {knobs, N(knobs)};
