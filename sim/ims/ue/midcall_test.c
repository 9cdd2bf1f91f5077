/* What an offer in mid call does by itself: how long it waits after a 491. */
#include "ims/ue/midcall.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { MS = 1000000 };

/* RFC 3261 §14.1: 2.1 to 4 s for the owner of the Call-ID, 0 to 2 s for the other, in units of 10 ms.
 * Whatever is drawn, the owner comes second: the two do not meet again. */
static void glare_timers(void **state) {
    (void)state;
    uint64_t least[2] = {UINT64_MAX, UINT64_MAX}, most[2] = {0, 0};
    for (uint64_t random = 0; random < 20000; random++)
        for (int owner = 0; owner < 2; owner++) {
            uint64_t delay = ue_glare_delay_ns(random * UINT64_C(0x9E3779B97F4A7C15), owner);
            assert_int_equal(delay % (10 * MS), 0);
            least[owner] = delay < least[owner] ? delay : least[owner];
            most[owner] = delay > most[owner] ? delay : most[owner];
        }
    assert_int_equal(least[0], 0);
    assert_int_equal(most[0], UINT64_C(2000) * MS);
    assert_int_equal(least[1], UINT64_C(2100) * MS);
    assert_int_equal(most[1], UINT64_C(4000) * MS);
}

static void names_are_those_of_scenarios(void **state) {
    (void)state;
    assert_string_equal(ue_update_name(SCN_DO_UPDATE), "update");
    assert_string_equal(ue_update_name(SCN_DO_REMOVE_VIDEO), "remove-video");
    assert_string_equal(ue_update_name((scn_do)0), "none");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(glare_timers),
        cmocka_unit_test(names_are_those_of_scenarios),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
