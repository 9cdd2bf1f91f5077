#include "mikey/samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

ibk_buf unhex(const char *hex) {
    ibk_buf out = {0};
    for (unsigned v; sscanf(hex, " %2x", &v) == 1;) {
        uint8_t octet = (uint8_t)v;
        assert_int_equal(ibk_buf_append(&out, &octet, 1), IBK_OK);
        hex += strspn(hex, " ") + 2;
    }
    return out;
}

ibk_span pattern(uint8_t first, size_t len) {
    static uint8_t octets[256 + 1024];
    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t)i;
    return ibk_span_of(octets + first, len);
}

static ibk_err draw(void *user, ibk_draw_label label, uint8_t *out, size_t len) {
    uint64_t *counter = user;
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(0x9E3779B97F4A7C15u * (++*counter + label) >> 56);
    return IBK_OK;
}

ibk_env counting_env(uint64_t *counter) {
    return (ibk_env){.user = counter, .draw = draw};
}

static const ibk_t now = {IBK_TS_NTP_UTC, 0xEC5E1A2B80000000};

static void add(sample *out, size_t *n, const char *name, const ibk_msg *msg) {
    assert_true(*n < SAMPLES_MAX);
    out[*n] = (sample){.name = name};
    assert_int_equal(ibk_msg_write(msg, &out[*n].octets), IBK_OK);
    ++*n;
}

static void add_inner(sample *out, size_t *n, const char *name, uint8_t container, const ibk_chain *chain) {
    assert_true(*n < SAMPLES_MAX);
    out[*n] = (sample){.name = name, .container = container};
    assert_int_equal(ibk_chain_write(chain, &out[*n].octets), IBK_OK);
    ++*n;
}

static ibk_msg start(uint8_t data_type, uint8_t prf) {
    ibk_msg m = {.hdr = {.data_type = data_type,
                         .v_flag = true,
                         .prf = prf,
                         .csb_id = 0xC5B1D001,
                         .map_type = IBK_MAP_EMPTY}};
    ibk_add_t(&m.chain, &now);
    return m;
}

static void add_ids(ibk_msg *m) {
    ibk_add_idr(&m->chain, IBK_ROLE_I, IBK_ID_URI, ibk_span_str("sip:alice@a.example"));
    ibk_add_idr(&m->chain, IBK_ROLE_R, IBK_ID_URI, ibk_span_str("sip:bob@b.example"));
}

static void i_message_1(sample *out, size_t *n) {
    ibk_msg m = start(IBK_MSG_I_MESSAGE_1, IBK_PRF_HMAC_SHA256);
    ibk_buf map = {0}, params = {0};
    m.hdr.n_cs = 2;
    m.hdr.map_type = IBK_MAP_SRTP_ID;
    for (uint32_t i = 1; i <= 2; i++)
        assert_int_equal(ibk_map_put_srtp(&map, &(ibk_cs_srtp){1, 0xA0A0A000 + i, i}), IBK_OK);
    m.hdr.map = ibk_buf_span(&map);
    ibk_srtp_policy policy = ibk_srtp_policy_default();
    policy.present = 0x1FFF;
    policy.kdr = 1 << 24;
    assert_int_equal(ibk_srtp_policy_write(&params, &policy), IBK_OK);
    ibk_add_rand(&m.chain, pattern(1, 16));
    add_ids(&m);
    ibk_add_sp(&m.chain, 1, IBK_PROT_SRTP, ibk_buf_span(&params));
    ibk_add_sp(&m.chain, 2, IBK_PROT_SRTP, (ibk_span){0});
    ibk_add_ext(&m.chain, IBK_EXT_SDP_IDS, ibk_span_str("mikey"));
    ibk_add_enc(&m.chain, IBK_PL_IBAKE, pattern(9, 60));
    ibk_add_enc(&m.chain, IBK_PL_ESK, pattern(7, 40));
    add(out, n, "I_MESSAGE_1", &m);
    ibk_msg_free(&m);
    ibk_buf_free(&map);
    ibk_buf_free(&params);
}

static void r_message_2(sample *out, size_t *n) {
    ibk_msg m = start(IBK_MSG_R_MESSAGE_2, IBK_PRF_HMAC_SHA256);
    ibk_buf map = {0}, session = {0};
    m.hdr.n_cs = 3;
    m.hdr.map_type = IBK_MAP_GENERIC_ID;
    assert_int_equal(ibk_srtp_session_write(&session, &(ibk_srtp_session){0x01020304, true, 5, 6}), IBK_OK);
    ibk_cs_generic cs[3] = {{1, IBK_PROT_SRTP, true, pattern(1, 2), ibk_buf_span(&session), pattern(3, 4)},
                            {2, IBK_PROT_SRTP, false, {0}, {0}, {0}},
                            {3, 77, false, pattern(9, 1), pattern(1, 3), {0}}};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(ibk_map_put_generic(&map, &cs[i]), IBK_OK);
    m.hdr.map = ibk_buf_span(&map);
    add_ids(&m);
    ibk_add_v(&m.chain, IBK_MAC_HMAC_SHA256_256);
    add(out, n, "R_MESSAGE_2", &m);
    ibk_msg_free(&m);
    ibk_buf_free(&map);
    ibk_buf_free(&session);
}

static void key_request(sample *out, size_t *n) {
    ibk_msg m = start(IBK_MSG_REQUEST_KEY_PSK, IBK_PRF_MIKEY_1);
    ibk_add_rand(&m.chain, pattern(1, 255));
    ibk_add_idr(&m.chain, IBK_ROLE_I, IBK_ID_BYTES, pattern(0x60, 30));
    ibk_add_idr(&m.chain, IBK_ROLE_KMS, IBK_ID_NAI, ibk_span_str("kms@a.example"));
    ibk_add_kemac(&m.chain, IBK_ENCR_AES_CM_128, pattern(3, 24), IBK_MAC_NULL);
    ibk_add_v(&m.chain, IBK_MAC_HMAC_SHA1_160);
    add(out, n, "REQUEST_KEY_PSK", &m);
    ibk_msg_free(&m);

    m = start(IBK_MSG_REQUEST_KEY_PKE, IBK_PRF_MIKEY_1);
    ibk_add_cert(&m.chain, IBK_CERT_X509, pattern(0, 50));
    ibk_add_cert(&m.chain, IBK_CERT_X509_URL, ibk_span_str("http://a.example/c"));
    ibk_add_kemac(&m.chain, IBK_ENCR_AES_KW_128, pattern(3, 24), IBK_MAC_HMAC_SHA1_160);
    ibk_chain_add(&m.chain, &(ibk_payload){.type = IBK_PL_CHASH, .chash = {IBK_HASH_SHA256, pattern(4, 32)}});
    ibk_chain_add(&m.chain, &(ibk_payload){.type = IBK_PL_CHASH, .chash = {IBK_HASH_MD5, pattern(4, 16)}});
    ibk_add_pke(&m.chain, IBK_PKE_CACHE_CSB, pattern(4, 128));
    ibk_add_sign(&m.chain, IBK_SIG_RSA_PSS, pattern(1, 128));
    add(out, n, "REQUEST_KEY_PKE", &m);
    ibk_msg_free(&m);
}

static void rest(sample *out, size_t *n) {
    ibk_msg m = start(IBK_MSG_ERROR, IBK_PRF_MIKEY_1);
    ibk_chain_add(&m.chain, &(ibk_payload){.type = IBK_PL_ERR, .error = {IBK_ERRNO_SPPAR, 0xBEEF}});
    ibk_add_error(&m.chain, IBK_ERRNO_UNSPECIFIED);
    ibk_add_v(&m.chain, IBK_MAC_NULL);
    add(out, n, "Error", &m);
    ibk_msg_free(&m);

    m = start(5, IBK_PRF_MIKEY_1);
    static const uint8_t groups[] = {IBK_DH_OAKLEY_5, IBK_DH_OAKLEY_1, IBK_DH_OAKLEY_2};
    static const size_t lens[] = {192, 96, 128};
    for (uint8_t i = 0; i < 3; i++) {
        ibk_kv kv = {i, pattern(1, i == 1 ? 4 : 0), pattern(1, i == 2 ? 6 : 0), pattern(7, i == 2 ? 6 : 0)};
        ibk_dh dh = {groups[i], (uint8_t)(5 * i), pattern(i, lens[i]), kv};
        ibk_chain_add(&m.chain, &(ibk_payload){.type = IBK_PL_DH, .dh = dh});
    }
    ibk_chain_add(&m.chain, &(ibk_payload){.type = IBK_PL_ID, .id = {0, IBK_ID_NAI, ibk_span_str("a@b")}});
    ibk_chain_add(&m.chain, &(ibk_payload){.type = IBK_PL_TR, .tr = {4, {IBK_TS_NTP_UTC_32, 3600}}});
    ibk_chain_add(&m.chain, &(ibk_payload){.type = IBK_PL_T, .t = {IBK_TS_COUNTER, 7}});
    ibk_chain_add(&m.chain, &(ibk_payload){.type = IBK_PL_T, .t = {IBK_TS_NTP, ~(uint64_t)0}});
    ibk_chain_add(&m.chain, &(ibk_payload){.type = IBK_PL_RANDR, .rand = {IBK_ROLE_KMS, pattern(1, 17)}});
    ibk_chain_add(&m.chain, &(ibk_payload){.type = IBK_PL_CHASH, .chash = {IBK_HASH_SHA1, pattern(4, 20)}});
    add(out, n, "D-H resp", &m);
    ibk_msg_free(&m);

    m = (ibk_msg){.hdr = {.data_type = IBK_MSG_ERROR}};
    add(out, n, "HDR alone", &m);
}

static void inner(sample *out, size_t *n) {
    ibk_kv spi = {IBK_KV_SPI, pattern(1, 4), {0}, {0}},
           interval = {IBK_KV_INTERVAL, {0}, pattern(0, 6), pattern(9, 6)};
    static const uint8_t curves[] = {IBK_EC_P192, IBK_EC_P224, IBK_EC_P256, IBK_EC_P384, IBK_EC_P521};
    ibk_chain c = {0};
    ibk_add_idr(&c, IBK_ROLE_I, IBK_ID_URI, ibk_span_str("sip:alice@a.example"));
    for (size_t i = 0; i < sizeof curves; i++) {
        ibk_ec_point point = {.octets = {0x04}};
        ibk_add_eccpt(&c, curves[i], ibk_span_of(point.octets, ibk_ec_point_len(curves[i])));
        add_inner(out, n, "IBAKE", IBK_PL_IBAKE, &c);
        c.count--;
        point.octets[0] = 0x03;
        ibk_eccpt p = {curves[i], ibk_span_of(point.octets, 1 + ibk_ec_field_len(curves[i])), 2, 32, 9, spi};
        ibk_chain_add(&c, &(ibk_payload){.type = IBK_PL_ECCPT, .eccpt = p});
        add_inner(out, n, "IBAKE, compressed", IBK_PL_IBAKE, &c);
        c.count--;
    }
    ibk_add_sk(&c, pattern(5, 32), &interval);
    add_inner(out, n, "ESK", IBK_PL_ESK, &c);
    c.count--;
    for (uint8_t type = 0; type <= IBK_KEY_K_PR; type++) {
        ibk_key_data key = {type,
                            pattern(type, 20),
                            {0},
                            type % 3 == 0   ? spi
                            : type % 3 == 1 ? interval
                                            : (ibk_kv){0}};
        if (type % 2 == 1 && type < 7)
            key.salt = pattern(3, 14);
        ibk_chain_add(&c, &(ibk_payload){.type = IBK_PL_KEY_DATA, .key = key});
    }
    add_inner(out, n, "KEMAC", IBK_PL_KEMAC, &c);
    ibk_chain_free(&c);
}

size_t samples_make(sample out[SAMPLES_MAX]) {
    size_t n = 0;
    i_message_1(out, &n);
    r_message_2(out, &n);
    key_request(out, &n);
    rest(out, &n);
    inner(out, &n);
    return n;
}

void samples_free(sample *samples, size_t count) {
    for (size_t i = 0; i < count; i++)
        ibk_buf_free(&samples[i].octets);
}

ibk_err reencode(const sample *s, ibk_span in, ibk_buf *out, ibk_diag *diag) {
    ibk_msg m = {0};
    ibk_chain c = {0};
    ibk_err err =
        s->container ? ibk_chain_parse(&c, s->container, IBK_PL_IDR, in, diag) : ibk_msg_parse(&m, in, diag);
    if (!err)
        err = s->container ? ibk_chain_write(&c, out) : ibk_msg_write(&m, out);
    ibk_msg_free(&m);
    ibk_chain_free(&c);
    return err;
}
