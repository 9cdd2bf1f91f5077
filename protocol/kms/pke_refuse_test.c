/* REQUEST_KEY_PKE: what has to be refused, and why. */
#include "kms/pke_lab.h"

#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define NOON_S (LAB_NOON / 1000000000)

/* alice[0]'s key and names in another certificate. */
static pki_cert alice_but(pki_request r) {
    r.name = r.name ? r.name : "Alice";
    r.key_of = r.key_of ? r.key_of : r.bits || r.ec ? NULL : &world.alice[0];
    r.issuer = r.issuer ? r.issuer : &world.root;
    r.sans = r.sans ? r.sans : "URI:" ALICE;
    return pki_make(&r);
}

static bool told(const pke_desk *d, const char *text) {
    if (strstr(d->result.diag.detail, text)) {
        return true;
    }
    print_message("%s: %s\n", text, d->result.diag.detail);
    return false;
}

/* A request with this certificate alone is refused with these words. */
static void certificate_refused(pki_cert cert, ibk_err err, const char *why) {
    pke_desk d;
    desk_init(&d);
    desk_certificate(&d, &cert);
    refused(&d, err, IBK_ERRNO_CERT);
    assert_true(told(&d, why));
    assert_string_equal(d.result.diag.payload, "CERT");
    assert_int_equal(ibk_replay_cache_count(d.kms_node.replay), 0);
    assert_int_equal(d.kms_work.count[IBK_WORK_RSA_PRIVATE], 0); /* no envelope is opened for strangers */
    desk_free(&d);
    pki_free(&cert);
}

static void test_untrusted(void **state) {
    (void)state;
    certificate_refused(alice_but((pki_request){.issuer = &world.stranger}), IBK_ERR_BAD_CERTIFICATE,
                        "unable to get local issuer certificate");
    pki_request self = {.name = "Alice", .key_of = &world.alice[0], .sans = "URI:" ALICE};
    certificate_refused(pki_make(&self), IBK_ERR_BAD_CERTIFICATE, "self-signed certificate");
    /* An intermediate certificate that is missing, and one from the message that is no anchor. */
    pke_desk d;
    desk_init(&d);
    desk_certificate(&d, &world.alice[1]);
    refused(&d, IBK_ERR_BAD_CERTIFICATE, IBK_ERRNO_CERT);
    assert_true(told(&d, "unable to get local issuer certificate"));
    pki_cert false_alice = alice_but((pki_request){.issuer = &world.stranger});
    desk_certificate(&d, &false_alice);
    d.chain[1] = pki_der(&world.stranger);
    d.rc.pke.n_chain = 2;
    refused(&d, IBK_ERR_BAD_CERTIFICATE, IBK_ERRNO_CERT);
    assert_true(told(&d, "self-signed certificate in certificate chain"));
    pki_free(&false_alice);
    /* The CA flag: alice's own certificate signs for a friend. */
    pki_cert friend =
        alice_but((pki_request){.name = "Friend", .key_of = &world.alice[1], .issuer = &world.alice[0]});
    desk_certificate(&d, &friend);
    d.chain[1] = pki_der(&world.alice[0]);
    d.rc.pke.n_chain = 2;
    refused(&d, IBK_ERR_BAD_CERTIFICATE, IBK_ERRNO_CERT);
    assert_true(told(&d, "invalid CA certificate"));
    pki_free(&friend);
    desk_free(&d);
}

/* At the KMS's time, not the machine's. */
static void test_dates(void **state) {
    (void)state;
    certificate_refused(alice_but((pki_request){.from_s = NOON_S - 90, .to_s = NOON_S - 1}),
                        IBK_ERR_BAD_CERTIFICATE, "certificate has expired");
    certificate_refused(alice_but((pki_request){.from_s = NOON_S + 1, .to_s = NOON_S + 90}),
                        IBK_ERR_BAD_CERTIFICATE, "certificate is not yet valid");
    pki_cert just = alice_but((pki_request){.from_s = NOON_S, .to_s = NOON_S + 1});
    pke_desk d;
    desk_init(&d);
    desk_certificate(&d, &just);
    assert_int_equal(whole(&d), IBK_OK);
    d.user.utc_ns = d.kms_node.utc_ns += 2 * INT64_C(1000000000);
    refused(&d, IBK_ERR_BAD_CERTIFICATE, IBK_ERRNO_CERT);
    desk_free(&d);
    pki_free(&just);
}

static void test_depth(void **state) {
    (void)state;
    pke_desk d;
    desk_init(&d);
    desk_certificate(&d, &world.alice[2]);
    d.chain[1] = pki_der(&world.lower);
    d.chain[2] = pki_der(&world.middle);
    d.rc.pke.n_chain = 3;
    d.kc.pke.max_intermediates = 1;
    refused(&d, IBK_ERR_BAD_CERTIFICATE, IBK_ERRNO_CERT);
    assert_true(told(&d, "chain too long") || told(&d, "unable to get local issuer"));
    d.kc.pke.max_intermediates = 2;
    assert_int_equal(whole(&d), IBK_OK);
    d.chain[1] = pki_der(&world.middle); /* in any order */
    d.chain[2] = pki_der(&world.lower);
    assert_int_equal(whole(&d), IBK_OK);
    desk_free(&d);
}

static void test_strength(void **state) {
    (void)state;
    certificate_refused(alice_but((pki_request){.sha1 = true}), IBK_ERR_BAD_CERTIFICATE, "too weak");
    certificate_refused(alice_but((pki_request){.key_usage = "critical,keyAgreement"}),
                        IBK_ERR_BAD_CERTIFICATE, "key usage");
    certificate_refused(alice_but((pki_request){.ext_usage = "serverAuth"}), IBK_ERR_BAD_CERTIFICATE,
                        "purpose");
}

/* Certificates that an honest user would not send: the message is made by hand. */
static void set_cert(ibk_msg *msg, void *arg) {
    lab_find(msg, IBK_PL_CERT, 0)->cert.data = *(ibk_span *)arg;
}

static void sent_certificate(ibk_span cert, ibk_err err, const char *why) {
    pke_desk d;
    desk_init(&d);
    handle_edited(&d, set_cert, &cert);
    assert_int_equal(d.result.err, err);
    assert_int_equal(d.result.error_no, IBK_ERRNO_CERT);
    assert_true(told(&d, why));
    desk_free(&d);
}

static void test_odd_keys(void **state) {
    (void)state;
    pki_cert small = alice_but((pki_request){.bits = 1024}), ec = alice_but((pki_request){.ec = true});
    pki_cert long_one = alice_but((pki_request){.padding = IBK_PKE_CERTIFICATE_MAX});
    pki_cert fits = alice_but((pki_request){.padding = IBK_PKE_CERTIFICATE_MAX - 1200});
    sent_certificate(pki_der(&small), IBK_ERR_BAD_CERTIFICATE, "key too weak");
    sent_certificate(pki_der(&ec), IBK_ERR_UNSUPPORTED, "not RSA");
    sent_certificate(pki_der(&long_one), IBK_ERR_LIMIT, "octets, limit 8192");
    sent_certificate(ibk_span_str("no certificate"), IBK_ERR_BAD_CERTIFICATE, "not an X.509 certificate");
    ibk_buf trailing = {0};
    assert_int_equal(ibk_buf_append_span(&trailing, pki_der(&world.alice[0])), IBK_OK);
    assert_int_equal(ibk_buf_append(&trailing, "", 1), IBK_OK);
    sent_certificate(ibk_buf_span(&trailing), IBK_ERR_BAD_CERTIFICATE, "not an X.509 certificate");
    pke_desk d;
    desk_init(&d);
    desk_certificate(&d, &fits);
    assert_int_equal(whole(&d), IBK_OK);
    desk_free(&d);
    ibk_buf_free(&trailing);
    pki_free(&small);
    pki_free(&ec);
    pki_free(&long_one);
    pki_free(&fits);
}

static void set_cert_type(ibk_msg *msg, void *arg) {
    lab_find(msg, IBK_PL_CERT, 0)->cert.cert_type = *(uint8_t *)arg;
}

static void add_certs(ibk_msg *msg, void *arg) {
    ibk_payload sign = msg->chain.items[--msg->chain.count];
    for (int i = 0; i < *(int *)arg; i++) {
        ibk_add_cert(&msg->chain, IBK_CERT_X509, pki_der(&world.middle));
    }
    ibk_chain_add(&msg->chain, &sign);
}

static void test_cert_payloads(void **state) {
    (void)state;
    pke_desk d;
    desk_init(&d);
    static const struct {
        uint8_t type;
        ibk_err err;
    } types[] = {{IBK_CERT_X509_SIGN, IBK_OK},
                 {IBK_CERT_X509_URL, IBK_ERR_UNSUPPORTED},
                 {IBK_CERT_X509_ENCR, IBK_ERR_MISSING_PAYLOAD}, /* as if there were none */
                 {9, IBK_ERR_UNSUPPORTED}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        uint8_t type = types[i].type;
        handle_edited(&d, set_cert_type, &type);
        assert_int_equal(d.result.err, types[i].err);
        assert_int_equal(d.result.error_no, types[i].err ? IBK_ERRNO_CERT : 0);
    }
    int more = IBK_PKE_MAX_CERTIFICATES - 1; /* those that are not needed do no harm */
    handle_edited(&d, add_certs, &more);
    assert_int_equal(d.result.err, IBK_OK);
    more++;
    handle_edited(&d, add_certs, &more);
    assert_int_equal(d.result.err, IBK_ERR_LIMIT);
    assert_int_equal(d.result.error_no, IBK_ERRNO_CERT);
    desk_free(&d);
}

/* ---- a certificate that the KMS knows ---------------------------------------------------------------------
 */

static bool know_alice(void *user, const ibk_identity *first, ibk_buf *certificate) {
    (void)user;
    return ibk_span_equal(first->id, ibk_span_str(ALICE)) &&
           ibk_buf_append_span(certificate, pki_der(&world.alice[0])) == IBK_OK;
}

static void test_without_certificate(void **state) {
    (void)state;
    pke_desk d;
    desk_init(&d);
    d.rc.pke.n_chain = 0;
    refused(&d, IBK_ERR_MISSING_PAYLOAD, IBK_ERRNO_CERT);
    d.kc.pke.certificate = know_alice;
    assert_int_equal(whole(&d), IBK_OK);
    d.rc.pke.private_key = pki_key(&world.alice[1]); /* not alice's */
    refused(&d, IBK_ERR_BAD_SIGNATURE, IBK_ERRNO_AUTH);
    d.users[0] = ibk_identity_uri(TEL);
    refused(&d, IBK_ERR_MISSING_PAYLOAD, IBK_ERRNO_CERT);
    desk_free(&d);
}

/* ---- identities -------------------------------------------------------------------------------------------
 */

/* A request for this identity with a certificate of these names. */
static ibk_err names(const char *sans, uint8_t id_type, const char *id) {
    pki_cert cert = alice_but((pki_request){.sans = sans});
    pke_desk d;
    desk_init(&d);
    desk_certificate(&d, &cert);
    d.users[0] = (ibk_identity){.id_type = id_type, .id = ibk_span_str(id)};
    ibk_err told_user = whole(&d), err = d.result.err;
    assert_int_equal(told_user, err ? IBK_ERR_PEER_ERROR : IBK_OK);
    if (err) {
        assert_int_equal(d.error_no, IBK_ERRNO_ID);
        assert_non_null(strstr(d.diag.detail, "(authenticated)")); /* under V of the envelope key */
    }
    desk_free(&d);
    pki_free(&cert);
    return err;
}

static void test_names(void **state) {
    (void)state;
    const ibk_err no = IBK_ERR_NOT_AUTHORIZED;
    assert_int_equal(names("URI:" ALICE, IBK_ID_URI, ALICE), IBK_OK);
    assert_int_equal(names("URI:" TEL, IBK_ID_URI, TEL), IBK_OK);
    assert_int_equal(names("URI:" TEL ",URI:" ALICE, IBK_ID_URI, ALICE), IBK_OK);
    assert_int_equal(names("URI:" TEL, IBK_ID_URI, ALICE), no);
    assert_int_equal(names("URI:sip:bob@home.example", IBK_ID_URI, ALICE), no);
    assert_int_equal(names("URI:" ALICE "s", IBK_ID_URI, ALICE), no); /* nor a part of a name */
    assert_int_equal(names("URI:sip:alice@home.exampl", IBK_ID_URI, ALICE), no);
    assert_int_equal(names("DNS:home.example", IBK_ID_URI, "home.example"), no);
    assert_int_equal(names("email:" NAI, IBK_ID_NAI, NAI), IBK_OK);
    assert_int_equal(names("email:" NAI, IBK_ID_URI, NAI), no);
    assert_int_equal(names("URI:" ALICE, IBK_ID_NAI, NAI), no);
    assert_int_equal(names("URI:" ALICE, IBK_ID_BYTES, ALICE "20261125"), IBK_OK);
    assert_int_equal(names("email:" NAI, IBK_ID_BYTES, NAI "20261125"), IBK_OK);
    assert_int_equal(names("URI:" ALICE, IBK_ID_BYTES, TEL "20261125"), no);
    assert_int_equal(names("URI:" ALICE "20261125", IBK_ID_BYTES, ALICE "20261125"), no);
}

/* One of several is not in the certificate: no key at all. */
static void test_all_or_nothing(void **state) {
    (void)state;
    pke_desk d;
    desk_init(&d);
    d.users[1] = ibk_identity_uri(TEL);
    d.users[2] = ibk_identity_uri("sip:bob@home.example");
    d.rc.n_users = 3;
    refused(&d, IBK_ERR_NOT_AUTHORIZED, IBK_ERRNO_ID);
    assert_int_equal(d.kms_work.count[IBK_WORK_IBE_EXTRACT], 0);
    d.rc.n_users = 2;
    assert_int_equal(whole(&d), IBK_OK);
    assert_int_equal(d.keys.count, 2);
    desk_free(&d);
}

typedef struct policy {
    const char *excluded, *granted;
    bool veto;
    int named, unnamed;
} policy;

static policy rules;

static bool holder(void *user, ibk_span certificate, const ibk_identity *first, void **owner) {
    (void)user;
    assert_true(ibk_span_equal(certificate, pki_der(&world.alice[0])));
    *owner = &rules;
    return !rules.excluded || !ibk_span_equal(first->id, ibk_span_str(rules.excluded));
}

static bool authorized(void *user, void *owner, ibk_span id, bool named) {
    (void)user;
    assert_ptr_equal(owner, &rules);
    *(named ? &rules.named : &rules.unnamed) += 1;
    return !rules.veto && (named || (rules.granted && ibk_span_equal(id, ibk_span_str(rules.granted))));
}

static void test_policy(void **state) {
    (void)state;
    pke_desk d;
    desk_init(&d);
    d.kc.pke.holder = holder;
    d.kc.pke.authorized = authorized;
    rules = (policy){.granted = "sip:office@home.example"};
    d.users[1] = ibk_identity_uri("sip:office@home.example"); /* not in the certificate, yet granted */
    d.rc.n_users = 2;
    assert_int_equal(whole(&d), IBK_OK);
    assert_int_equal(d.keys.count, 2);
    assert_int_equal(rules.named, 1);
    assert_int_equal(rules.unnamed, 1);
    rules.granted = NULL;
    refused(&d, IBK_ERR_NOT_AUTHORIZED, IBK_ERRNO_ID);
    d.rc.n_users = 1;
    rules.veto = true; /* in the certificate, yet no customer */
    refused(&d, IBK_ERR_NOT_AUTHORIZED, IBK_ERRNO_ID);
    rules = (policy){.excluded = ALICE};
    refused(&d, IBK_ERR_NOT_AUTHORIZED, IBK_ERRNO_AUTH);
    assert_int_equal(d.kms_work.count[IBK_WORK_RSA_PRIVATE], 0);
    desk_free(&d);
}

/* ---- signatures -------------------------------------------------------------------------------------------
 */

static void test_signature(void **state) {
    (void)state;
    pke_desk d;
    desk_init(&d);
    for (uint8_t sig = 0; sig < 2; sig++) {
        d.rc.pke.sig_type = sig;
        ask(&d);
        d.asked.data[d.asked.len - 1] ^= 1;
        handle(&d);
        assert_int_equal(d.result.err, IBK_ERR_BAD_SIGNATURE);
        assert_int_equal(d.result.error_no, IBK_ERRNO_AUTH);
        d.asked.data[d.asked.len - 1] ^= 1;
        d.asked.data[d.asked.len - 258] ^= 0x10; /* the type: the other padding */
        handle(&d);
        assert_int_equal(d.result.err, IBK_ERR_BAD_SIGNATURE);
        d.asked.data[d.asked.len - 258] ^= 0x30; /* an unknown one */
        handle(&d);
        assert_int_equal(d.result.err, IBK_ERR_UNSUPPORTED);
        assert_int_equal(d.result.error_no, IBK_ERRNO_AUTH);
        assert_int_equal(d.kms_work.count[IBK_WORK_RSA_PRIVATE], 0);
        assert_int_equal(ibk_replay_cache_count(d.kms_node.replay), 0);
    }
    d.rc.pke.sign_with_sha1 = true;
    assert_int_equal(whole(&d), IBK_OK);
    d.kc.pke.refuse_sha1 = true;
    refused(&d, IBK_ERR_BAD_SIGNATURE, IBK_ERRNO_AUTH);
    desk_free(&d);
}

/* Whoever puts his own certificate, envelope and signature around another's request gets his own keys at
 * most. */
static void take_over(ibk_msg *msg, void *arg) {
    lab_find(msg, IBK_PL_IDR, 0)->id.data = *(ibk_span *)arg;
}

static void test_taken_over(void **state) {
    (void)state;
    pke_desk d;
    desk_init(&d);
    ibk_span bob = ibk_span_str("sip:bob@home.example");
    handle_edited(&d, take_over, &bob);
    assert_int_equal(d.result.err, IBK_ERR_NOT_AUTHORIZED);
    desk_free(&d);
}

/* Any octet of the request: nothing is issued. SIGN covers them all, and the identities besides. */
static void test_tampered_request(void **state) {
    (void)state;
    pke_desk d;
    desk_init(&d);
    ask(&d);
    for (size_t i = 0; i < d.asked.len; i++) {
        d.asked.data[i] ^= 0x04;
        handle(&d);
        d.asked.data[i] ^= 0x04;
        assert_int_not_equal(d.result.err, IBK_OK);
        assert_int_not_equal(d.result.response_type, IBK_MSG_REQUEST_KEY_RESP);
    }
    assert_int_equal(d.kms_work.count[IBK_WORK_RSA_PRIVATE], 0);
    assert_int_equal(d.kms_work.count[IBK_WORK_IBE_EXTRACT], 0);
    handle(&d);
    assert_int_equal(d.result.err, IBK_OK);
    desk_free(&d);
}

/* Any octet of the answer: no key is taken. */
static void test_tampered_answer(void **state) {
    (void)state;
    pke_desk d;
    desk_init(&d);
    assert_int_equal(whole(&d), IBK_OK);
    size_t len = d.answer.len;
    ibk_buf answer = {0};
    assert_int_equal(ibk_buf_append_span(&answer, ibk_buf_span(&d.answer)), IBK_OK);
    for (size_t i = 0; i < len; i++) {
        lab_user_free(&d.user);
        lab_user_init(&d.user, ALICE, &lab_home, 7); /* the same request again */
        ask(&d);
        assert_int_equal(d.started, IBK_OK);
        ibk_buf_clear(&d.answer);
        assert_int_equal(ibk_buf_append_span(&d.answer, ibk_buf_span(&answer)), IBK_OK);
        d.answer.data[i] ^= 0x04;
        assert_int_not_equal(finish(&d), IBK_OK);
        assert_int_equal(d.keys.count, 0);
    }
    ibk_buf_free(&answer);
    desk_free(&d);
}

/* ---- time, method, policy
 * ---------------------------------------------------------------------------------- */

static void test_time(void **state) {
    (void)state;
    pke_desk d;
    desk_init(&d);
    d.user.utc_ns += 301 * INT64_C(1000000000);
    refused(&d, IBK_ERR_CLOCK_SKEW, IBK_ERRNO_TS);
    assert_int_equal(d.kms_work.count[IBK_WORK_RSA_PUBLIC], 0); /* before any signature is looked at */
    d.user.utc_ns = LAB_NOON;
    d.user.timestamps = (ibk_timestamps){0};
    assert_int_equal(whole(&d), IBK_OK);
    pke_work before = d.kms_work;
    handle(&d); /* the same request again */
    assert_int_equal(d.result.err, IBK_ERR_REPLAYED);
    assert_int_equal(d.answer.len, 0);
    assert_memory_equal(&before, &d.kms_work, sizeof before);
    desk_free(&d);
}

/* The same request with another salt in its signature is no other request. */
static void sign_again(ibk_msg *msg, void *arg) {
    (void)arg;
    lab_find(msg, IBK_PL_SIGN, 0)->sign.sig_type = IBK_SIG_RSA_PSS;
}

static void test_replay_under_another_salt(void **state) {
    (void)state;
    pke_desk d;
    desk_init(&d);
    d.rc.pke.sig_type = IBK_SIG_RSA_PSS;
    assert_int_equal(whole(&d), IBK_OK);
    ibk_buf first = {0};
    assert_int_equal(ibk_buf_append_span(&first, ibk_buf_span(&d.asked)), IBK_OK);
    d.user.timestamps = (ibk_timestamps){0};
    d.user.random = (lab_random){.seed = 7};
    handle_edited(&d, sign_again, NULL);
    assert_false(ibk_span_equal(ibk_buf_span(&first), ibk_buf_span(&d.asked))); /* the signature differs */
    assert_int_equal(d.asked.len, first.len);
    assert_memory_equal(d.asked.data, first.data, first.len - 256);
    assert_int_equal(d.result.err, IBK_ERR_REPLAYED);
    ibk_buf_free(&first);
    desk_free(&d);
}

static bool no_psk(void *user, const ibk_identity *psk_id, const ibk_identity *first, ibk_buf *psk,
                   void **owner) {
    (void)user;
    (void)psk_id;
    (void)first;
    (void)owner;
    return ibk_buf_append(psk, "a secret of sixteen octets or so", 32) == IBK_OK;
}

static bool anybody(void *user, void *owner, ibk_span id) {
    (void)user;
    (void)owner;
    (void)id;
    return true;
}

static void test_methods(void **state) {
    (void)state;
    pke_desk d;
    desk_init(&d);
    d.rc.kms = ibk_identity_uri("kms.away.example");
    refused(&d, IBK_ERR_IDENTITY_MISMATCH, IBK_ERRNO_ID);
    assert_int_equal(d.kms_work.count[IBK_WORK_RSA_PUBLIC], 0);
    d.rc.kms = ibk_identity_uri(KMS);
    d.rc.method = IBK_KEY_METHOD_PSK;
    d.rc.psk = ibk_span_str("a secret of sixteen octets or so");
    refused(&d, IBK_ERR_UNSUPPORTED, IBK_ERRNO_DT); /* this KMS serves PKE alone */
    d.kc.psk = no_psk;
    d.kc.authorized = anybody;
    assert_int_equal(whole(&d), IBK_OK); /* now both */
    d.rc.method = IBK_KEY_METHOD_PKE;
    assert_int_equal(whole(&d), IBK_OK);
    d.users[0] = ibk_identity_uri("sip:bob@home.example"); /* who may have what by PSK says nothing here */
    refused(&d, IBK_ERR_NOT_AUTHORIZED, IBK_ERRNO_ID);
    d.kc.pke = (ibk_kms_pke){0};
    refused(&d, IBK_ERR_UNSUPPORTED, IBK_ERRNO_DT);
    desk_free(&d);
}

static void test_error_policy(void **state) {
    (void)state;
    pke_desk d;
    desk_init(&d);
    d.kc.errors = IBK_KMS_ERRORS_AUTHENTICATED;
    d.users[0] = ibk_identity_uri("sip:bob@home.example");
    refused(&d, IBK_ERR_NOT_AUTHORIZED, IBK_ERRNO_ID); /* well signed: is told, under V */
    assert_non_null(strstr(d.diag.detail, "(authenticated)"));
    d.rc.pke.n_chain = 0;
    refused(&d, IBK_ERR_MISSING_PAYLOAD, -1);
    d.rc.pke.n_chain = 1;
    d.kc.errors = IBK_KMS_ERRORS_SILENT;
    refused(&d, IBK_ERR_NOT_AUTHORIZED, -1);
    desk_free(&d);
}

static void drop_type(ibk_msg *msg, void *arg) {
    size_t kept = 0;
    for (size_t i = 0; i < msg->chain.count; i++) {
        if (msg->chain.items[i].type != *(uint8_t *)arg) {
            msg->chain.items[kept++] = msg->chain.items[i];
        }
    }
    msg->chain.count = kept;
}

static void double_type(ibk_msg *msg, void *arg) {
    ibk_payload sign = msg->chain.items[--msg->chain.count];
    ibk_payload copy = *lab_find(msg, *(uint8_t *)arg, 0);
    ibk_chain_add(&msg->chain, &copy);
    ibk_chain_add(&msg->chain, &sign);
}

static void test_payloads(void **state) {
    (void)state;
    pke_desk d;
    desk_init(&d);
    d.rc.pke.chash = true;
    static const uint8_t once[] = {IBK_PL_T, IBK_PL_RAND, IBK_PL_PKE, IBK_PL_CHASH};
    for (size_t i = 0; i < sizeof once; i++) {
        uint8_t type = once[i];
        handle_edited(&d, double_type, &type);
        assert_int_equal(d.result.err, IBK_ERR_UNEXPECTED_PAYLOAD);
        if (type != IBK_PL_CHASH) {
            handle_edited(&d, drop_type, &type);
            assert_int_equal(d.result.err, IBK_ERR_MISSING_PAYLOAD);
        }
    }
    desk_free(&d);
}

/* As many identities as a request may hold. */
static void test_limits(void **state) {
    (void)state;
    static char names_of[IBK_KMS_MAX_USERS][40];
    pke_desk d;
    desk_init(&d);
    d.kc.pke.authorized = authorized;
    d.kc.pke.holder = holder;
    rules = (policy){0};
    for (size_t i = 0; i < IBK_KMS_MAX_USERS; i++) {
        snprintf(names_of[i], sizeof names_of[i], ALICE "202612%02zu", i + 1);
        d.users[i] = (ibk_identity){.id_type = IBK_ID_BYTES, .id = ibk_span_str(names_of[i])};
    }
    d.rc.n_users = IBK_KMS_MAX_USERS;
    assert_int_equal(whole(&d), IBK_OK);
    assert_int_equal(d.keys.count, IBK_KMS_MAX_USERS);
    assert_int_equal(rules.named, IBK_KMS_MAX_USERS);
    desk_free(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_untrusted),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_strength),
        cmocka_unit_test(test_odd_keys),
        cmocka_unit_test(test_cert_payloads),
        cmocka_unit_test(test_without_certificate),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_all_or_nothing),
        cmocka_unit_test(test_policy),
        cmocka_unit_test(test_signature),
        cmocka_unit_test(test_taken_over),
        cmocka_unit_test(test_tampered_request),
        cmocka_unit_test(test_tampered_answer),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_replay_under_another_salt),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_error_policy),
        cmocka_unit_test(test_payloads),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, pke_setup, pke_teardown);
}
