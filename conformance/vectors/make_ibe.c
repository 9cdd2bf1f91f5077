/* Vectors of RFC 5091. */
#include "conformance/vectors/build.h"

#include <string.h>

static const char ALICE[] = "sip:alice@home.example20261124", BOB[] = "sip:bob@home.example20261124";
static const unsigned sizes[] = {1024, 2048, 3072};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

void make_hash(builder *b) {
    for (unsigned hash = IBK_IBE_SHA1; hash <= IBK_IBE_SHA512; hash++) {
        const char *sha = ibk_ibe_hash_name((ibk_ibe_hash)hash);
        size_t len = ibk_ibe_hash_len((ibk_ibe_hash)hash);
        build_group(b, "HashToRange", json_pack("{s:s}", "sha", sha));
        build_valid(b, "the empty string", json_pack("{s:s,s:o}", "s", "", "n", drawn_hex("n", len)));
        build_valid(b, "an identity", json_pack("{s:o,s:o}", "s", text_hex(ALICE), "n", drawn_hex("n", len)));
        build_valid(b, "a range longer than the hash",
                    json_pack("{s:o,s:o}", "s", text_hex(ALICE), "n", drawn_hex("p", 3 * len)));
        build_valid(b, "a long string",
                    json_pack("{s:o,s:o}", "s", pattern_hex(256), "n", drawn_hex("q", len)));
        build_valid(b, "the range of 0 alone", json_pack("{s:o,s:s}", "s", text_hex(BOB), "n", "01"));
        build_group(b, "HashBytes", json_pack("{s:s}", "sha", sha));
        const size_t lengths[] = {1, len, len + 1, 3 * len + 5};
        for (size_t i = 0; i < 4; i++)
            build_valid(b, i < 2 ? "within one hash" : "beyond one hash (P-1)",
                        json_pack("{s:o,s:i}", "p", drawn_hex("p", len), "length", (int)lengths[i]));
    }
}

/* The group's parameters, and with `master` its secret. */
static json_t *members(const domain *d, bool master) {
    json_t *out = json_pack("{s:i,s:o}", "n", (int)ibk_ibe_params_n(d->params), "parameters",
                            work_hex(ibk_buf_span(&d->params_der)));
    if (master)
        json_object_set_new(out, "master", work_hex(ibk_buf_span(&d->master_der)));
    return out;
}

static json_t *changed(ibk_span octets, size_t at, uint8_t by) {
    ibk_buf copy = {0};
    (void)ibk_buf_append_span(&copy, octets);
    if (at < copy.len)
        copy.data[at] ^= by;
    json_t *hex = work_hex(ibk_buf_span(&copy));
    ibk_buf_free(&copy);
    return hex;
}

static void pairings(builder *b, const domain *d) {
    uint8_t p[2 * IBK_IBE_FIELD_MAX], pub[2 * IBK_IBE_FIELD_MAX], q[2 * IBK_IBE_FIELD_MAX],
        three[2 * IBK_IBE_FIELD_MAX] = {0};
    size_t len = 2 * ibk_ibe_params_field_len(d->params);
    ibk_span sp = ibk_span_of(p, len), spub = ibk_span_of(pub, len), sq = ibk_span_of(q, len);
    if (ibk_ibe_params_generator(d->params, p) || ibk_ibe_params_public(d->params, pub) ||
        ibk_ibe_hash_to_point(d->params, ibk_span_str(BOB), q)) {
        b->err = b->err ? b->err : IBK_ERR_INTERNAL;
        return;
    }
    three[len - 1] = 1; /* (0, 1) */
    build_group(b, "Pairing", members(d, false));
    build_valid(b, "e'(P, Q)", json_pack("{s:o,s:o}", "a", work_hex(sp), "b", work_hex(sq)));
    build_valid(b, "e'(P_pub, Q)", json_pack("{s:o,s:o}", "a", work_hex(spub), "b", work_hex(sq)));
    build_valid(b, "e'(Q, P): the same as e'(P, Q)",
                json_pack("{s:o,s:o}", "a", work_hex(sq), "b", work_hex(sp)));
    build_valid(b, "e'(P, P)", json_pack("{s:o,s:o}", "a", work_hex(sp), "b", work_hex(sp)));
    build_invalid(b, "A is not on the curve", "BadPoint",
                  json_pack("{s:o,s:o}", "a", changed(sp, len - 1, 1), "b", work_hex(sq)));
    build_invalid(b, "B is of order 3", "BadPoint",
                  json_pack("{s:o,s:o}", "a", work_hex(sp), "b", work_hex(ibk_span_of(three, len))));
    memset(three, 0xFF, len);
    build_invalid(b, "a coordinate is not below p", "BadPoint",
                  json_pack("{s:o,s:o}", "a", work_hex(ibk_span_of(three, len)), "b", work_hex(sq)));
}

void make_point(builder *b) {
    for (size_t i = 0; i < SIZES && !b->err; i++) {
        domain d;
        b->err = domain_make(&d, sizes[i]);
        build_group(b, "HashToPoint", members(&d, false));
        build_valid(b, "an identity with a date", json_pack("{s:o}", "identity", text_hex(ALICE)));
        build_valid(b, "another", json_pack("{s:o}", "identity", text_hex(BOB)));
        build_valid(b, "one octet", json_pack("{s:s}", "identity", "00"));
        pairings(b, &d);
        build_group(b, "Extract", members(&d, true));
        build_valid(b, "an identity with a date", json_pack("{s:o}", "identity", text_hex(ALICE)));
        build_valid(b, "another", json_pack("{s:o}", "identity", text_hex(BOB)));
        domain_free(&d);
    }
}

/* ---- encryption ------------------------------------------------------------------------------------------
 */

static void spoiled(builder *b, const domain *d, const char *hex) {
    ibk_buf ct = unhex_text(hex);
    ibk_ibe_ciphertext parts = {0};
    ibk_span all = ibk_buf_span(&ct);
    if (ibk_ibe_ciphertext_parse(&parts, all, NULL))
        b->err = b->err ? b->err : IBK_ERR_INTERNAL;
    json_t *key = domain_key(d, BOB);
    const struct {
        const char *comment;
        size_t at;
    } flips[] = {{"the first octet of V is changed", parts.v_offset},
                 {"the last octet of V is changed", parts.v_offset + parts.v.len - 1},
                 {"the first octet of W is changed", parts.w_offset},
                 {"the last octet of W is changed", parts.w_offset + parts.w.len - 1}};
    for (size_t i = 0; i < 4; i++)
        build_invalid(
            b, flips[i].comment, "BadCiphertext",
            json_pack("{s:O,s:o}", "privateKey", key, "ciphertext", changed(all, flips[i].at, 0x01)));
    build_invalid(
        b, "U is not on the curve", "BadPoint",
        json_pack("{s:O,s:o}", "privateKey", key, "ciphertext", changed(all, parts.v_offset - 3, 0x01)));
    build_invalid(b, "the key of another identity", "BadCiphertext",
                  json_pack("{s:o,s:o}", "privateKey", domain_key(d, ALICE), "ciphertext", work_hex(all)));
    build_invalid(b, "cut by an octet", "BadDer",
                  json_pack("{s:O,s:o}", "privateKey", key, "ciphertext",
                            work_hex(ibk_span_of(all.data, all.len - 1))));
    uint8_t p[2 * IBK_IBE_FIELD_MAX]; /* U = P: a point of the group that belongs to no l */
    ibk_ibe_params_generator(d->params, p);
    size_t len = ibk_ibe_params_field_len(d->params);
    ibk_ibe_ciphertext other = parts;
    ibk_buf written = {0};
    other.ux = ibk_span_of(p, len);
    other.uy = ibk_span_of(p + len, len);
    (void)ibk_ibe_ciphertext_encode(&other, &written);
    build_invalid(b, "U is the generator", "BadCiphertext",
                  json_pack("{s:O,s:o}", "privateKey", key, "ciphertext", work_hex(ibk_buf_span(&written))));
    other = parts;
    other.v.len--;
    ibk_buf_clear(&written);
    (void)ibk_ibe_ciphertext_encode(&other, &written);
    build_invalid(b, "V is an octet too short", "BadStructure",
                  json_pack("{s:O,s:o}", "privateKey", key, "ciphertext", work_hex(ibk_buf_span(&written))));
    ibk_buf_free(&written);
    json_decref(key);
    ibk_buf_free(&ct);
}

void make_encryption(builder *b) {
    static const size_t lengths[] = {1, 20, 64, 200};
    for (size_t i = 0; i < SIZES && !b->err; i++) {
        domain d;
        b->err = domain_make(&d, sizes[i]);
        size_t hash = ibk_ibe_hash_len(ibk_ibe_params_hash(d.params));
        const json_t *made[4];
        build_group(b, "Encrypt", members(&d, false));
        for (size_t k = 0; k < 4; k++)
            made[k] = build_valid(
                b, lengths[k] <= hash ? "content within one hash" : "content beyond one hash (P-1)",
                json_pack("{s:o,s:o,s:o}", "identity", text_hex(BOB), "rho", drawn_hex(BOB + k, hash),
                          "plaintext", pattern_hex(lengths[k])));
        build_group(b, "Decrypt", members(&d, false));
        for (size_t k = 0; k < 4 && !b->err; k++)
            build_valid(b, "what was encrypted",
                        json_pack("{s:o,s:O}", "privateKey", domain_key(&d, BOB), "ciphertext",
                                  json_object_get(made[k], "ciphertext")));
        if (!b->err)
            spoiled(b, &d, json_string_value(json_object_get(made[2], "ciphertext")));
        domain_free(&d);
    }
}

/* ---- DER --------------------------------------------------------------------------------------------------
 */

/* A long outer SEQUENCE (30 82 ...) again with what was put behind octet `at` and taken away from there. */
static json_t *spliced(ibk_span der, size_t at, size_t less, const char *more_hex) {
    ibk_buf more = unhex_text(more_hex), out = {0};
    (void)ibk_buf_append_span(&out, ibk_span_of(der.data, at));
    (void)ibk_buf_append_span(&out, ibk_buf_span(&more));
    (void)ibk_buf_append_span(&out, ibk_span_of(der.data + at + less, der.len - at - less));
    size_t len = out.len - 4;
    out.data[2] = (uint8_t)(len >> 8);
    out.data[3] = (uint8_t)len;
    json_t *hex = work_hex(ibk_buf_span(&out));
    ibk_buf_free(&out);
    ibk_buf_free(&more);
    return hex;
}

/* What is no strict DER, whatever the structure: it begins with 30 82 LL LL 02 01 02. */
static void bad_der(builder *b, const char *name, ibk_span der) {
    ibk_buf longer = {0};
    static const uint8_t head[] = {0x30, 0x83, 0x00}, zero = 0;
    build_invalid(b, "version 3", "BadStructure", json_pack("{s:o}", name, changed(der, 6, 1)));
    build_invalid(b, "the version is not in the fewest octets", "BadDer",
                  json_pack("{s:o}", name, spliced(der, 4, 3, "02020002")));
    build_invalid(b, "a version of no octets", "BadDer",
                  json_pack("{s:o}", name, spliced(der, 4, 3, "0200")));
    build_invalid(b, "a negative version", "BadStructure",
                  json_pack("{s:o}", name, spliced(der, 4, 3, "0201fe")));
    build_invalid(b, "a NULL behind the version", "BadStructure",
                  json_pack("{s:o}", name, spliced(der, 7, 0, "0500")));
    build_invalid(b, "a NULL at the end", "BadStructure",
                  json_pack("{s:o}", name, spliced(der, der.len, 0, "0500")));
    build_invalid(b, "an indefinite length", "BadDer", json_pack("{s:o}", name, changed(der, 1, 0x02)));
    build_invalid(b, "a SET in place of the SEQUENCE", "BadStructure",
                  json_pack("{s:o}", name, changed(der, 0, 0x01)));
    build_invalid(b, "cut by an octet", "BadDer",
                  json_pack("{s:o}", name, work_hex(ibk_span_of(der.data, der.len - 1))));
    build_invalid(b, "nothing", "BadStructure", json_pack("{s:s}", name, ""));
    (void)ibk_buf_append_span(&longer, der);
    (void)ibk_buf_append(&longer, &zero, 1);
    build_invalid(b, "an octet behind it", "BadDer",
                  json_pack("{s:o}", name, work_hex(ibk_buf_span(&longer))));
    ibk_buf_clear(&longer);
    (void)ibk_buf_append(&longer, head, sizeof head);
    (void)ibk_buf_append_span(&longer, ibk_span_of(der.data + 2, der.len - 2));
    build_invalid(b, "a length that is not in the fewest octets", "BadDer",
                  json_pack("{s:o}", name, work_hex(ibk_buf_span(&longer))));
    ibk_buf_free(&longer);
}

/* Where P and P_pub stand behind q: SEQUENCEs of more than 127 octets, 30 81 LL. */
static void degenerate(builder *b, ibk_span der, size_t at_p) {
    size_t len = 3 + (size_t)der.data[at_p + 2], at_pub = at_p + len, pub = 3 + (size_t)der.data[at_pub + 2];
    json_t *p = work_hex(ibk_span_of(der.data + at_p, len));
    build_invalid(b, "P_pub is P: the master secret is 1", "BadParameters",
                  json_pack("{s:o}", "parameters", spliced(der, at_pub, pub, json_string_value(p))));
    build_invalid(b, "P_pub is (0, 1), of order 3", "BadPoint",
                  json_pack("{s:o}", "parameters", spliced(der, at_pub, pub, "3006020100020101")));
    build_invalid(b, "P is (0, 1), of order 3", "BadPoint",
                  json_pack("{s:o}", "parameters", spliced(der, at_p, len, "3006020100020101")));
    json_decref(p);
}

/* Octets of 1024-bit parameters: the curve's OID at 7, p behind it, the OID of SHA-1 (7 octets) at the end.
 */
static void bad_parameters(builder *b, ibk_span der) {
    size_t oid = 2 + der.data[8], p = 7 + oid, end = der.len - 7;
    size_t p_len = der.data[p + 1], q = p + 2 + p_len;
    degenerate(b, der, q + 2 + der.data[q + 1]);
    build_invalid(b, "another curve", "Unsupported",
                  json_pack("{s:o}", "parameters", changed(der, p - 1, 1)));
    build_invalid(b, "p is even", "BadParameters", json_pack("{s:o}", "parameters", changed(der, q - 1, 1)));
    build_invalid(b, "p is not 12 r q - 1", "BadParameters",
                  json_pack("{s:o}", "parameters", changed(der, q - 1, 4)));
    build_invalid(b, "p has another length", "BadParameters",
                  json_pack("{s:o}", "parameters", spliced(der, p, 2 + p_len, "020109")));
    build_invalid(b, "q is another", "BadParameters",
                  json_pack("{s:o}", "parameters", changed(der, q + 2 + der.data[q + 1] - 1, 4)));
    build_invalid(b, "P_pub is not on the curve", "BadPoint",
                  json_pack("{s:o}", "parameters", changed(der, end - 1, 1)));
    build_invalid(b, "an unknown hash function", "Unsupported",
                  json_pack("{s:o}", "parameters", changed(der, der.len - 1, 1)));
    build_invalid(b, "SHA-256, which belongs to another size", "BadParameters",
                  json_pack("{s:o}", "parameters", spliced(der, end, 7, "0609608648016503040201")));
}

void make_parameters(builder *b) {
    for (size_t i = 0; i < SIZES && !b->err; i++) {
        domain d;
        b->err = domain_make(&d, sizes[i]);
        build_group(b, "Parameters", NULL);
        build_valid(b, "RFC 5091 §5.1.2",
                    json_pack("{s:o}", "parameters", work_hex(ibk_buf_span(&d.params_der))));
        if (i == 0) {
            bad_der(b, "parameters", ibk_buf_span(&d.params_der));
            bad_parameters(b, ibk_buf_span(&d.params_der));
        }
        domain_free(&d);
    }
}

void make_der(builder *b) {
    domain d;
    b->err = domain_make(&d, 1024);
    json_t *key_hex = domain_key(&d, BOB);
    ibk_buf key = unhex_text(json_string_value(key_hex)), ct = {0};
    seeded s = {.seed = ibk_span_str("rho")};
    ibk_env env = seeded_env(&s);
    b->err =
        b->err ? b->err
               : ibk_ibe_encrypt(
                     &env, d.params, ibk_span_str(BOB),
                     ibk_span_str("content that is long enough for a SEQUENCE whose length takes two octets: "
                                  "with two coordinates of "
                                  "512 bits, the octets of a hash and these here it is more than 255 octets"),
                     &ct);
    build_group(b, "Ciphertext", NULL);
    build_valid(b, "a ciphertext", json_pack("{s:o}", "ciphertext", work_hex(ibk_buf_span(&ct))));
    bad_der(b, "ciphertext", ibk_buf_span(&ct));
    build_group(b, "PrivateKey", members(&d, false));
    build_valid(b, "a private key", json_pack("{s:o}", "privateKey", work_hex(ibk_buf_span(&key))));
    build_invalid(b, "not on the curve", "BadPoint",
                  json_pack("{s:o}", "privateKey", changed(ibk_buf_span(&key), key.len - 1, 1)));
    build_invalid(b, "cut by an octet", "BadDer",
                  json_pack("{s:o}", "privateKey", work_hex(ibk_span_of(key.data, key.len - 1))));
    build_invalid(b, "a ciphertext", "BadStructure",
                  json_pack("{s:o}", "privateKey", work_hex(ibk_buf_span(&ct))));
    json_decref(key_hex);
    ibk_buf_free(&key);
    ibk_buf_free(&ct);
    domain_free(&d);
}
