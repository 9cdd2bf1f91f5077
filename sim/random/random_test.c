#include "random/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void draw(uint8_t out[600], uint64_t seed, const char *owner, const char *label, size_t step) {
    sim_random *random = sim_random_new(seed, owner, label);
    assert_non_null(random);
    for (size_t at = 0; at < 600; at += step)
        assert_true(sim_random_draw(random, out + at, at + step <= 600 ? step : 600 - at));
    sim_random_free(random);
}

static void same_label_same_octets_however_drawn(void **state) {
    (void)state;
    uint8_t a[600], b[600];
    draw(a, 7, "alice", "x", 600);
    draw(b, 7, "alice", "x", 7);
    assert_memory_equal(a, b, 600);
}

static void every_part_of_the_name_matters(void **state) {
    (void)state;
    uint8_t a[600], b[600];
    draw(a, 7, "ab", "c", 600);
    draw(b, 8, "ab", "c", 600);
    assert_memory_not_equal(a, b, 600);
    draw(b, 7, "a", "bc", 600);
    assert_memory_not_equal(a, b, 600);
    draw(b, 7, "ab", "d", 600);
    assert_memory_not_equal(a, b, 600);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_label_same_octets_however_drawn),
        cmocka_unit_test(every_part_of_the_name_matters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
