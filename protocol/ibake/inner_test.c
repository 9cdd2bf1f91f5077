/* What stands inside IBAKE, made by hand and properly encrypted: forms, echoes, points (P-3, P-4, P-17,
 * P-19). */
#include "ibake/lab.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Fills the content of IBAKE of a message. */
typedef void fill(ibk_chain *content, const lab_pair *pair);

static void put_i(ibk_chain *content, const lab_pair *pair) {
    ibk_add_idr(content, IBK_ROLE_I, IBK_ID_URI, ibk_span_str(pair->alice.uri));
}

static void put_r(ibk_chain *content, const lab_pair *pair) {
    ibk_add_idr(content, IBK_ROLE_R, IBK_ID_URI, ibk_span_str(pair->bob.uri));
}

static void put_point(ibk_chain *content, const ibk_ec_point *point) {
    ibk_add_eccpt(content, point->curve, ibk_ec_point_span(point));
}

/* 02 or 03 || X; one at a time, in storage of its own. */
static void put_compressed(ibk_chain *content, const ibk_ec_point *point, uint8_t storage[IBK_EC_POINT_MAX]) {
    size_t n = (point->len - 1) / 2;
    storage[0] = 2 + (point->octets[point->len - 1] & 1);
    memcpy(storage + 1, point->octets + 1, n);
    ibk_add_eccpt(content, point->curve, ibk_span_of(storage, n + 1));
}

static uint8_t first_storage[IBK_EC_POINT_MAX], second_storage[IBK_EC_POINT_MAX];

/* Message i with another content, encrypted to its receiver. */
static void craft(lab_pair *pair, int i, fill *content_of, ibk_buf *out) {
    ibk_chain content = {0};
    ibk_buf cipher = {0};
    content_of(&content, pair);
    lab_seal(pair, i % 2 == 0, &content, &cipher);
    ibk_msg msg = {0};
    assert_int_equal(ibk_msg_parse(&msg, ibk_buf_span(&pair->m[i]), NULL), IBK_OK);
    lab_find(&msg, IBK_PL_IBAKE, 0)->enc.data = ibk_buf_span(&cipher);
    ibk_buf_clear(out);
    assert_int_equal(ibk_msg_write(&msg, out), IBK_OK);
    ibk_msg_free(&msg);
    ibk_chain_free(&content);
    ibk_buf_free(&cipher);
}

/* Whatever is wrong inside is told with the place of IBAKE in the message. */
static void expect_at_ibake(const lab_pair *pair, ibk_span octets) {
    ibk_msg msg = {0};
    assert_int_equal(ibk_msg_parse(&msg, octets, NULL), IBK_OK);
    assert_int_equal(pair->step.diag.offset, lab_find(&msg, IBK_PL_IBAKE, 0)->offset);
    if (pair->step.reason == IBK_ERR_TRUNCATED) {
        assert_non_null(strstr(pair->step.diag.detail, "of the content of IBAKE"));
    }
    ibk_msg_free(&msg);
}

static void try_content(int i, fill *content_of, ibk_err reason) {
    lab_pair pair;
    ibk_buf crafted = {0};
    lab_pair_init(&pair);
    lab_pair_play(&pair, i);
    craft(&pair, i, content_of, &crafted);
    lab_deliver(&pair, i, ibk_buf_span(&crafted));
    if (reason) {
        lab_expect_closed(&pair, reason);
        expect_at_ibake(&pair, ibk_buf_span(&crafted));
    } else {
        for (int k = i + 1; k < 4; k++) {
            lab_deliver(&pair, k, ibk_buf_span(&pair.m[k]));
        }
        lab_keys_agree(&pair);
    }
    ibk_buf_free(&crafted);
    lab_pair_free(&pair);
}

/* ---- contents: i = IDRi, x = ECCPTi, r = IDRr, y = ECCPTr -------------------------------------------------
 */

static void ixr(ibk_chain *c, const lab_pair *p) {
    put_i(c, p);
    put_point(c, &p->a->own.pub);
    put_r(c, p);
}

static void ixr_compressed(ibk_chain *c, const lab_pair *p) {
    put_i(c, p);
    put_compressed(c, &p->a->own.pub, first_storage);
    put_r(c, p);
}

static void ir(ibk_chain *c, const lab_pair *p) {
    put_i(c, p);
    put_r(c, p);
}

static void ix(ibk_chain *c, const lab_pair *p) {
    put_i(c, p);
    put_point(c, &p->a->own.pub);
}

static void irx(ibk_chain *c, const lab_pair *p) {
    ir(c, p);
    put_point(c, &p->a->own.pub);
}

static void xir(ibk_chain *c, const lab_pair *p) {
    put_point(c, &p->a->own.pub);
    ir(c, p);
}

static void ixxr(ibk_chain *c, const lab_pair *p) {
    ix(c, p);
    put_point(c, &p->a->own.pub);
    put_r(c, p);
}

static void ixrr(ibk_chain *c, const lab_pair *p) {
    ixr(c, p);
    put_r(c, p);
}

static void rxi(ibk_chain *c, const lab_pair *p) {
    put_r(c, p);
    put_point(c, &p->a->own.pub);
    put_i(c, p);
}

static void ixm(ibk_chain *c, const lab_pair *p) {
    ix(c, p);
    ibk_add_idr(c, IBK_ROLE_R, IBK_ID_URI, ibk_span_str("sip:mallory@away.example"));
}

static void off_curve(ibk_chain *c, const lab_pair *p) {
    memcpy(first_storage, p->a->own.pub.octets, p->a->own.pub.len);
    first_storage[p->a->own.pub.len - 1] ^= 1;
    put_i(c, p);
    ibk_add_eccpt(c, IBK_EC_P256, ibk_span_of(first_storage, p->a->own.pub.len));
    put_r(c, p);
}

static void ixry(ibk_chain *c, const lab_pair *p) {
    ixr(c, p);
    put_point(c, &p->b->own.pub);
}

static void ixry_compressed(ibk_chain *c, const lab_pair *p) {
    ixr_compressed(c, p);
    put_compressed(c, &p->b->own.pub, second_storage);
}

static void iyrx(ibk_chain *c, const lab_pair *p) { /* the points the wrong way round */
    put_i(c, p);
    put_point(c, &p->b->own.pub);
    put_r(c, p);
    put_point(c, &p->a->own.pub);
}

static void ixxry(ibk_chain *c, const lab_pair *p) {
    ixxr(c, p);
    put_point(c, &p->b->own.pub);
}

static void ixryy(ibk_chain *c, const lab_pair *p) {
    ixry(c, p);
    put_point(c, &p->b->own.pub);
}

static void iry(ibk_chain *c, const lab_pair *p) {
    ir(c, p);
    put_point(c, &p->b->own.pub);
}

static void iry_compressed(ibk_chain *c, const lab_pair *p) {
    ir(c, p);
    put_compressed(c, &p->b->own.pub, first_storage);
}

static void mry(ibk_chain *c, const lab_pair *p) {
    ibk_add_idr(c, IBK_ROLE_I, IBK_ID_URI, ibk_span_str("sip:mallory@home.example"));
    put_r(c, p);
    put_point(c, &p->b->own.pub);
}

static void test_i_message_1(void **state) {
    (void)state;
    try_content(0, ixr, IBK_OK);
    try_content(0, ixr_compressed, IBK_OK);
    try_content(0, ir, IBK_ERR_MISSING_PAYLOAD);
    try_content(0, ix, IBK_ERR_MISSING_PAYLOAD);
    try_content(0, irx, IBK_ERR_MISSING_PAYLOAD);
    try_content(0, xir, IBK_ERR_TRUNCATED); /* P-4: its octets are read as an IDR */
    try_content(0, ixxr, IBK_ERR_MISSING_PAYLOAD);
    try_content(0, ixrr, IBK_ERR_UNEXPECTED_PAYLOAD);
    try_content(0, rxi, IBK_ERR_MISSING_PAYLOAD);
    try_content(0, ixm, IBK_ERR_IDENTITY_MISMATCH);
    try_content(0, off_curve, IBK_ERR_NOT_ON_CURVE);
}

static void test_r_message_1(void **state) {
    (void)state;
    try_content(1, ixry, IBK_OK);
    try_content(1, ixry_compressed, IBK_OK);
    try_content(1, iyrx, IBK_ERR_ECHO_MISMATCH);
    try_content(1, ixr, IBK_ERR_MISSING_PAYLOAD);
    try_content(1, ixxry, IBK_ERR_MISSING_PAYLOAD); /* P-17 */
    try_content(1, ixryy, IBK_ERR_UNEXPECTED_PAYLOAD);
    try_content(1, iry, IBK_ERR_ECHO_MISMATCH); /* [y]P alone, and policy wants the echo */
    try_content(1, mry, IBK_ERR_IDENTITY_MISMATCH);
}

static void test_i_message_2(void **state) {
    (void)state;
    try_content(2, iry, IBK_OK);
    try_content(2, iry_compressed, IBK_OK);
    try_content(2, ixry, IBK_ERR_UNEXPECTED_PAYLOAD); /* §4.2.2.5 (N53) */
    try_content(2, irx, IBK_ERR_ECHO_MISMATCH);       /* our [y]P is not there, the other's is */
    try_content(2, ir, IBK_ERR_MISSING_PAYLOAD);
    try_content(2, mry, IBK_ERR_IDENTITY_MISMATCH);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_i_message_1), cmocka_unit_test(test_r_message_1),
                                       cmocka_unit_test(test_i_message_2)};
    return cmocka_run_group_tests(tests, lab_group_setup, lab_group_teardown);
}
