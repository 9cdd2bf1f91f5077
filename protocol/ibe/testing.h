/* What the tests of this room share: a repeatable random source, the shipped parameter sets, hex. */
#ifndef IBE_TESTING_H
#define IBE_TESTING_H

#include "ibe/objects.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* xorshift64*: repeatable, no more. `failing_after` draws succeed if it is not negative. */
typedef struct test_random {
    uint64_t state;
    int failing_after;
    unsigned draws;
} test_random;

static inline uint64_t test_next(test_random *r) {
    r->state ^= r->state >> 12;
    r->state ^= r->state << 25;
    r->state ^= r->state >> 27;
    return r->state * 2685821657736338717ULL;
}

static inline ibk_err test_draw(void *user, ibk_draw_label label, uint8_t *out, size_t len) {
    test_random *r = user;
    (void)label;
    if (r->failing_after >= 0 && r->draws++ >= (unsigned)r->failing_after)
        return IBK_ERR_RANDOM;
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(test_next(r) >> 56);
    return IBK_OK;
}

#define TEST_RANDOM(name, seed)                                                                              \
    test_random name##_source = {(seed), -1, 0};                                                             \
    ibk_env name = {.user = &name##_source, .draw = test_draw}

static inline ibk_buf test_file(unsigned n, const char *kind) {
    char path[512];
    uint8_t octets[8192];
    ibk_buf out = {NULL, 0, 0};
    snprintf(path, sizeof path, "%s/ibe-%u.%s.der", IBAKE_TEST_PARAMS, n, kind);
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        fail_msg("cannot open %s", path);
    size_t len = fread(octets, 1, sizeof octets, f);
    fclose(f);
    assert_int_equal(ibk_buf_append(&out, octets, len), IBK_OK);
    return out;
}

/* A shipped set, parsed. The primality of the two large ones takes seconds: `check` says whether to look at
 * it; without it the set is made known to itself. */
static inline ibk_ibe_params *test_params(unsigned n, bool check) {
    ibk_buf der = test_file(n, "params");
    ibk_ibe_params *params = NULL;
    ibk_diag diag = {0};
    if (check) {
        assert_int_equal(ibk_ibe_params_parse(&params, ibk_buf_span(&der), NULL, &diag), IBK_OK);
    } else {
        const ibk_ibe_size *size = ibk_ibe_size_of(n);
        ibk_ibe_params *known = NULL;
        size_t p = size->p_bits / 8, q = size->q_bits / 8, p_at = 4 + 3 + 13, q_at; // SEQUENCE, version, OID
        p_at += p + 1 < 128 ? 2 : p + 1 < 256 ? 3 : 4;                              // p's tag and length
        q_at = p_at + 1 + p + 2;
        assert_int_equal(ibk_params_new(&known, size, ibk_span_of(der.data + p_at + 1, p),
                                        ibk_span_of(der.data + q_at + 1, q)),
                         IBK_OK);
        assert_int_equal(ibk_ibe_params_parse(&params, ibk_buf_span(&der), known, &diag), IBK_OK);
        ibk_ibe_params_free(known);
    }
    ibk_buf_free(&der);
    return params;
}

static inline ibk_ibe_master *test_master(const ibk_ibe_params *params) {
    ibk_buf der = test_file(ibk_ibe_params_n(params), "master");
    ibk_ibe_master *master = NULL;
    assert_int_equal(ibk_ibe_master_parse(&master, params, ibk_buf_span(&der), NULL), IBK_OK);
    ibk_buf_free(&der);
    return master;
}

#endif
