/* REQUEST_KEY_PKE: what has to succeed, how the messages look, and the envelope. */
#include "kms/pke_lab.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* The user's chain of n + 1 certificates. */
static void use_chain(pke_desk *d, int n) {
    desk_certificate(d, &world.alice[n]);
    const pki_cert *const issuers[] = {&world.middle, &world.lower};
    for (int i = n; i > 0; i--) {
        d->chain[d->rc.pke.n_chain++] = pki_der(issuers[i - 1]);
    }
}

static void has_alices_key(pke_desk *d) {
    ibk_ibe_key *key;
    ibk_buf got = {0}, expected = {0};
    assert_int_equal(d->keys.count, 1);
    assert_true(ibk_span_equal(d->keys.items[0].ibe_identity, ibk_span_str(ALICE "20261124")));
    assert_int_equal(ibk_ibe_extract(lab_home.params, lab_home.master, d->keys.items[0].ibe_identity, &key),
                     IBK_OK);
    assert_int_equal(ibk_ibe_key_encode(key, &expected), IBK_OK);
    assert_int_equal(ibk_ibe_key_encode(d->keys.items[0].key, &got), IBK_OK);
    assert_true(ibk_span_equal(ibk_buf_span(&got), ibk_buf_span(&expected)));
    ibk_ibe_key_free(key);
    ibk_buf_free(&got);
    ibk_buf_free(&expected);
}

static void test_algorithms(void **state) {
    (void)state;
    for (int chain = 0; chain < 3; chain++) {
        for (uint8_t sig = 0; sig < 2; sig++) {
            for (uint8_t rsaes = 0; rsaes < 3; rsaes++) {
                for (int kms = 0; kms < 2; kms++) {
                    pke_desk d;
                    desk_init(&d);
                    use_chain(&d, chain);
                    d.rc.pke.sig_type = sig;
                    d.rc.pke.rsaes = d.pairs[kms].rsaes = rsaes;
                    d.rc.pke.kms_certificate = (size_t)kms;
                    d.rc.pke.n_kms_certificates = d.kc.pke.n_key_pairs = 1 + (size_t)kms;
                    d.rc.prf = (uint8_t)(chain % 2);
                    d.rc.pke.sign_with_sha1 = rsaes == 1;
                    d.rc.pke.chash_with_sha1 = sig;
                    assert_int_equal(whole(&d), IBK_OK);
                    has_alices_key(&d);
                    assert_int_equal(d.result.request_type, IBK_MSG_REQUEST_KEY_PKE);
                    assert_int_equal(d.result.n_keys, 1);
                    desk_free(&d);
                }
            }
        }
    }
}

static void has_types(ibk_span octets, const uint8_t *types, size_t n) {
    ibk_msg msg = {0};
    assert_int_equal(ibk_msg_parse(&msg, octets, NULL), IBK_OK);
    assert_int_equal(msg.chain.count, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(msg.chain.items[i].type, types[i]);
    }
    assert_int_equal(msg.hdr.n_cs, 0);
    assert_int_equal(msg.hdr.map_type, IBK_MAP_EMPTY);
    ibk_msg_free(&msg);
}

/* RFC 6267 §4.2.1: the payloads and their order. */
static void test_frames(void **state) {
    (void)state;
    pke_desk d;
    desk_init(&d);
    use_chain(&d, 1);
    d.users[1] = ibk_identity_uri(TEL);
    d.rc.n_users = 2;
    d.rc.prf = IBK_PRF_HMAC_SHA256;
    assert_int_equal(whole(&d), IBK_OK);
    static const uint8_t plain[] = {IBK_PL_T,    IBK_PL_RAND, IBK_PL_IDR, IBK_PL_IDR, IBK_PL_CERT,
                                    IBK_PL_CERT, IBK_PL_IDR,  IBK_PL_PKE, IBK_PL_SIGN};
    static const uint8_t answer[] = {IBK_PL_T, IBK_PL_IDR, IBK_PL_IDR, IBK_PL_IDR, IBK_PL_KEMAC, IBK_PL_V};
    has_types(ibk_buf_span(&d.asked), plain, sizeof plain);
    has_types(ibk_buf_span(&d.answer), answer, sizeof answer);
    ibk_msg q = {0}, a = {0};
    assert_int_equal(ibk_msg_parse(&q, ibk_buf_span(&d.asked), NULL), IBK_OK);
    assert_int_equal(ibk_msg_parse(&a, ibk_buf_span(&d.answer), NULL), IBK_OK);
    assert_int_equal(q.hdr.data_type, IBK_MSG_REQUEST_KEY_PKE);
    assert_true(q.hdr.v_flag && !a.hdr.v_flag);
    assert_int_equal(q.hdr.csb_id, a.hdr.csb_id);
    assert_int_equal(a.hdr.prf, IBK_PRF_HMAC_SHA256);
    assert_int_equal(ibk_msg_find(&a, IBK_PL_V, 0)->v.mac_alg, IBK_MAC_HMAC_SHA256_256);
    assert_int_equal(ibk_msg_find(&q, IBK_PL_PKE, 0)->pke.cache, IBK_PKE_NO_CACHE);
    assert_int_equal(ibk_msg_find(&q, IBK_PL_PKE, 0)->pke.data.len, 256);
    assert_true(ibk_span_equal(ibk_msg_find(&q, IBK_PL_CERT, 0)->cert.data, pki_der(&world.alice[1])));
    assert_true(ibk_span_equal(ibk_msg_find(&q, IBK_PL_CERT, 1)->cert.data, pki_der(&world.middle)));
    assert_int_equal(ibk_msg_find(&q, IBK_PL_IDR, 2)->id.role, IBK_ROLE_KMS);
    ibk_msg_free(&q);
    ibk_msg_free(&a);
    d.rc.pke.chash = true;
    assert_int_equal(whole(&d), IBK_OK);
    static const uint8_t named[] = {IBK_PL_T,    IBK_PL_RAND, IBK_PL_IDR,   IBK_PL_IDR, IBK_PL_CERT,
                                    IBK_PL_CERT, IBK_PL_IDR,  IBK_PL_CHASH, IBK_PL_PKE, IBK_PL_SIGN};
    has_types(ibk_buf_span(&d.asked), named, sizeof named);
    desk_free(&d);
}

/* Same inputs, same octets; another seed, other ones. */
static void test_repeats(void **state) {
    (void)state;
    for (uint8_t sig = 0; sig < 2; sig++) {
        pke_desk d[3];
        for (int i = 0; i < 3; i++) {
            desk_init(&d[i]);
            d[i].user.random.seed = i == 2 ? 70 : 7;
            d[i].rc.pke.sig_type = sig;
            assert_int_equal(whole(&d[i]), IBK_OK);
        }
        assert_true(ibk_span_equal(ibk_buf_span(&d[0].asked), ibk_buf_span(&d[1].asked)));
        assert_true(ibk_span_equal(ibk_buf_span(&d[0].answer), ibk_buf_span(&d[1].answer)));
        assert_false(ibk_span_equal(ibk_buf_span(&d[0].asked), ibk_buf_span(&d[2].asked)));
        for (int i = 0; i < 3; i++) {
            desk_free(&d[i]);
        }
    }
}

/* P-10: URIs, NAI and byte strings of one user in one request. */
static void test_identities(void **state) {
    (void)state;
    pke_desk d;
    desk_init(&d);
    d.users[1] = ibk_identity_uri(TEL);
    d.users[2] = (ibk_identity){.id_type = IBK_ID_NAI, .id = ibk_span_str(NAI)};
    d.users[3] = (ibk_identity){.id_type = IBK_ID_BYTES, .id = ibk_span_str(TEL "20261125")};
    d.users[4] = (ibk_identity){.id_type = IBK_ID_BYTES, .id = ibk_span_str(NAI "20261126")};
    d.rc.n_users = 5;
    assert_int_equal(whole(&d), IBK_OK);
    static const char *const want[] = {ALICE "20261124", TEL "20261124", NAI "20261124", TEL "20261125",
                                       NAI "20261126"};
    assert_int_equal(d.keys.count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_true(ibk_span_equal(d.keys.items[i].ibe_identity, ibk_span_str(want[i])));
    }
    d.users[0] = d.users[3]; /* a byte string first: the holder's base identity is what counts */
    d.rc.n_users = 1;
    assert_int_equal(whole(&d), IBK_OK);
    assert_int_equal(d.keys.count, 1);
    desk_free(&d);
}

static void test_key_log(void **state) {
    (void)state;
    pke_desk d;
    desk_init(&d);
    assert_int_equal(whole(&d), IBK_OK);
    assert_int_equal(d.user.log.kinds[IBK_KEYLOG_PSK], 1); /* the envelope key */
    assert_int_equal(d.kms_node.log.kinds[IBK_KEYLOG_PSK], 1);
    assert_int_equal(d.user.log.kinds[IBK_KEYLOG_PRIV], 1);
    /* The user's log is the envelope key and the private key; the KMS's ends with the same two. */
    assert_true(d.kms_node.log.octets.len > d.user.log.octets.len);
    assert_memory_equal(d.kms_node.log.octets.data + d.kms_node.log.octets.len - d.user.log.octets.len,
                        d.user.log.octets.data, d.user.log.octets.len);
    desk_free(&d);
}

static void test_work(void **state) {
    (void)state;
    pke_desk d;
    desk_init(&d);
    use_chain(&d, 2);
    assert_int_equal(whole(&d), IBK_OK);
    assert_int_equal(d.user_work.count[IBK_WORK_RSA_PUBLIC], 1); /* the envelope */
    assert_int_equal(d.user_work.size[IBK_WORK_RSA_PUBLIC], 2048);
    assert_int_equal(d.user_work.count[IBK_WORK_RSA_PRIVATE], 1); /* the signature */
    assert_int_equal(d.user_work.size[IBK_WORK_RSA_PRIVATE], 3072);
    assert_int_equal(d.user_work.count[IBK_WORK_IBE_VERIFY_KEY], 1);
    assert_int_equal(d.user_work.size[IBK_WORK_IBE_VERIFY_KEY], 1024);
    assert_int_equal(d.kms_work.count[IBK_WORK_RSA_PUBLIC], 4); /* three certificates and the signature */
    assert_int_equal(d.kms_work.size[IBK_WORK_RSA_PUBLIC], 3072);
    assert_int_equal(d.kms_work.count[IBK_WORK_RSA_PRIVATE], 1);
    assert_int_equal(d.kms_work.size[IBK_WORK_RSA_PRIVATE], 2048);
    assert_int_equal(d.kms_work.count[IBK_WORK_IBE_EXTRACT], 1);
    assert_int_equal(d.kms_work.size[IBK_WORK_IBE_EXTRACT], 1024);
    desk_free(&d);
}

/* ---- the KMS's certificate ------------------------------------------------------------------------------
 */

static void test_chash(void **state) {
    (void)state;
    pke_desk d;
    desk_init(&d);
    d.rc.pke.n_kms_certificates = 2; /* the user knows two, so CHASH names the one */
    assert_int_equal(whole(&d), IBK_OK);
    d.rc.pke.kms_certificate = 1; /* which this KMS lacks */
    refused(&d, IBK_ERR_MISMATCH, IBK_ERRNO_CERT);
    assert_string_equal(d.result.diag.payload, "CHASH");
    d.kc.pke.n_key_pairs = 2;
    assert_int_equal(whole(&d), IBK_OK);
    desk_free(&d);
}

static void chash_md5(ibk_msg *msg, void *arg) {
    (void)arg;
    ibk_payload *p = lab_find(msg, IBK_PL_CHASH, 0);
    p->chash = (ibk_chash){.hash_alg = IBK_HASH_MD5, .hash = ibk_span_str("sixteen octets..")};
}

static void test_chash_hash(void **state) {
    (void)state;
    pke_desk d;
    desk_init(&d);
    d.rc.pke.chash = true;
    handle_edited(&d, chash_md5, NULL);
    assert_int_equal(d.result.err, IBK_ERR_UNSUPPORTED);
    assert_int_equal(d.result.error_no, IBK_ERRNO_HA);
    desk_free(&d);
}

/* An envelope for another key, of the same length or another. */
static void test_wrong_kms_certificate(void **state) {
    (void)state;
    pke_desk d;
    desk_init(&d);
    d.rc.pke.kms_certificates = &d.chain[0]; /* alice's own: 2048 bits as well */
    /* Where alice's modulus is the larger one, an envelope may exceed the KMS's: a number too large, which is
     * public. The next request draws another one. */
    ibk_err came = whole(&d);
    for (int tries = 0; came == IBK_ERR_PEER_ERROR && tries < 200; tries++, came = whole(&d))
        assert_int_equal(d.result.err, IBK_ERR_BAD_VALUE);
    assert_int_equal(came, IBK_ERR_BAD_MAC);
    assert_int_equal(d.result.err, IBK_OK); /* the KMS answers, under a key that nobody knows */
    assert_int_equal(d.result.response_type, IBK_MSG_REQUEST_KEY_RESP);
    d.rc.pke.kms_certificates = &d.kms_certs[1]; /* 3072 bits: anybody can see it */
    refused(&d, IBK_ERR_BAD_LENGTH, IBK_ERRNO_UNSPECIFIED);
    desk_free(&d);
}

/* Does the user trust this certificate of the KMS? */
static ibk_err trusts(ibk_span certificate, const pki_cert *anchor, const char *kms) {
    pke_desk d;
    desk_init(&d);
    ibk_span anchors[] = {pki_der(anchor)};
    d.rc.kms = ibk_identity_uri(kms);
    d.rc.pke.kms_certificates = &certificate;
    d.rc.pke.anchors = anchors;
    d.rc.pke.n_anchors = 1;
    ask(&d);
    ibk_err err = d.started;
    assert_int_equal(d.asked.len > 0, err == IBK_OK);
    assert_int_equal(d.user_work.count[IBK_WORK_RSA_PUBLIC], err ? 0 : 2);
    desk_free(&d);
    return err;
}

static void test_user_checks_the_kms(void **state) {
    (void)state;
    assert_int_equal(trusts(pki_der(&world.kms[0]), &world.root, KMS), IBK_OK);
    assert_int_equal(trusts(pki_der(&world.kms[1]), &world.root, KMS), IBK_OK);
    assert_int_equal(trusts(pki_der(&world.kms[0]), &world.stranger, KMS), IBK_ERR_BAD_CERTIFICATE);
    assert_int_equal(trusts(pki_der(&world.kms[0]), &world.root, "kms.away.example"),
                     IBK_ERR_BAD_CERTIFICATE);
    assert_int_equal(trusts(pki_der(&world.alice[0]), &world.root, KMS), IBK_ERR_BAD_CERTIFICATE);
    pki_request r = {.name = "KMS", .key_of = &world.kms[0], .issuer = &world.root, .sans = "URI:" KMS};
    r.key_usage = "digitalSignature";
    pki_cert no_envelopes = pki_make(&r);
    assert_int_equal(trusts(pki_der(&no_envelopes), &world.root, KMS), IBK_ERR_BAD_CERTIFICATE);
    r.key_usage = NULL;
    r.from_s = LAB_NOON / 1000000000 - 1000;
    r.to_s = LAB_NOON / 1000000000 - 1;
    pki_cert old = pki_make(&r);
    assert_int_equal(trusts(pki_der(&old), &world.root, KMS), IBK_ERR_BAD_CERTIFICATE);
    r.to_s += 2; /* OpenSSL takes notAfter itself as past */
    pki_cert last_second = pki_make(&r);
    assert_int_equal(trusts(pki_der(&last_second), &world.root, KMS), IBK_OK);
    assert_int_equal(trusts(ibk_span_str("no certificate"), &world.root, KMS), IBK_ERR_BAD_CERTIFICATE);
    pki_free(&no_envelopes);
    pki_free(&old);
    pki_free(&last_second);
}

/* ---- the envelope ---------------------------------------------------------------------------------------
 */

static void flip(ibk_msg *msg, void *arg) {
    static uint8_t changed[512];
    ibk_payload *p = lab_find(msg, IBK_PL_PKE, 0);
    memcpy(changed, p->pke.data.data, p->pke.data.len);
    changed[*(size_t *)arg] ^= 1;
    p->pke.data.data = changed;
}

/* A changed envelope, well signed: the answer looks as ever, and opens under no key that the user has.
 * Nothing but its octets differs from that to a right one. */
static void test_no_oracle(void **state) {
    (void)state;
    for (uint8_t rsaes = 0; rsaes < 3; rsaes++) {
        pke_desk d;
        desk_init(&d);
        d.rc.pke.rsaes = d.pairs[0].rsaes = rsaes;
        assert_int_equal(whole(&d), IBK_OK);
        size_t right = d.answer.len;
        for (size_t at = 1; at < 256; at += 17) {
            handle_edited(&d, flip, &at);
            assert_int_equal(d.result.err, IBK_OK);
            assert_int_equal(d.result.n_keys, 1);
            assert_int_equal(d.answer.len, right);
            assert_int_equal(finish(&d), IBK_ERR_BAD_MAC);
            assert_int_equal(d.keys.count, 0);
        }
        desk_free(&d);
    }
}

static void set_cache(ibk_msg *msg, void *arg) {
    lab_find(msg, IBK_PL_PKE, 0)->pke.cache = *(uint8_t *)arg;
}

/* RFC 3830 §6.3: C. */
static void test_cache(void **state) {
    (void)state;
    pke_desk d;
    desk_init(&d);
    for (uint8_t cache = 1; cache < 4; cache++) {
        handle_edited(&d, set_cache, &cache);
        assert_int_equal(d.result.err, IBK_ERR_UNSUPPORTED);
        assert_int_equal(d.result.error_no, IBK_ERRNO_UNSPECIFIED);
        assert_string_equal(d.result.diag.payload, "PKE");
        assert_int_equal(d.kms_work.count[IBK_WORK_RSA_PRIVATE], 0);
    }
    d.rc.pke.cache = IBK_PKE_CACHE_CSB;
    refused(&d, IBK_ERR_UNSUPPORTED, IBK_ERRNO_UNSPECIFIED);
    desk_free(&d);
}

/* [KEMAC] is ignored; its key stream is not used again. */
static void add_kemac(ibk_msg *msg, void *arg) {
    ibk_payload sign = msg->chain.items[--msg->chain.count];
    ibk_add_kemac(&msg->chain, *(uint8_t *)arg, ibk_span_str("twenty-four octets of it"), IBK_MAC_NULL);
    ibk_chain_add(&msg->chain, &sign);
}

static void test_kemac(void **state) {
    (void)state;
    pke_desk d;
    desk_init(&d);
    static const uint8_t asked[] = {IBK_ENCR_AES_CM_128, IBK_ENCR_AES_CM_256, IBK_ENCR_AES_KW_128};
    static const uint8_t answered[] = {IBK_ENCR_AES_KW_128, IBK_ENCR_AES_KW_128, IBK_ENCR_AES_CM_128};
    for (size_t i = 0; i < 3; i++) {
        uint8_t alg = asked[i];
        handle_edited(&d, add_kemac, &alg);
        assert_int_equal(d.result.err, IBK_OK);
        ibk_msg msg = {0};
        assert_int_equal(ibk_msg_parse(&msg, ibk_buf_span(&d.answer), NULL), IBK_OK);
        assert_int_equal(ibk_msg_find(&msg, IBK_PL_KEMAC, 0)->kemac.encr_alg, answered[i]);
        ibk_msg_free(&msg);
        assert_int_equal(finish(&d), IBK_OK);
    }
    desk_free(&d);
}

/* ---- configuration and randomness ------------------------------------------------------------------------
 */

static ibk_err new_request(const pke_desk *d, ibk_key_request_pke pke) {
    ibk_key_request *r = NULL;
    ibk_env env = lab_env((lab_user *)&d->user);
    ibk_key_request_config c = d->rc;
    c.pke = pke;
    ibk_err err = ibk_key_request_new(&r, &env, &c);
    ibk_key_request_free(r);
    return err;
}

static void test_user_config(void **state) {
    (void)state;
    pke_desk d;
    desk_init(&d);
    ibk_key_request_pke good = d.rc.pke, bad;
    static const uint8_t much[IBK_PKE_CERTIFICATE_MAX + 1];
    ibk_span big = ibk_span_of(much, sizeof much);
    assert_int_equal(new_request(&d, good), IBK_OK);
#define REFUSED(member, value)                                                                               \
    bad = good;                                                                                              \
    bad.member = value;                                                                                      \
    assert_int_equal(new_request(&d, bad), IBK_ERR_USAGE)
    REFUSED(private_key, (ibk_span){0});
    REFUSED(n_kms_certificates, 0);
    REFUSED(kms_certificate, 1);
    REFUSED(n_chain, IBK_PKE_MAX_CERTIFICATES + 1);
    REFUSED(chain, &big);
    REFUSED(kms_certificates, &big);
    REFUSED(sig_type, 2);
    REFUSED(rsaes, 3);
    REFUSED(cache, 3);
#undef REFUSED
    d.rc.pke.private_key = pki_key(&world.alice[1]); /* not that of the certificate */
    ask(&d);
    assert_int_equal(d.started, IBK_ERR_MISMATCH);
    pki_cert ec = pki_make(&(pki_request){.name = "EC", .ec = true});
    pki_cert small = pki_make(&(pki_request){.name = "small", .bits = 1024});
    d.rc.pke.n_chain = 0;
    const pki_cert *const unusable[] = {&ec, &small};
    for (int i = 0; i < 2; i++) {
        d.rc.pke.private_key = pki_key(unusable[i]);
        ask(&d);
        assert_int_equal(d.started, IBK_ERR_UNSUPPORTED);
        assert_int_equal(d.asked.len, 0);
    }
    d.rc.pke = good;
    ibk_span small_kms = pki_der(&small);
    d.rc.pke.kms_certificates = &small_kms;
    ask(&d);
    assert_int_equal(d.started, IBK_ERR_UNSUPPORTED);
    pki_free(&ec);
    pki_free(&small);
    desk_free(&d);
}

static ibk_err new_kms(pke_desk *d) {
    ibk_kms *kms = NULL;
    ibk_env env = lab_env(&d->kms_node);
    ibk_err err = ibk_kms_new(&kms, &env, &d->kc);
    ibk_kms_free(kms);
    return err;
}

/* A KMS that serves certificates alone may lack `authorized`, and gives no keys without a request then. */
static void test_extract_for_nobody(void **state) {
    (void)state;
    pke_desk d;
    ibk_buf key = {0};
    desk_init(&d);
    d.kc.authorized = NULL;
    ask(&d);
    assert_int_equal(d.started, IBK_OK);
    assert_int_equal(
        ibk_kms_extract(d.kms, lab_now(&d.kms_node), NULL, ibk_span_str(ALICE "20261124"), &key, NULL),
        IBK_ERR_NOT_AUTHORIZED);
    assert_int_equal(key.len, 0);
    desk_free(&d);
}

static void test_kms_config(void **state) {
    (void)state;
    pke_desk d;
    desk_init(&d);
    assert_int_equal(new_kms(&d), IBK_OK);
    d.kc.pke.n_anchors = 0;
    assert_int_equal(new_kms(&d), IBK_ERR_USAGE);
    d.kc.pke.n_anchors = 1;
    d.kc.pke.n_key_pairs = 0; /* neither method */
    assert_int_equal(new_kms(&d), IBK_ERR_USAGE);
    d.kc.pke.n_key_pairs = IBK_PKE_MAX_CERTIFICATES + 1;
    assert_int_equal(new_kms(&d), IBK_ERR_USAGE);
    d.kc.pke.n_key_pairs = 1;
    d.pairs[0].private_key = pki_key(&world.kms[1]);
    assert_int_equal(new_kms(&d), IBK_ERR_MISMATCH);
    d.pairs[0].private_key = pki_key(&world.kms[0]);
    d.pairs[0].rsaes = 3;
    assert_int_equal(new_kms(&d), IBK_ERR_USAGE);
    d.pairs[0].rsaes = 0;
    d.anchors[0] = ibk_span_str("no certificate");
    assert_int_equal(new_kms(&d), IBK_ERR_BAD_CERTIFICATE);
    desk_free(&d);
}

/* Each draw of the user may fail: CSB ID, RAND, envelope, padding, salt. */
static void test_random_failure(void **state) {
    (void)state;
    for (uint64_t n = 1; n <= 5; n++) {
        pke_desk d;
        desk_init(&d);
        d.rc.pke.sig_type = IBK_SIG_RSA_PSS;
        d.rc.pke.rsaes = IBK_RSAES_OAEP;
        d.user.random.fail_at = n;
        ask(&d);
        assert_int_equal(d.started, IBK_ERR_RANDOM);
        assert_int_equal(d.asked.len, 0);
        desk_free(&d);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_algorithms),
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_repeats),
        cmocka_unit_test(test_identities),
        cmocka_unit_test(test_key_log),
        cmocka_unit_test(test_work),
        cmocka_unit_test(test_chash),
        cmocka_unit_test(test_chash_hash),
        cmocka_unit_test(test_wrong_kms_certificate),
        cmocka_unit_test(test_user_checks_the_kms),
        cmocka_unit_test(test_no_oracle),
        cmocka_unit_test(test_cache),
        cmocka_unit_test(test_kemac),
        cmocka_unit_test(test_user_config),
        cmocka_unit_test(test_extract_for_nobody),
        cmocka_unit_test(test_kms_config),
        cmocka_unit_test(test_random_failure),
    };
    return cmocka_run_group_tests(tests, pke_setup, pke_teardown);
}
