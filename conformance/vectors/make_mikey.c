/* Vectors of MIKEY: keys, points, messages, exchanges. */
#include "conformance/vectors/build.h"

#include <string.h>

#define ALICE "sip:alice@home.example"
#define BOB   "sip:bob@home.example"
#define DATE  "20261124"
enum { NOON = 1795521600 }; /* 2026-11-24T12:00:00Z */

void make_prf(builder *b) {
    static const int lengths[][2] = {{1, 1}, {16, 20}, {32, 32}, {33, 33}, {65, 100}, {133, 16}};
    for (int prf = 0; prf <= 1; prf++) {
        build_group(b, "Prf", json_pack("{s:i}", "prf", prf));
        for (size_t i = 0; i < 6; i++)
            build_valid(b,
                        lengths[i][0] > 32 ? "an input key of several blocks" : "an input key of one block",
                        json_pack("{s:o,s:o,s:i}", "inkey", drawn_hex("inkey", (size_t)lengths[i][0]),
                                  "label", drawn_hex("label", 25), "length", lengths[i][1]));
        build_group(b, "Derive", json_pack("{s:i}", "prf", prf));
        for (size_t i = 0; i < WORK_PURPOSES; i++)
            build_valid(b, work_purposes[i],
                        json_pack("{s:s,s:o,s:i,s:I,s:o,s:i}", "purpose", work_purposes[i], "inkey",
                                  drawn_hex(work_purposes[i], i < 2 ? 65 : 32), "csId", (int)i, "csbId",
                                  (json_int_t)0xC5B1D001, "rand", drawn_hex("rand", 16), "length",
                                  i < 2 ? 32 : 20));
    }
    build_group(b, "Prf", json_pack("{s:i}", "prf", 2));
    build_invalid(b, "an unknown PRF", "Unsupported",
                  json_pack("{s:o,s:o,s:i}", "inkey", drawn_hex("inkey", 16), "label", drawn_hex("label", 25),
                            "length", 20));
}

/* ---- points
 * ------------------------------------------------------------------------------------------------ */

static const uint8_t curves[] = {IBK_EC_P192, IBK_EC_P224, IBK_EC_P256, IBK_EC_P384, IBK_EC_P521};

static json_t *point_with(const ibk_ec_point *point, uint8_t tag, size_t len, uint8_t last) {
    uint8_t octets[sizeof point->octets];
    memcpy(octets, point->octets, sizeof octets);
    octets[0] = tag;
    octets[len - 1] ^= last;
    return work_hex(ibk_span_of(octets, len));
}

void make_ecdh(builder *b) {
    for (size_t i = 0; i < sizeof curves && !b->err; i++) {
        ibk_ec_key key = {0};
        seeded s = {.seed = ibk_span_str("x")};
        ibk_env env = seeded_env(&s);
        b->err = ibk_ec_keygen(&key, &env, IBK_DRAW_X, curves[i]);
        const ibk_ec_point *p = &key.pub;
        size_t half = 1 + p->len / 2;
        uint8_t sign = (uint8_t)(2 + (p->octets[p->len - 1] & 1));
        build_group(b, "Point",
                    json_pack("{s:i,s:s}", "curve", curves[i], "curveName", ibk_ec_curve_name(curves[i])));
        build_valid(b, "uncompressed", json_pack("{s:o}", "point", point_with(p, 4, p->len, 0)));
        build_valid(b, "compressed", json_pack("{s:o}", "point", point_with(p, sign, half, 0)));
        build_valid(b, "compressed, the other one",
                    json_pack("{s:o}", "point", point_with(p, sign ^ 1, half, 0)));
        build_invalid(b, "the last bit of y is changed", "BadPoint",
                      json_pack("{s:o}", "point", point_with(p, 4, p->len, 1)));
        build_invalid(b, "infinity", "BadPoint", json_pack("{s:s}", "point", "00"));
        build_invalid(b, "the tag of hybrid form", "BadLayout",
                      json_pack("{s:o}", "point", point_with(p, 6, p->len, 0)));
        build_invalid(b, "an octet too short", "BadLayout",
                      json_pack("{s:o}", "point", point_with(p, 4, p->len - 1, 0)));
        build_invalid(b, "nothing", "BadLayout", json_pack("{s:s}", "point", ""));
        ibk_wipe(&key, sizeof key);
    }
}

/* ---- exchanges
 * --------------------------------------------------------------------------------------------- */

static json_t *exchange_group(const domain *d) {
    return json_pack("{s:i,s:o,s:s,s:s,s:o,s:o,s:o,s:o}", "n", (int)ibk_ibe_params_n(d->params), "parameters",
                     work_hex(ibk_buf_span(&d->params_der)), "initiator", ALICE, "responder", BOB,
                     "initiatorIdentity", text_hex(ALICE DATE), "responderIdentity", text_hex(BOB DATE),
                     "initiatorKey", domain_key(d, ALICE DATE), "responderKey", domain_key(d, BOB DATE));
}

/* All that is drawn; scalars of the curve's length, in its range because their first octets are small. */
static json_t *exchange_inputs(const domain *d, int prf, uint8_t curve) {
    size_t hash = ibk_ibe_hash_len(ibk_ibe_params_hash(d->params)),
           len = curve == IBK_EC_P521 ? 66 : ibk_ec_field_len(curve);
    uint8_t scalar[2][66];
    seeded s = {.seed = ibk_span_str("x and y")};
    ibk_env env = seeded_env(&s);
    for (size_t i = 0; i < 2; i++) {
        (void)env.draw(env.user, IBK_DRAW_X, scalar[i], len);
        scalar[i][0] = 0;
    }
    return json_pack("{s:i,s:i,s:i,s:s,s:o,s:o,s:o,s:[o,o],s:[o]}", "prf", prf, "curve", curve, "utcSeconds",
                     (int)NOON, "csbId", "c5b1d001", "rand", drawn_hex("rand", 16), "x",
                     work_hex(ibk_span_of(scalar[0], len)), "y", work_hex(ibk_span_of(scalar[1], len)),
                     "initiatorRho", drawn_hex("rho 1", hash), drawn_hex("rho 3", hash), "responderRho",
                     drawn_hex("rho 2", hash));
}

void make_exchange(builder *b) {
    static const unsigned sizes[] = {1024, 3072};
    for (size_t i = 0; i < 2 && !b->err; i++) {
        domain d;
        b->err = domain_make(&d, sizes[i]);
        build_group(b, "Exchange", exchange_group(&d));
        build_valid(b, "MIKEY-1, P-256", exchange_inputs(&d, IBK_PRF_MIKEY_1, IBK_EC_P256));
        build_valid(b, "PRF-HMAC-SHA-256, P-384", exchange_inputs(&d, IBK_PRF_HMAC_SHA256, IBK_EC_P384));
        build_valid(b, "PRF-HMAC-SHA-256, P-521", exchange_inputs(&d, IBK_PRF_HMAC_SHA256, IBK_EC_P521));
        json_t *wrong = exchange_inputs(&d, IBK_PRF_MIKEY_1, IBK_EC_P256);
        json_object_set_new(wrong, "responderKey", domain_key(&d, "sip:carol@home.example" DATE));
        build_invalid(b, "the responder has the key of somebody else", "BadKey", wrong);
        domain_free(&d);
    }
}

/* ---- messages
 * ---------------------------------------------------------------------------------------------- */

static const ibk_t now = {IBK_TS_NTP_UTC, 0xEC5E1A2B80000000};

static ibk_msg start(uint8_t data_type) {
    ibk_msg m = {.hdr = {.data_type = data_type,
                         .v_flag = data_type < 21,
                         .csb_id = 0xC5B1D001,
                         .map_type = IBK_MAP_EMPTY}};
    ibk_add_t(&m.chain, &now);
    return m;
}

/* Key requests and Error messages: their layout; what is encrypted, signed or a MAC is some octets. */
static ibk_msg other_message(uint8_t data_type, ibk_span octets) {
    ibk_msg m = start(data_type);
    ibk_chain *c = &m.chain;
    bool request = data_type == IBK_MSG_REQUEST_KEY_PSK || data_type == IBK_MSG_REQUEST_KEY_PKE;
    if (request)
        ibk_add_rand(c, ibk_span_of(octets.data, 16));
    if (data_type != IBK_MSG_ERROR) {
        ibk_add_idr(c, IBK_ROLE_I, IBK_ID_URI, ibk_span_str(ALICE));
        ibk_add_idr(c, IBK_ROLE_KMS, IBK_ID_URI, ibk_span_str("sip:kms.home.example"));
    }
    if (data_type == IBK_MSG_REQUEST_KEY_PSK)
        ibk_add_idr(c, IBK_ROLE_PSK, IBK_ID_BYTES, ibk_span_of(octets.data, 4));
    if (data_type == IBK_MSG_REQUEST_KEY_PKE) {
        ibk_add_cert(c, IBK_CERT_X509, ibk_span_of(octets.data, 40));
        ibk_add_pke(c, IBK_PKE_NO_CACHE, octets);
        ibk_add_sign(c, IBK_SIG_RSA_PKCS1, octets);
    }
    if (data_type == IBK_MSG_REQUEST_KEY_RESP)
        ibk_add_kemac(c, IBK_ENCR_AES_CM_128, ibk_span_of(octets.data, 50), IBK_MAC_NULL);
    if (data_type == IBK_MSG_REQUEST_KEY_PSK || data_type == IBK_MSG_REQUEST_KEY_RESP)
        ibk_add_v(c, IBK_MAC_HMAC_SHA1_160);
    if (data_type == IBK_MSG_ERROR)
        ibk_add_error(c, IBK_ERRNO_PRF);
    return m;
}

static void message(builder *b, const char *comment, const char *flag, const uint8_t *octets, size_t len,
                    size_t at, uint8_t value) {
    uint8_t copy[2048];
    if (len > sizeof copy || (at >= len && flag)) {
        b->err = b->err ? b->err : IBK_ERR_INTERNAL;
        return;
    }
    memcpy(copy, octets, len);
    if (flag)
        copy[at] = value;
    build_invalid(b, comment, flag ? flag : "BadLayout",
                  json_pack("{s:o}", "message", work_hex(ibk_span_of(copy, len))));
}

/* I_MESSAGE_1 of the first exchange: HDR 28 octets with two crypto sessions, T 10, RAND 18, then IDRi. */
static void bad_messages(builder *b, ibk_span m) {
    uint8_t longer[2048] = {0};
    memcpy(longer, m.data, m.len < sizeof longer ? m.len : 0);
    message(b, "version 2", "BadLayout", m.data, m.len, 0, 2);
    message(b, "data type 26", "BadLayout", m.data, m.len, 1, 26);
    message(b, "an unknown payload behind HDR", "BadLayout", m.data, m.len, 2, 99);
    message(b, "ECCPT in clear behind HDR", "BadPlace", m.data, m.len, 2, IBK_PL_ECCPT);
    message(b, "SK in clear behind HDR", "BadPlace", m.data, m.len, 2, IBK_PL_SK);
    message(b, "more crypto sessions than the map has", "BadLayout", m.data, m.len, 8, 255);
    message(b, "an unknown CS ID map type", "BadLayout", m.data, m.len, 9, 3);
    message(b, "an unknown type of T", "BadLayout", m.data, m.len, 29, 4);
    message(b, "an empty RAND", "BadLayout", m.data, m.len, 39, 0);
    message(b, "RAND is an octet longer than it is", "BadLayout", m.data, m.len, 39, 17);
    message(b, "IDRi passes the end", "BadLayout", m.data, m.len, 59, 0xFF);
    message(b, "cut by an octet", NULL, m.data, m.len - 1, 0, 0);
    message(b, "cut behind HDR", NULL, m.data, 28, 0, 0);
    message(b, "an octet behind it", NULL, longer, m.len + 1, 0, 0);
    message(b, "nothing", NULL, m.data, 0, 0, 0);
}

static void contents(builder *b) {
    ibk_ec_key key = {0};
    seeded s = {.seed = ibk_span_str("x")};
    ibk_env env = seeded_env(&s);
    ibk_chain chain = {0};
    ibk_buf out = {0};
    b->err = b->err ? b->err : ibk_ec_keygen(&key, &env, IBK_DRAW_X, IBK_EC_P256);
    ibk_add_idr(&chain, IBK_ROLE_I, IBK_ID_URI, ibk_span_str(ALICE));
    ibk_add_eccpt(&chain, IBK_EC_P256, ibk_ec_point_span(&key.pub));
    ibk_add_idr(&chain, IBK_ROLE_R, IBK_ID_URI, ibk_span_str(BOB));
    b->err = b->err ? b->err : ibk_chain_write(&chain, &out);
    size_t eccpt = 5 + strlen(ALICE), idrr = out.len - 5 - strlen(BOB); /* where they begin */
    static const struct {
        const char *comment, *flag;
        uint8_t from_idrr, by;
        uint8_t at;
    } bad[] = {{"the padding of the point is not zero", "BadLayout", 0, 1, 67},
               {"the point is infinity", "BadPoint", 0, 0x04, 2},
               {"an unknown curve", "BadLayout", 0, 0x40, 1},
               {"the last sub-payload names another", "BadLayout", 1, IBK_PL_IDR, 0},
               {"SK inside IBAKE", "BadPlace", 0, IBK_PL_IDR ^ IBK_PL_SK, 0}};
    build_group(b, "Content", json_pack("{s:i}", "container", IBK_PL_IBAKE));
    build_valid(b, "IBAKE of I_MESSAGE_1", json_pack("{s:o}", "content", work_hex(ibk_buf_span(&out))));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0] && !b->err; i++) {
        size_t at = (bad[i].from_idrr ? idrr : eccpt) + bad[i].at;
        if (at >= out.len) {
            b->err = IBK_ERR_INTERNAL;
            break;
        }
        out.data[at] ^= bad[i].by;
        build_invalid(b, bad[i].comment, bad[i].flag,
                      json_pack("{s:o}", "content", work_hex(ibk_buf_span(&out))));
        out.data[at] ^= bad[i].by;
    }
    ibk_chain_free(&chain);
    ibk_buf_free(&out);
    ibk_wipe(&key, sizeof key);
}

static void attributes(builder *b, ibk_span octets) {
    ibk_buf value = {0};
    build_group(b, "KeyMgmt", NULL);
    b->err = b->err ? b->err : ibk_keymgmt_write(&value, octets);
    build_valid(b, "a message in SDP", json_pack("{s:s%}", "value", (const char *)value.data, value.len));
    build_valid(b, "one octet", json_pack("{s:s}", "value", "mikey AQ=="));
    build_invalid(b, "capitals", "Unsupported", json_pack("{s:s}", "value", "MIKEY AQ=="));
    build_invalid(b, "no protocol identifier", "BadText", json_pack("{s:s}", "value", "AQ=="));
    build_invalid(b, "no padding", "BadText", json_pack("{s:s}", "value", "mikey AQ"));
    build_invalid(b, "stray bits", "BadText", json_pack("{s:s}", "value", "mikey AR=="));
    build_invalid(b, "a letter outside base64", "BadText", json_pack("{s:s}", "value", "mikey AQ-="));
    build_invalid(b, "two spaces", "BadText", json_pack("{s:s}", "value", "mikey  AQ=="));
    ibk_buf_free(&value);
}

/* The four messages of an exchange, annotated. */
static void exchange_messages(builder *b, ibk_buf *first) {
    static const char *const names[] = {"I_MESSAGE_1", "R_MESSAGE_1", "I_MESSAGE_2", "R_MESSAGE_2"};
    domain d;
    work w = {0};
    b->err = b->err ? b->err : domain_make(&d, 1024);
    if (b->err)
        return;
    json_t *group = exchange_group(&d), *inputs = exchange_inputs(&d, IBK_PRF_MIKEY_1, IBK_EC_P256);
    json_object_set_new(group, "type", json_string("Exchange"));
    b->err = work_run(&w, group, inputs);
    build_group(b, "Message", NULL);
    for (size_t i = 0; i < 4 && !b->err; i++)
        build_valid(b, names[i],
                    json_pack("{s:O}", "message", json_array_get(json_object_get(w.out, "messages"), i)));
    *first = unhex_text(json_string_value(json_array_get(json_object_get(w.out, "messages"), 0)));
    work_end(&w);
    json_decref(group);
    json_decref(inputs);
    domain_free(&d);
}

void make_messages(builder *b) {
    static const uint8_t others[] = {IBK_MSG_REQUEST_KEY_PSK, IBK_MSG_REQUEST_KEY_PKE,
                                     IBK_MSG_REQUEST_KEY_RESP, IBK_MSG_ERROR};
    ibk_buf first = {0};
    exchange_messages(b, &first);
    for (size_t i = 0; i < sizeof others && !b->err; i++) {
        ibk_msg m = other_message(others[i], ibk_span_of(first.data, 64));
        ibk_buf out = {0};
        b->err = ibk_msg_write(&m, &out);
        build_valid(b, ibk_msg_type_name(others[i]),
                    json_pack("{s:o}", "message", work_hex(ibk_buf_span(&out))));
        if (others[i] == IBK_MSG_REQUEST_KEY_PSK) { /* V is its last 22 octets */
            message(b, "a payload behind V", "BadLayout", out.data, out.len, out.len - 22, IBK_PL_EXT);
            message(b, "an unknown MAC algorithm", "BadLayout", out.data, out.len, out.len - 21, 3);
        }
        ibk_msg_free(&m);
        ibk_buf_free(&out);
    }
    if (!b->err)
        bad_messages(b, ibk_buf_span(&first));
    contents(b);
    attributes(b, ibk_span_of(first.data, b->err ? 0 : 60));
    ibk_buf_free(&first);
}
