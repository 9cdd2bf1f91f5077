/* The bindings of an S-CSCF: made, replaced, expired, removed. */
#include "ims/core/registrar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static sip_uri uri(sip_arena *arena, const char *user, const char *host) {
    return sip_uri_make(arena, user, host, 0, SIP_PROTO_NONE, false);
}

static void test_find_and_get(void **state) {
    (void)state;
    registrar *r = registrar_new();
    char name[64], too_long[REGISTRAR_TEXT_MAX + 1];
    registrar_entry *kept[100];
    assert_null(registrar_find(r, "sip:alice@home.example"));
    for (int i = 0; i < 100; i++) { /* entries keep their address while others come */
        snprintf(name, sizeof name, "sip:user-%d@home.example", i);
        kept[i] = registrar_get(r, name);
        assert_non_null(kept[i]);
        assert_string_equal(kept[i]->impu, name);
    }
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "sip:user-%d@home.example", i);
        assert_ptr_equal(registrar_find(r, name), kept[i]);
        assert_ptr_equal(registrar_get(r, name), kept[i]);
    }
    assert_null(registrar_find(r, "sip:user-100@home.example"));
    memset(too_long, 'a', sizeof too_long - 1);
    too_long[sizeof too_long - 1] = 0;
    assert_null(registrar_get(r, too_long));
    assert_null(registrar_find(r, too_long));
    too_long[REGISTRAR_TEXT_MAX - 1] = 0; /* the longest that fits */
    assert_non_null(registrar_get(r, too_long));
    registrar_free(r);
    registrar_free(NULL);
}

static registrar_contact contact_of(const sip_uri *at, const char *impi, unsigned q, uint64_t until_ns) {
    static uint32_t cseq;
    return (registrar_contact){
        .impi = impi, .call_id = impi, .cseq = ++cseq, .uri = at, .q = q, .until_ns = until_ns};
}

static void test_bindings(void **state) {
    (void)state;
    registrar *r = registrar_new();
    sip_arena arena = {0};
    sip_uri first = uri(&arena, "alice", "10.0.0.1"), second = uri(&arena, "alice", "10.0.0.2");
    sip_name_addr path[REGISTRAR_PATH_MAX];
    const registrar_binding *known[REGISTRAR_CONTACTS_MAX];
    for (size_t i = 0; i < REGISTRAR_PATH_MAX; i++)
        path[i] = (sip_name_addr){.uri = uri(&arena, "term", "pcscf.home.example")};
    registrar_entry *alice = registrar_get(r, "sip:alice@home.example");
    assert_false(registrar_is_bound(NULL, 0));
    assert_false(registrar_is_bound(alice, 0));
    registrar_contact contact = contact_of(&first, "alice@home.example", 1000, 1000);
    assert_int_equal(registrar_bind(alice, &contact), IBK_OK);
    assert_true(registrar_is_bound(alice, 999));
    assert_false(registrar_is_bound(alice, 1000)); /* it has expired */
    assert_int_equal(registrar_bound_count(r, 999), 1);
    assert_int_equal(registrar_bound_count(r, 1000), 0);
    /* the same device from elsewhere: its new contact takes the place of the old */
    contact = contact_of(&second, "alice@home.example", 1000, 5000);
    contact.path = path;
    contact.path_count = REGISTRAR_PATH_MAX;
    assert_int_equal(registrar_bind(alice, &contact), IBK_OK);
    sip_arena_free(&arena); /* the entry has copies of its own */
    assert_int_equal(registrar_contacts(alice, 0, known), 1);
    assert_string_equal(known[0]->contact.host, "10.0.0.2");
    assert_int_equal(known[0]->path_count, REGISTRAR_PATH_MAX);
    assert_string_equal(known[0]->path[REGISTRAR_PATH_MAX - 1].uri.host, "pcscf.home.example");
    registrar_unbind(alice, NULL);
    assert_false(registrar_is_bound(alice, 0));
    assert_int_equal(registrar_bound_count(r, 0), 0);
    registrar_free(r);
}

static void test_several_contacts(void **state) {
    (void)state;
    static const char *const impi[] = {"phone@h.example", "tablet@h.example", "car@h.example",
                                       "tv@h.example"};
    static const unsigned q[] = {500, 1000, 500, 0};
    static const size_t order[] = {1, 0, 2, 3}; /* by q, equal ones as they registered */
    registrar *r = registrar_new();
    sip_arena arena = {0};
    sip_uri at[4];
    const registrar_binding *known[REGISTRAR_CONTACTS_MAX];
    registrar_entry *bob = registrar_get(r, "sip:bob@h.example");
    for (size_t i = 0; i < 4; i++) {
        at[i] = uri(&arena, "bob", sip_arena_printf(&arena, "10.0.0.%zu", i + 1));
        registrar_contact contact = contact_of(&at[i], impi[i], q[i], 1000 + i);
        assert_int_equal(registrar_bind(bob, &contact), IBK_OK);
    }
    assert_int_equal(registrar_contacts(bob, 0, known), 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(known[i]->impi, impi[order[i]]);
    assert_int_equal(registrar_contacts(bob, 1001, known), 2); /* each expires by itself */
    assert_string_equal(known[0]->impi, impi[2]);
    registrar_contact again = contact_of(&at[0], impi[0], 1000, 9000); /* a refresh, with another q */
    assert_int_equal(registrar_bind(bob, &again), IBK_OK);
    assert_int_equal(registrar_contacts(bob, 0, known), 4);
    assert_string_equal(known[0]->impi, impi[0]);
    assert_string_equal(known[1]->impi, impi[1]);
    assert_int_equal(registrar_bind(bob, &again), IBK_ERR_MISMATCH); /* RFC 3261 §10.3: not in order */
    again.cseq--;
    assert_int_equal(registrar_bind(bob, &again), IBK_ERR_MISMATCH);
    registrar_unbind(bob, &at[1]);
    assert_int_equal(registrar_contacts(bob, 0, known), 3);
    for (size_t i = 0; i < 3; i++)
        assert_string_not_equal(known[i]->impi, impi[1]);
    assert_int_equal(registrar_bound_count(r, 0), 3);
    sip_arena_free(&arena);
    registrar_free(r);
}

static void test_implied(void **state) {
    (void)state;
    registrar *r = registrar_new();
    sip_arena arena = {0};
    registrar_entry *bob = registrar_get(r, "sip:bob@h.example"),
                    *carol = registrar_get(r, "sip:carol@h.example");
    assert_int_equal(registrar_imply(r, bob, "sip:bob@h.example"), IBK_OK); /* itself is of its set */
    assert_int_equal(registrar_imply(r, bob, "tel:+4930"), IBK_OK);
    assert_int_equal(registrar_imply(r, bob, "tel:+4930"), IBK_OK);
    assert_int_equal(registrar_imply(r, bob, "tel:+4931"), IBK_OK);
    assert_int_equal(registrar_imply(r, carol, "tel:+4930"), IBK_ERR_USAGE);
    assert_int_equal(registrar_imply(r, carol, "sip:bob@h.example"), IBK_ERR_USAGE);
    assert_ptr_equal(registrar_find(r, "tel:+4930"), bob);
    assert_ptr_equal(registrar_get(r, "tel:+4931"), bob);
    assert_string_equal(bob->further->impu, "tel:+4930");
    assert_string_equal(bob->further->further->impu, "tel:+4931");
    assert_null(bob->further->further->further);
    sip_uri at = uri(&arena, "bob", "10.0.0.1");
    registrar_contact contact = contact_of(&at, "bob", 0, 1000);
    assert_int_equal(registrar_bind(bob, &contact), IBK_OK);
    assert_true(registrar_is_bound(registrar_find(r, "tel:+4930"), 0));
    assert_int_equal(registrar_bound_count(r, 0), 1);
    sip_arena_free(&arena);
    registrar_free(r);
}

static void test_challenges(void **state) {
    (void)state;
    char too_long[REGISTRAR_TEXT_MAX + 1];
    registrar *r = registrar_new();
    registrar_entry *bob = registrar_get(r, "sip:bob@h.example");
    assert_null(registrar_challenge_find(bob, "phone@h.example"));
    registrar_challenge *phone = registrar_challenge_get(bob, "phone@h.example");
    registrar_challenge *tablet = registrar_challenge_get(bob, "tablet@h.example");
    assert_true(phone && tablet && phone != tablet); /* one device's challenge is not another's */
    assert_ptr_equal(registrar_challenge_get(bob, "phone@h.example"), phone);
    assert_ptr_equal(registrar_challenge_find(bob, "tablet@h.example"), tablet);
    memset(too_long, 'a', sizeof too_long - 1);
    too_long[sizeof too_long - 1] = 0;
    assert_null(registrar_challenge_get(bob, too_long));
    registrar_free(r);
}

static void test_limits(void **state) {
    (void)state;
    registrar *r = registrar_new();
    sip_arena arena = {0};
    char impi[32];
    sip_name_addr path[REGISTRAR_PATH_MAX + 1] = {{0}};
    const registrar_binding *known[REGISTRAR_CONTACTS_MAX];
    registrar_entry *alice = registrar_get(r, "sip:alice@home.example");
    sip_uri at = uri(&arena, "alice", "10.0.0.1");
    registrar_contact contact = contact_of(&at, "alice", 0, 1000);
    assert_int_equal(registrar_bind(alice, &contact), IBK_OK);
    contact = contact_of(&at, "alice", 0, 2000);
    contact.path = path;
    contact.path_count = REGISTRAR_PATH_MAX + 1;
    assert_int_equal(registrar_bind(alice, &contact), IBK_ERR_LIMIT);
    assert_int_equal(registrar_contacts(alice, 0, known), 1);
    assert_int_equal(known[0]->until_ns, 1000); /* the old binding stands */
    for (int i = 1; i <= REGISTRAR_CONTACTS_MAX; i++) {
        sip_uri other = uri(&arena, "alice", sip_arena_printf(&arena, "10.0.1.%d", i));
        snprintf(impi, sizeof impi, "device-%d", i);
        contact = contact_of(&other, impi, 0, 1000);
        assert_int_equal(registrar_bind(alice, &contact),
                         i < REGISTRAR_CONTACTS_MAX ? IBK_OK : IBK_ERR_LIMIT);
    }
    assert_int_equal(registrar_contacts(alice, 0, known), REGISTRAR_CONTACTS_MAX);
    sip_arena_free(&arena);
    registrar_free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find_and_get),     cmocka_unit_test(test_bindings),
        cmocka_unit_test(test_several_contacts), cmocka_unit_test(test_implied),
        cmocka_unit_test(test_challenges),       cmocka_unit_test(test_limits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
