/* RFC 5408's structures: both directions, refusals, use. */
#include "ibake/lab.h"

#include <ibake/publication.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define DISTRICT "https://kms.home.example/ibe/parameters"
#define PKG      "https://kms.home.example/ibe/key"
#define IDENTITY "sip:alice@home.example20261124"

static ibk_buf bf, pkg; /* DER of the home parameters and of the extension's value */

static int setup(void **state) {
    (void)state;
    lab_setup();
    assert_int_equal(ibk_ibe_params_encode(lab_home.params, &bf), IBK_OK);
    assert_int_equal(ibk_pkg_uri_write(&pkg, ibk_span_str(PKG)), IBK_OK);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    ibk_buf_free(&bf);
    ibk_buf_free(&pkg);
    lab_teardown();
    return 0;
}

static ibk_sysparams sample(void) {
    ibk_sysparams p = {.district = ibk_span_str(DISTRICT),
                       .serial = 7,
                       .not_before_s = 1795478400, /* 2026-11-24T00:00:00Z */
                       .not_after_s = 1798070399,  /* 2026-12-23T23:59:59Z */
                       .n_algorithms = 1,
                       .identity_type = ibk_oid_identity_type(IBK_GRANULARITY_DAY),
                       .has_extensions = true,
                       .n_extensions = 1};
    p.algorithms[0] = (ibk_oid_value){ibk_oid_bf(), ibk_buf_span(&bf)};
    p.extensions[0] = (ibk_oid_value){ibk_oid_pkg_uri(), ibk_buf_span(&pkg)};
    return p;
}

static void write_sample(ibk_buf *der, const ibk_sysparams *p) {
    ibk_buf_clear(der);
    assert_int_equal(ibk_sysparams_write(der, p), IBK_OK);
}

/* Reads, compares with what was written, and writes again. */
static void there_and_back(const ibk_sysparams *p) {
    ibk_buf der = {0}, again = {0};
    ibk_sysparams got;
    write_sample(&der, p);
    assert_int_equal(ibk_sysparams_parse(&got, ibk_buf_span(&der), NULL), IBK_OK);
    assert_true(ibk_span_equal(got.district, p->district));
    assert_true(got.serial == p->serial);
    assert_true(got.not_before_s == p->not_before_s && got.not_after_s == p->not_after_s);
    assert_int_equal(got.n_algorithms, p->n_algorithms);
    assert_int_equal(got.n_extensions, p->n_extensions);
    assert_int_equal(got.has_extensions, p->has_extensions);
    assert_true(ibk_span_equal(got.identity_type, p->identity_type));
    for (size_t i = 0; i < p->n_algorithms; i++) {
        assert_true(ibk_span_equal(got.algorithms[i].oid, p->algorithms[i].oid));
        assert_true(ibk_span_equal(got.algorithms[i].value, p->algorithms[i].value));
    }
    write_sample(&again, &got);
    assert_true(ibk_span_equal(ibk_buf_span(&der), ibk_buf_span(&again)));
    ibk_buf_free(&der);
    ibk_buf_free(&again);
}

static void test_round_trips(void **state) {
    (void)state;
    ibk_sysparams p = sample();
    there_and_back(&p);
    static const uint64_t serials[] = {0, 1, 127, 128, 255, 256, UINT64_C(1) << 63, UINT64_MAX};
    for (size_t i = 0; i < sizeof serials / sizeof *serials; i++) {
        p.serial = serials[i];
        there_and_back(&p);
    }
    p.not_before_s = 0;
    p.not_after_s = INT64_C(253402300799); /* 9999-12-31T23:59:59Z */
    there_and_back(&p);
    p.not_before_s = p.not_after_s = 1582934400 + 86399; /* 2020-02-29T23:59:59Z */
    there_and_back(&p);
    p.n_extensions = 0; /* "any number of extensions, including zero" */
    there_and_back(&p);
    p.has_extensions = false;
    there_and_back(&p);
    static const uint8_t bb1[] = {0x60, 0x86, 0x48, 0x01, 0x86, 0xfd, 0x1e, 0x01, 0x01, 0x02, 0x02};
    p.algorithms[1] = (ibk_oid_value){ibk_span_of(bb1, sizeof bb1), ibk_span_str("whatever")};
    p.n_algorithms = 2;
    there_and_back(&p);
}

/* The parameters come out as they were, and are those of the KMS. */
static void test_parameters(void **state) {
    (void)state;
    ibk_sysparams p = sample(), got;
    ibk_buf der = {0}, text = {0}, back = {0};
    ibk_ibe_params *params;
    ibk_span uri;
    write_sample(&der, &p);
    assert_int_equal(ibk_mime_base64_write(&text, ibk_buf_span(&der)), IBK_OK);
    assert_int_equal(ibk_mime_base64_read(&back, ibk_buf_span(&text), NULL), IBK_OK);
    assert_int_equal(ibk_sysparams_parse(&got, ibk_buf_span(&back), NULL), IBK_OK);
    assert_int_equal(ibk_ibe_params_parse(&params, ibk_sysparams_bf(&got), NULL, NULL), IBK_OK);
    assert_true(ibk_ibe_params_equal(params, lab_home.params));
    assert_int_equal(ibk_sysparams_pkg_uri(&uri, &got, NULL), IBK_OK);
    assert_true(ibk_span_equal(uri, ibk_span_str(PKG)));
    ibk_ibe_params_free(params);
    ibk_buf_free(&der);
    ibk_buf_free(&text);
    ibk_buf_free(&back);
}

static void test_validity(void **state) {
    (void)state;
    static const int64_t second = INT64_C(1000000000);
    ibk_sysparams p = sample();
    ibk_diag diag = {0};
    assert_int_equal(ibk_sysparams_usable(&p, LAB_NOON, NULL), IBK_OK);
    assert_int_equal(ibk_sysparams_usable(&p, p.not_before_s * second, NULL), IBK_OK);
    assert_int_equal(ibk_sysparams_usable(&p, p.not_before_s * second - 1, &diag), IBK_ERR_EXPIRED);
    assert_non_null(strstr(diag.detail, "not valid yet"));
    assert_int_equal(ibk_sysparams_usable(&p, p.not_after_s * second + second - 1, NULL), IBK_OK);
    assert_int_equal(ibk_sysparams_usable(&p, (p.not_after_s + 1) * second, &diag), IBK_ERR_EXPIRED);
    assert_non_null(strstr(diag.detail, "no longer valid"));
    p.extensions[0].oid = ibk_oid_bf(); /* "it MUST NOT use the values" */
    assert_int_equal(ibk_sysparams_usable(&p, LAB_NOON, NULL), IBK_ERR_UNSUPPORTED);
    p = sample();
    p.algorithms[0].oid = ibk_oid_pkg_uri();
    assert_int_equal(ibk_sysparams_usable(&p, LAB_NOON, NULL), IBK_ERR_UNSUPPORTED);
    assert_int_equal(ibk_sysparams_bf(&p).len, 0);
}

static ibk_err covers(ibk_granularity granularity, const char *ibe_identity) {
    ibk_sysparams p = sample();
    p.identity_type = ibk_oid_identity_type(granularity);
    return ibk_sysparams_covers(&p, ibk_span_str(ibe_identity), NULL);
}

static void test_dates(void **state) {
    (void)state;
    assert_int_equal(covers(IBK_GRANULARITY_DAY, "sip:a@b20261124"), IBK_OK);
    assert_int_equal(covers(IBK_GRANULARITY_DAY, "sip:a@b20261223"), IBK_OK);
    assert_int_equal(covers(IBK_GRANULARITY_DAY, "sip:a@b20261123"), IBK_ERR_EXPIRED);
    assert_int_equal(covers(IBK_GRANULARITY_DAY, "sip:a@b20261224"), IBK_ERR_EXPIRED);
    assert_int_equal(covers(IBK_GRANULARITY_DAY, "sip:a@b20261131"), IBK_ERR_BAD_VALUE);
    assert_int_equal(covers(IBK_GRANULARITY_HOUR, "sip:a@b2026122323"), IBK_OK);
    assert_int_equal(covers(IBK_GRANULARITY_HOUR, "sip:a@b2026112323"), IBK_ERR_EXPIRED);
    assert_int_equal(covers(IBK_GRANULARITY_MONTH, "sip:a@b202611"), IBK_OK); /* a part of it is */
    assert_int_equal(covers(IBK_GRANULARITY_MONTH, "sip:a@b202610"), IBK_ERR_EXPIRED);
    ibk_sysparams p = sample();
    p.identity_type = ibk_oid_bf();
    assert_int_equal(ibk_sysparams_covers(&p, ibk_span_str(IDENTITY), NULL), IBK_ERR_UNSUPPORTED);
}

/* ---- refusals -------------------------------------------------------------------------------------------
 */

static void refuses_to_write(ibk_sysparams p) {
    ibk_buf out = {0};
    assert_int_equal(ibk_buf_append(&out, "x", 1), IBK_OK);
    assert_int_equal(ibk_sysparams_write(&out, &p), IBK_ERR_USAGE);
    assert_int_equal(out.len, 1);
    ibk_buf_free(&out);
}

static void test_unwritable(void **state) {
    (void)state;
    static char long_uri[IBK_DISTRICT_MAX + 2];
    memset(long_uri, 'a', sizeof long_uri - 1);
    long_uri[4] = ':';
    const char *const districts[] = {"", "kms.home.example", ":x", "https:", "ht tp:x", "1http:x", long_uri};
    for (size_t i = 0; i < sizeof districts / sizeof *districts; i++) {
        ibk_sysparams p = sample();
        p.district = ibk_span_str(districts[i]);
        refuses_to_write(p);
    }
    ibk_sysparams p = sample();
    p.not_before_s = p.not_after_s + 1;
    refuses_to_write(p);
    p = sample();
    p.not_before_s = -1;
    refuses_to_write(p);
    p = sample();
    p.not_after_s = INT64_C(253402300800);
    refuses_to_write(p);
    p = sample();
    p.n_algorithms = 0;
    refuses_to_write(p);
    p = sample();
    p.algorithms[1] = p.algorithms[0];
    p.n_algorithms = 2;
    refuses_to_write(p);
    p = sample();
    p.has_extensions = false;
    refuses_to_write(p);
    p = sample();
    p.identity_type = (ibk_span){0};
    refuses_to_write(p);
    p = sample();
    uint8_t *big = calloc(1, IBK_SYSPARAMS_MAX);
    p.algorithms[0].value = ibk_span_of(big, IBK_SYSPARAMS_MAX);
    refuses_to_write(p);
    free(big);
}

/* Octets in place of others of the sample's DER. */
static ibk_err parse_with(const char *find, const char *put, ibk_diag *diag) {
    ibk_buf der = {0};
    ibk_sysparams p = sample(), got;
    p.algorithms[0].value = ibk_span_str("short");
    write_sample(&der, &p);
    uint8_t *at = NULL;
    size_t len = strlen(find);
    for (size_t i = 0; i + len <= der.len && !at; i++) {
        at = memcmp(der.data + i, find, len) == 0 ? der.data + i : NULL;
    }
    assert_non_null(at);
    memcpy(at, put, len);
    ibk_err err = ibk_sysparams_parse(&got, ibk_buf_span(&der), diag);
    ibk_buf_free(&der);
    return err;
}

static void test_strict(void **state) {
    (void)state;
    ibk_diag diag = {0};
    assert_int_equal(parse_with("20261124000000Z", "20261124000000Z", NULL), IBK_OK);
    static const char *const times[] = {"20261131000000Z", "20260229000000Z", "20261124240000Z",
                                        "20261124006000Z", "20261124000060Z", "20261324000000Z",
                                        "20260024000000Z", "20261100000000Z", "2026112400000.Z",
                                        "202611240000+00", "00001124000000Z", "20270124000000Z"};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        assert_int_equal(parse_with("20261124000000Z", times[i], &diag), IBK_ERR_BAD_VALUE);
    }
    assert_int_equal(diag.err, IBK_ERR_BAD_VALUE);
    assert_string_equal(diag.payload, "IBESysParams");
    assert_int_equal(parse_with("\x02\x01\x02\x16", "\x02\x01\x03\x16", NULL), IBK_ERR_DER_STRUCTURE);
    assert_int_equal(parse_with("\x02\x01\x07", "\x02\x01\x87", NULL), IBK_ERR_DER_STRUCTURE); /* negative */
    assert_int_equal(parse_with("https", "htt\x01s", NULL), IBK_ERR_BAD_VALUE);
    assert_int_equal(parse_with("\x16", "\x0c", NULL), IBK_ERR_DER_STRUCTURE); /* UTF8String */
    assert_int_equal(parse_with("\x18\x0f", "\x17\x0f", NULL), IBK_ERR_DER_STRUCTURE);
    /* 2.16.840.1.114334.1.1.2.1: a subidentifier with a leading zero, and an unfinished one */
    assert_int_equal(parse_with("\x86\xfd\x1e", "\x80\xfd\x1e", NULL), IBK_ERR_DER);
    assert_int_equal(parse_with("\x01\x02\x01", "\x01\x02\x81", NULL), IBK_ERR_DER);
}

/* No octet can be cut or added, and no cut makes the parser read past the end (asan). */
static void test_lengths(void **state) {
    (void)state;
    ibk_sysparams p = sample(), got;
    ibk_buf der = {0};
    write_sample(&der, &p);
    for (size_t len = 0; len < der.len; len++) {
        uint8_t *exact = malloc(len ? len : 1);
        memcpy(exact, der.data, len);
        assert_int_equal(ibk_sysparams_parse(&got, ibk_span_of(exact, len), NULL),
                         len ? IBK_ERR_DER : IBK_ERR_DER_STRUCTURE);
        assert_int_equal(got.n_algorithms, 0);
        free(exact);
    }
    assert_int_equal(ibk_buf_append(&der, "", 1), IBK_OK);
    assert_int_equal(ibk_sysparams_parse(&got, ibk_buf_span(&der), NULL), IBK_ERR_DER);
    assert_int_equal(ibk_buf_resize(&der, IBK_SYSPARAMS_MAX + 1), IBK_OK);
    assert_int_equal(ibk_sysparams_parse(&got, ibk_buf_span(&der), NULL), IBK_ERR_LIMIT);
    ibk_buf_free(&der);
}

/* Whatever a changed octet leads to, what parses is written back to the same octets. */
static void test_changed_octets(void **state) {
    (void)state;
    ibk_sysparams p = sample(), got;
    ibk_buf der = {0}, again = {0};
    size_t parsed = 0;
    write_sample(&der, &p);
    for (size_t i = 0; i < der.len; i++) {
        for (int bit = 0; bit < 8; bit++) {
            der.data[i] ^= (uint8_t)(1 << bit);
            if (ibk_sysparams_parse(&got, ibk_buf_span(&der), NULL) == IBK_OK) {
                write_sample(&again, &got);
                assert_true(ibk_span_equal(ibk_buf_span(&der), ibk_buf_span(&again)));
                parsed++;
            }
            der.data[i] ^= (uint8_t)(1 << bit);
        }
    }
    assert_true(parsed > 100); /* the URI, the serial, the values */
    ibk_buf_free(&der);
    ibk_buf_free(&again);
}

static void test_too_many(void **state) {
    (void)state;
    ibk_sysparams p = sample(), got;
    ibk_buf der = {0};
    uint8_t oids[IBK_SYSPARAMS_ITEMS + 1][2];
    p.has_extensions = true;
    p.n_extensions = IBK_SYSPARAMS_ITEMS;
    for (uint8_t i = 0; i < IBK_SYSPARAMS_ITEMS; i++) {
        oids[i][0] = 0x2a;
        oids[i][1] = i;
        p.extensions[i] = (ibk_oid_value){ibk_span_of(oids[i], 2), ibk_span_str("")};
    }
    there_and_back(&p);
    write_sample(&der, &p);
    /* One more behind the last: 30 06 06 02 2a 01 04 00; both lengths grow by 8. */
    size_t list = der.len - 8 * IBK_SYSPARAMS_ITEMS - 1;
    assert_int_equal(der.data[list], 8 * IBK_SYSPARAMS_ITEMS);
    der.data[list] += 8;
    assert_int_equal(der.data[1], 0x82);
    unsigned whole = (unsigned)der.data[2] << 8 | der.data[3];
    der.data[2] = (uint8_t)((whole + 8) >> 8);
    der.data[3] = (uint8_t)(whole + 8);
    assert_int_equal(ibk_buf_append(&der, "\x30\x06\x06\x02\x2a\x70\x04\x00", 8), IBK_OK);
    assert_int_equal(ibk_sysparams_parse(&got, ibk_buf_span(&der), NULL), IBK_ERR_LIMIT);
    ibk_buf_free(&der);
}

/* ---- identities and keys --------------------------------------------------------------------------------
 */

static void test_identity(void **state) {
    (void)state;
    ibk_sysparams p = sample();
    ibk_identity_info info = ibk_identity_info_of(&p, ibk_span_str(IDENTITY)), got;
    ibk_buf der = {0}, again = {0};
    assert_int_equal(ibk_identity_info_write(&der, &info), IBK_OK);
    assert_int_equal(ibk_identity_info_parse(&got, ibk_buf_span(&der), NULL), IBK_OK);
    assert_true(ibk_identity_info_equal(&info, &got));
    assert_int_equal(ibk_identity_info_check(&got, &p, NULL), IBK_OK);
    assert_int_equal(ibk_identity_info_write(&again, &got), IBK_OK);
    assert_true(ibk_span_equal(ibk_buf_span(&der), ibk_buf_span(&again)));
    for (size_t len = 0; len < der.len; len++) {
        assert_int_not_equal(ibk_identity_info_parse(&got, ibk_span_of(der.data, len), NULL), IBK_OK);
    }
    ibk_identity_info other = info;
    other.serial++;
    assert_false(ibk_identity_info_equal(&info, &other));
    assert_int_equal(ibk_identity_info_check(&other, &p, NULL), IBK_ERR_MISMATCH);
    other = info;
    other.type = ibk_oid_identity_type(IBK_GRANULARITY_HOUR);
    assert_false(ibk_identity_info_equal(&info, &other));
    assert_int_equal(ibk_identity_info_check(&other, &p, NULL), IBK_ERR_MISMATCH);
    other = info;
    other.district = ibk_span_str("https://kms.away.example/");
    assert_false(ibk_identity_info_equal(&info, &other));
    assert_int_equal(ibk_identity_info_check(&other, &p, NULL), IBK_ERR_MISMATCH);
    static const uint8_t much[IBK_IBE_IDENTITY_MAX + 1];
    other = info;
    other.data = ibk_span_of(much, sizeof much);
    assert_int_equal(ibk_identity_info_write(&again, &other), IBK_ERR_USAGE);
    ibk_buf_free(&der);
    ibk_buf_free(&again);
}

/* P-23: the key in the reply is the key of the identity data alone: the one that RFC 6267 means. */
static void test_reply(void **state) {
    (void)state;
    ibk_sysparams p = sample();
    ibk_ibe_key *key, *parsed;
    ibk_buf secret = {0}, der = {0}, again = {0};
    assert_int_equal(ibk_ibe_extract(lab_home.params, lab_home.master, ibk_span_str(IDENTITY), &key), IBK_OK);
    assert_int_equal(ibk_ibe_key_encode(key, &secret), IBK_OK);
    ibk_key_reply reply = {.identity = ibk_identity_info_of(&p, ibk_span_str(IDENTITY)),
                           .algorithm = ibk_oid_bf(),
                           .key = ibk_buf_span(&secret)},
                  got;
    assert_int_equal(ibk_key_reply_write(&der, &reply), IBK_OK);
    assert_int_equal(ibk_key_reply_parse(&got, ibk_buf_span(&der), NULL), IBK_OK);
    assert_int_equal(ibk_key_reply_check(&got, &reply.identity, NULL), IBK_OK);
    assert_int_equal(ibk_ibe_key_parse(&parsed, lab_home.params, got.key, NULL), IBK_OK);
    assert_int_equal(ibk_ibe_key_verify(lab_home.params, parsed, got.identity.data), IBK_OK);
    assert_int_equal(ibk_key_reply_write(&again, &got), IBK_OK);
    assert_true(ibk_span_equal(ibk_buf_span(&der), ibk_buf_span(&again)));
    for (size_t len = 0; len < der.len; len++) {
        assert_int_not_equal(ibk_key_reply_parse(&got, ibk_span_of(der.data, len), NULL), IBK_OK);
    }
    ibk_identity_info other = ibk_identity_info_of(&p, ibk_span_str("sip:bob@home.example20261124"));
    assert_int_equal(ibk_key_reply_check(&reply, &other, NULL), IBK_ERR_MISMATCH);
    reply.n_options = 1; /* "MUST NOT use the IBE private key" */
    reply.options[0] = (ibk_oid_value){ibk_oid_pkg_uri(), ibk_span_str("?")};
    ibk_buf_clear(&der);
    assert_int_equal(ibk_key_reply_write(&der, &reply), IBK_OK);
    assert_int_equal(ibk_key_reply_parse(&got, ibk_buf_span(&der), NULL), IBK_OK);
    assert_int_equal(got.n_options, 1);
    assert_int_equal(ibk_key_reply_check(&got, &reply.identity, NULL), IBK_ERR_UNSUPPORTED);
    reply.n_options = 0;
    reply.algorithm = ibk_oid_pkg_uri();
    assert_int_equal(ibk_key_reply_check(&reply, &reply.identity, NULL), IBK_ERR_UNSUPPORTED);
    ibk_ibe_key_free(key);
    ibk_ibe_key_free(parsed);
    ibk_buf_free(&secret);
    ibk_buf_free(&der);
    ibk_buf_free(&again);
}

/* pkgOptions is SIZE (1..MAX): left out or not empty. */
static void test_empty_options(void **state) {
    (void)state;
    ibk_sysparams p = sample();
    ibk_key_reply reply = {.identity = ibk_identity_info_of(&p, ibk_span_str("x")),
                           .algorithm = ibk_oid_bf(),
                           .key = ibk_span_str("k")},
                  got;
    ibk_buf der = {0};
    assert_int_equal(ibk_key_reply_write(&der, &reply), IBK_OK);
    assert_int_equal(der.data[0], 0x30);
    assert_true(der.data[1] < 0x80 - 2);
    der.data[1] += 2;
    assert_int_equal(ibk_buf_append(&der, "\x30\x00", 2), IBK_OK);
    assert_int_equal(ibk_key_reply_parse(&got, ibk_buf_span(&der), NULL), IBK_ERR_DER_STRUCTURE);
    ibk_buf_free(&der);
}

static void test_oids(void **state) {
    (void)state;
    for (int g = 0; g < 3; g++) {
        ibk_granularity back;
        ibk_buf der = {0};
        ibk_span oid;
        assert_true(ibk_oid_granularity(&back, ibk_oid_identity_type((ibk_granularity)g)));
        assert_int_equal(back, g);
        assert_int_equal(ibk_oid_write(&der, ibk_oid_identity_type((ibk_granularity)g)), IBK_OK);
        assert_int_equal(ibk_oid_parse(&oid, ibk_buf_span(&der), NULL), IBK_OK);
        assert_true(ibk_span_equal(oid, ibk_oid_identity_type((ibk_granularity)g)));
        assert_int_equal(ibk_oid_parse(&oid, ibk_span_of(der.data, der.len - 1), NULL), IBK_ERR_DER);
        assert_int_equal(ibk_oid_parse(&oid, (ibk_span){0}, NULL), IBK_ERR_DER);
        assert_int_equal(ibk_buf_append(&der, "", 1), IBK_OK);
        assert_int_equal(ibk_oid_parse(&oid, ibk_buf_span(&der), NULL), IBK_ERR_DER);
        ibk_buf_free(&der);
    }
    ibk_granularity none;
    assert_false(ibk_oid_granularity(&none, ibk_oid_bf()));
    ibk_buf out = {0};
    assert_int_equal(ibk_oid_write(&out, (ibk_span){0}), IBK_ERR_USAGE);
    uint8_t many[IBK_OID_MAX + 4] = {0x06, IBK_OID_MAX + 1};
    ibk_span oid;
    memset(many + 2, 1, IBK_OID_MAX + 1);
    assert_int_equal(ibk_oid_parse(&oid, ibk_span_of(many, IBK_OID_MAX + 3), NULL), IBK_ERR_LIMIT);
    ibk_buf_free(&out);
}

static void test_base64(void **state) {
    (void)state;
    ibk_buf text = {0}, back = {0};
    uint8_t octets[130];
    for (size_t i = 0; i < sizeof octets; i++) {
        octets[i] = (uint8_t)(i * 7);
    }
    for (size_t len = 0; len <= sizeof octets; len++) {
        ibk_buf_clear(&text);
        ibk_buf_clear(&back);
        assert_int_equal(ibk_mime_base64_write(&text, ibk_span_of(octets, len)), IBK_OK);
        for (size_t i = 0, column = 0; i < text.len; i++) {
            column = text.data[i] == '\n' ? 0 : column + 1;
            assert_true(column <= 77); /* 76 and CR */
        }
        assert_int_equal(ibk_mime_base64_read(&back, ibk_buf_span(&text), NULL), IBK_OK);
        assert_true(ibk_span_equal(ibk_buf_span(&back), ibk_span_of(octets, len)));
    }
    ibk_buf_clear(&back);
    assert_int_equal(ibk_mime_base64_read(&back, ibk_span_str("\n  QU JD\t\r\n"), NULL), IBK_OK);
    assert_true(ibk_span_equal(ibk_buf_span(&back), ibk_span_str("ABC")));
    assert_int_equal(ibk_mime_base64_read(&back, ibk_span_str("QUJ"), NULL), IBK_ERR_BAD_TEXT);
    assert_int_equal(ibk_mime_base64_read(&back, ibk_span_str("QU-D"), NULL), IBK_ERR_BAD_TEXT);
    ibk_buf_free(&text);
    ibk_buf_free(&back);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips), cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_validity),    cmocka_unit_test(test_dates),
        cmocka_unit_test(test_unwritable),  cmocka_unit_test(test_strict),
        cmocka_unit_test(test_lengths),     cmocka_unit_test(test_changed_octets),
        cmocka_unit_test(test_too_many),    cmocka_unit_test(test_identity),
        cmocka_unit_test(test_reply),       cmocka_unit_test(test_empty_options),
        cmocka_unit_test(test_oids),        cmocka_unit_test(test_base64),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
