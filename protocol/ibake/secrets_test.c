/* What a break-in finds in a session, from I_MESSAGE_1 to its end: what is alive, and nothing that was wiped.
 */
#include "ibake/lab.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

typedef struct found {
    unsigned count[IBK_SECRET_SK + 1][IBK_SECRET_PREVIOUS + 1];
    uint8_t scalar[IBK_EC_SCALAR_MAX], tgk[IBK_SECRET_PREVIOUS + 1][TGK_LEN];
    ibk_ec_point own, theirs;
    ibk_session_role role;
    uint32_t csb_id;
} found;

static void collect(void *user, const ibk_session_secret *secret) {
    found *f = user;
    f->count[secret->kind][secret->age]++;
    f->role = secret->role;
    f->csb_id = secret->csb_id;
    if (secret->age == IBK_SECRET_IN_FORCE && secret->kind == IBK_SECRET_SCALAR) {
        memcpy(f->scalar, secret->octets.data, secret->octets.len);
    }
    if (secret->age == IBK_SECRET_IN_FORCE && secret->kind == IBK_SECRET_OWN_POINT) {
        assert_int_equal(ibk_ec_decode(&f->own, secret->curve, secret->octets), IBK_OK);
    }
    if (secret->age == IBK_SECRET_IN_FORCE && secret->kind == IBK_SECRET_THEIR_POINT) {
        assert_int_equal(ibk_ec_decode(&f->theirs, secret->curve, secret->octets), IBK_OK);
    }
    if (secret->kind == IBK_SECRET_TGK) {
        assert_int_equal(secret->octets.len, TGK_LEN);
        memcpy(f->tgk[secret->age], secret->octets.data, TGK_LEN);
    }
}

static found look(const ibk_session *s) {
    found f = {0};
    ibk_session_secrets(s, collect, &f);
    return f;
}

static unsigned total(const found *f) {
    unsigned sum = 0;
    for (size_t kind = 0; kind <= IBK_SECRET_SK; kind++) {
        for (size_t age = 0; age <= IBK_SECRET_PREVIOUS; age++) {
            sum += f->count[kind][age];
        }
    }
    return sum;
}

static void test_nothing_before_and_after(void **state) {
    (void)state;
    lab_pair pair;
    lab_pair_init(&pair);
    lab_pair_sessions(&pair);
    found f = look(pair.a);
    assert_int_equal(total(&f), 0);
    lab_pair_play(&pair, 4);
    ibk_session_close(pair.a, IBK_OK);
    f = look(pair.a);
    assert_int_equal(total(&f), 0); /* P-20 */
    f = look(pair.b);
    assert_true(total(&f) > 0);
    lab_pair_free(&pair);
}

static void test_scalars_live_until_the_key_is_known(void **state) {
    (void)state;
    lab_pair pair;
    lab_pair_init(&pair);
    lab_pair_play(&pair, 1); /* Bob has answered; nobody has K_SESSION */
    found a = look(pair.a), b = look(pair.b);
    assert_int_equal(a.count[IBK_SECRET_SCALAR][IBK_SECRET_IN_FORCE], 1);
    assert_int_equal(a.count[IBK_SECRET_THEIR_POINT][IBK_SECRET_IN_FORCE], 0);
    assert_int_equal(a.role, IBK_SESSION_INITIATOR);
    assert_int_equal(b.role, IBK_SESSION_RESPONDER);
    assert_int_equal(a.csb_id, ibk_session_csb_id(pair.a));
    assert_int_equal(b.count[IBK_SECRET_SCALAR][IBK_SECRET_IN_FORCE], 1);
    assert_true(ibk_ec_point_equal(&a.own, &b.theirs));
    ibk_ec_key x;
    assert_int_equal(ibk_ec_key_from_scalar(&x, IBK_EC_P256, ibk_span_of(a.scalar, 32)), IBK_OK);
    assert_true(ibk_ec_point_equal(&x.pub, &a.own)); /* it is the scalar */
    lab_deliver(&pair, 1, ibk_buf_span(&pair.m[1])); /* Alice computes K_SESSION */
    a = look(pair.a);
    assert_true(ibk_ec_point_equal(&a.theirs, &b.own));
    lab_deliver(&pair, 2, ibk_buf_span(&pair.m[2]));
    lab_deliver(&pair, 3, ibk_buf_span(&pair.m[3]));
    a = look(pair.a);
    b = look(pair.b);
    assert_int_equal(a.count[IBK_SECRET_SCALAR][IBK_SECRET_IN_FORCE], 0); /* P-20 */
    assert_int_equal(b.count[IBK_SECRET_SCALAR][IBK_SECRET_IN_FORCE], 0);
    assert_int_equal(a.count[IBK_SECRET_MPK][IBK_SECRET_IN_FORCE], 1);
    assert_memory_equal(a.tgk[IBK_SECRET_IN_FORCE], b.tgk[IBK_SECRET_IN_FORCE], TGK_LEN);
    lab_pair_free(&pair);
}

/* Whoever answered an update has three sets for a while: none of them is forgotten. */
static void test_updates(void **state) {
    (void)state;
    lab_pair pair;
    lab_pair_init(&pair);
    lab_pair_play(&pair, 4);
    found before = look(pair.b);
    lab_update u = lab_update_of(&pair, false, true);
    lab_update_play(&u, 1);
    found a = look(pair.a), b = look(pair.b);
    assert_int_equal(a.count[IBK_SECRET_SCALAR][IBK_SECRET_COMING], 1);
    assert_memory_equal(a.tgk[IBK_SECRET_IN_FORCE], before.tgk[IBK_SECRET_IN_FORCE], TGK_LEN);
    assert_memory_equal(b.tgk[IBK_SECRET_PREVIOUS], before.tgk[IBK_SECRET_IN_FORCE], TGK_LEN);
    assert_memory_not_equal(b.tgk[IBK_SECRET_IN_FORCE], before.tgk[IBK_SECRET_IN_FORCE], TGK_LEN);
    lab_update_deliver(&u, 1, ibk_buf_span(&u.m[1]));
    ibk_session_confirm_update(pair.b);
    a = look(pair.a);
    b = look(pair.b);
    assert_int_equal(a.count[IBK_SECRET_SCALAR][IBK_SECRET_COMING], 0);
    assert_int_equal(b.count[IBK_SECRET_TGK][IBK_SECRET_PREVIOUS], 0);
    assert_memory_equal(a.tgk[IBK_SECRET_IN_FORCE], b.tgk[IBK_SECRET_IN_FORCE], TGK_LEN);
    lab_update_free(&u);
    lab_pair_free(&pair);
}

static void test_content(void **state) {
    (void)state;
    lab_pair pair;
    lab_pair_init(&pair);
    pair.ac.esk = IBK_ESK_OWN;
    lab_pair_play(&pair, 4);
    found a = look(pair.a), b = look(pair.b);
    assert_int_equal(a.count[IBK_SECRET_SK][IBK_SECRET_IN_FORCE], 1);
    assert_int_equal(b.count[IBK_SECRET_SK][IBK_SECRET_IN_FORCE], 0); /* it has the ESK alone */
    lab_pair_free(&pair);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_before_and_after),
        cmocka_unit_test(test_scalars_live_until_the_key_is_known),
        cmocka_unit_test(test_updates),
        cmocka_unit_test(test_content),
    };
    return cmocka_run_group_tests(tests, lab_group_setup, lab_group_teardown);
}
