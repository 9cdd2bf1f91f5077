/* The generator gives the same scalars to whoever has the seed, and other ones to everybody else. */
#include "random/generator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void scalars_follow_from_the_seed(void **state) {
    (void)state;
    uint8_t alice[GENERATOR_SEED_LEN], again[GENERATOR_SEED_LEN], bob[GENERATOR_SEED_LEN], other[66], x[66];
    assert_true(generator_seed(alice, 7, "alice") && generator_seed(again, 7, "alice"));
    assert_true(generator_seed(bob, 7, "bob"));
    assert_memory_equal(alice, again, sizeof alice);
    assert_memory_not_equal(alice, bob, sizeof alice);
    assert_true(generator_seed(again, 8, "alice"));
    assert_memory_not_equal(alice, again, sizeof alice);
    const struct {
        const uint8_t *seed;
        uint32_t csb_id;
        bool responder;
        uint32_t index;
    } cases[] = {{bob, 5, false, 0}, {alice, 6, false, 0}, {alice, 5, true, 0}, {alice, 5, false, 1}};
    assert_true(generator_scalar(x, sizeof x, alice, 5, false, 0));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(generator_scalar(other, sizeof other, cases[i].seed, cases[i].csb_id, cases[i].responder,
                                     cases[i].index));
        assert_memory_not_equal(x, other, 32);
        assert_memory_not_equal(x + 32, other + 32, 32);
    }
    assert_true(generator_scalar(other, sizeof other, alice, 5, false, 0));
    assert_memory_equal(x, other, sizeof x);
    assert_true(generator_scalar(other, 32, alice, 5, false, 0)); /* a shorter one is its beginning */
    assert_memory_equal(x, other, 32);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(scalars_follow_from_the_seed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
