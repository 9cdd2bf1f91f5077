/* Facts of parties: the earliest counts, what was given is told from what was found out, calls are told
 * apart. */
#include "adversary/ledger.h"

#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define BIT(thing) SCN_THING_BIT(SCN_THING_##thing)

static void test_parties(void **state) {
    (void)state;
    static char names[100][8];
    ledger *l = ledger_new();
    ledger_party *first = NULL;
    for (int i = 0; i < 100; i++) {
        snprintf(names[i], sizeof names[i], "u%d", i);
        ledger_party *added = ledger_add(l, names[i], i ? LEDGER_USER : LEDGER_KMS);
        assert_non_null(added);
        first = first ? first : added;
    }
    assert_int_equal(ledger_count(l), 100);
    assert_ptr_equal(ledger_find(l, "u0"), first);
    assert_ptr_equal(ledger_at(l, 0), first);
    assert_string_equal(ledger_find(l, "u99")->name, "u99");
    assert_null(ledger_find(l, "nobody"));
    assert_null(ledger_at(l, 100));
    assert_string_equal(ledger_kind_name(first->kind), "kms");
    ledger_free(l);
    ledger_free(NULL);
}

static void test_facts(void **state) {
    (void)state;
    static const scn_call one = {.name = "one"}, two = {.name = "two"};
    ledger *l = ledger_new();
    ledger_party *p = ledger_add(l, "mallory", LEDGER_ADVERSARY);
    ledger_enter_f(p, &(ledger_fact){SCN_THING_XP, &one, LEDGER_DECRYPTED, 50, ""}, "later %d", 1);
    ledger_enter_f(p, &(ledger_fact){SCN_THING_XP, &one, LEDGER_DECRYPTED, 20, ""}, "earlier");
    ledger_enter_f(p, &(ledger_fact){SCN_THING_XP, &one, LEDGER_HELD, 20, ""}, "at the same time");
    ledger_enter_f(p, &(ledger_fact){SCN_THING_YP, &two, LEDGER_COMPUTED, 30, ""}, "of another call");
    ledger_enter_f(p, &(ledger_fact){SCN_THING_PSK, NULL, LEDGER_BROKEN_IN, 0, ""}, "given");
    assert_int_equal(p->fact_count, 3);
    assert_string_equal(p->facts[0].step, "earlier");
    assert_int_equal(p->facts[0].at_ns, 20);
    assert_int_equal(ledger_knows(p, NULL), BIT(XP) | BIT(YP) | BIT(PSK));
    assert_int_equal(ledger_found_out(p, NULL), BIT(XP) | BIT(YP));
    assert_int_equal(ledger_knows(p, &one), BIT(XP));
    assert_int_equal(ledger_found_out(p, &two), BIT(YP));
    ledger_free(l);
}

static void note(ledger *l, const char *node, uint64_t now, ibk_keylog_kind kind, uint32_t csb_id) {
    ibk_keylog_record record = {.kind = kind, .csb_id = csb_id, .value = ibk_span_str("secret")};
    ledger_keylog(l, node, now, &record);
}

static void test_key_logs(void **state) {
    (void)state;
    ledger *l = ledger_new();
    ledger_party *p = ledger_add(l, "alice", LEDGER_USER);
    note(l, "alice", 5, IBK_KEYLOG_PSK, 0);
    note(l, "alice", 10, IBK_KEYLOG_X, 7);
    note(l, "alice", 11, IBK_KEYLOG_X, 7); /* of an update: it was known before */
    note(l, "alice", 12, IBK_KEYLOG_TGK, 8);
    note(l, "nobody", 1, IBK_KEYLOG_X, 9);
    const ledger_exchange *e = ledger_exchange_of(p, 7);
    assert_non_null(e);
    assert_int_equal(e->seen, 1u << IBK_KEYLOG_X);
    assert_int_equal(e->at_ns[IBK_KEYLOG_X], 10);
    assert_int_equal(ledger_exchange_of(p, 8)->at_ns[IBK_KEYLOG_TGK], 12);
    assert_null(ledger_exchange_of(p, 9));
    assert_int_equal(p->seen, 1u << IBK_KEYLOG_PSK | 1u << IBK_KEYLOG_X | 1u << IBK_KEYLOG_TGK);
    assert_int_equal(p->at_ns[IBK_KEYLOG_PSK], 5);
    ledger_free(l);
}

/* A K_SESSION is compared by value, whatever CSB ID either end has for it; an update brings a second one. */
static void test_shared_secrets(void **state) {
    (void)state;
    ledger *l = ledger_new();
    ledger_party *alice = ledger_add(l, "alice", LEDGER_USER), *bob = ledger_add(l, "bob", LEDGER_USER);
    ibk_keylog_record of_alice = {.kind = IBK_KEYLOG_KSESSION, .csb_id = 7, .value = ibk_span_str("one")};
    ibk_keylog_record of_bob = {.kind = IBK_KEYLOG_KSESSION, .csb_id = 8, .value = ibk_span_str("two")};
    assert_false(ledger_share_k_session(alice, 7, bob, 8)); /* nobody has any */
    ledger_keylog(l, "alice", 1, &of_alice);
    ledger_keylog(l, "bob", 2, &of_bob);
    assert_false(ledger_share_k_session(alice, 7, bob, 8));
    of_alice.value = of_bob.value;
    ledger_keylog(l, "alice", 3, &of_alice);
    assert_true(ledger_share_k_session(alice, 7, bob, 8));
    assert_false(ledger_share_k_session(alice, 8, bob, 8));
    note(l, "alice", 4, IBK_KEYLOG_TGK, 9);
    note(l, "bob", 4, IBK_KEYLOG_TGK, 9);
    assert_false(ledger_share_k_session(alice, 9, bob, 9)); /* another kind of secret */
    ledger_free(l);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parties), cmocka_unit_test(test_facts),
                                       cmocka_unit_test(test_key_logs),
                                       cmocka_unit_test(test_shared_secrets)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
