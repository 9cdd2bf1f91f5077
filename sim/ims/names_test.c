/* The simulation's DNS. */
#include "ims/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_names(void **state) {
    (void)state;
    ims_names *names = ims_names_new();
    sip_addr v4, v6, found = {.port = 5062};
    assert_true(sip_addr_parse(&v4, "10.0.0.1", 5060));
    assert_true(sip_addr_parse(&v6, "fd00::1", 5060));
    assert_int_equal(ims_names_find(names, &found, "pcscf.home.example"), IBK_ERR_NO_PARAMS);
    assert_int_equal(found.family, 0);
    char host[] = "pcscf.home.example"; /* is copied */
    assert_int_equal(ims_names_add(names, host, &v4), IBK_OK);
    host[0] = 'x';
    assert_int_equal(ims_names_add(names, "pcscf.Six.example", &v6), IBK_OK);
    assert_int_equal(ims_names_find(names, &found, "PCSCF.home.EXAMPLE"), IBK_OK);
    assert_true(sip_addr_same_ip(&found, &v4));
    assert_int_equal(found.port, 5062);
    assert_int_equal(ims_names_find(names, &found, "pcscf.six.example"), IBK_OK);
    assert_true(sip_addr_same_ip(&found, &v6));
    assert_int_equal(ims_names_add(names, "Pcscf.Home.Example", &v6), IBK_ERR_USAGE);
    assert_int_equal(ims_names_replace(names, "pcscf.HOME.example", &v6), IBK_OK);
    assert_int_equal(ims_names_find(names, &found, "pcscf.home.example"), IBK_OK);
    assert_true(sip_addr_same_ip(&found, &v6));
    assert_int_equal(ims_names_replace(names, "nobody.example", &v6), IBK_ERR_NO_PARAMS);
    assert_int_equal(ims_names_find(names, &found, "pcscf.home.example."), IBK_ERR_NO_PARAMS);
    assert_int_equal(ims_names_find(names, &found, ""), IBK_ERR_NO_PARAMS);
    ims_names_free(names);
    ims_names_free(NULL);
}

static void test_numbers(void **state) {
    (void)state;
    ims_names *names = ims_names_new();
    sip_addr found = {0};
    assert_int_equal(ims_names_add_number(names, "+4930901820", "home.example"), IBK_OK);
    assert_int_equal(ims_names_add_number(names, "+49309018201", "other.example"), IBK_OK);
    assert_int_equal(ims_names_add_number(names, "+4930901820", "other.example"), IBK_ERR_USAGE);
    assert_int_equal(ims_names_add_number(names, "4930901820", "home.example"), IBK_ERR_USAGE);
    assert_string_equal(ims_names_domain_of_number(names, ibk_span_str("tel:+4930901820")), "home.example");
    assert_string_equal(ims_names_domain_of_number(names, ibk_span_str("tel:+49309018201")), "other.example");
    assert_null(ims_names_domain_of_number(names, ibk_span_str("tel:+493090182")));
    assert_null(ims_names_domain_of_number(names, ibk_span_str("tel:")));
    assert_null(ims_names_domain_of_number(names, ibk_span_str("+4930901820")));
    assert_null(ims_names_domain_of_number(names, ibk_span_str("sip:+4930901820@home.example")));
    assert_null(ims_names_domain_of_number(names, ibk_span_str("tel:+49309018201234567890123456789012345")));
    assert_int_equal(ims_names_find(names, &found, "+4930901820"), IBK_ERR_NO_PARAMS); /* is no host */
    ims_names_free(names);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names), cmocka_unit_test(test_numbers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
