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

static void test_bindings(void **state) {
    (void)state;
    registrar *r = registrar_new();
    sip_arena arena = {0};
    sip_uri first = uri(&arena, "alice", "10.0.0.1"), second = uri(&arena, "alice", "10.0.0.2");
    sip_name_addr path[REGISTRAR_PATH_MAX + 1];
    for (size_t i = 0; i <= REGISTRAR_PATH_MAX; i++)
        path[i] = (sip_name_addr){.uri = uri(&arena, "term", "pcscf.home.example")};
    registrar_entry *alice = registrar_get(r, "sip:alice@home.example");
    assert_false(registrar_is_bound(NULL, 0));
    assert_false(registrar_is_bound(alice, 0));
    assert_int_equal(registrar_bind(alice, &first, path, 1, 1000), IBK_OK);
    assert_true(registrar_is_bound(alice, 999));
    assert_false(registrar_is_bound(alice, 1000)); /* it has expired */
    assert_int_equal(registrar_bound_count(r, 999), 1);
    assert_int_equal(registrar_bound_count(r, 1000), 0);
    assert_int_equal(registrar_bind(alice, &second, path, REGISTRAR_PATH_MAX, 5000), IBK_OK);
    sip_arena_free(&arena); /* the entry has copies of its own */
    assert_string_equal(alice->contact.host, "10.0.0.2");
    assert_int_equal(alice->path_count, REGISTRAR_PATH_MAX);
    assert_string_equal(alice->path[REGISTRAR_PATH_MAX - 1].uri.host, "pcscf.home.example");
    registrar_unbind(alice);
    assert_false(registrar_is_bound(alice, 0));
    assert_int_equal(registrar_bound_count(r, 0), 0);
    registrar_free(r);
}

static void test_path_too_long(void **state) {
    (void)state;
    registrar *r = registrar_new();
    sip_arena arena = {0};
    sip_uri contact = uri(&arena, "alice", "10.0.0.1");
    sip_name_addr path[REGISTRAR_PATH_MAX + 1] = {{0}};
    registrar_entry *alice = registrar_get(r, "sip:alice@home.example");
    assert_int_equal(registrar_bind(alice, &contact, NULL, 0, 1000), IBK_OK);
    assert_int_equal(registrar_bind(alice, &contact, path, REGISTRAR_PATH_MAX + 1, 2000), IBK_ERR_LIMIT);
    assert_int_equal(alice->bound_until_ns, 1000); /* the old binding stands */
    sip_arena_free(&arena);
    registrar_free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_find_and_get), cmocka_unit_test(test_bindings),
                                       cmocka_unit_test(test_path_too_long)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
