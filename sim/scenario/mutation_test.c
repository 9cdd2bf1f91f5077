/* Scenarios with octets changed, cut, doubled and spliced: refused with a place or loaded, never anything
 * else; and what loads survives its own resolved configuration. */
#include "scenario/testing.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROUNDS 1500 /* for each seed text */

static uint64_t draw(uint64_t *state) { /* xorshift64: repeatable, and good enough to shake a parser */
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static const char *const tokens[] = {"{n}", ": ",     "- ",  "\n",        "  ",   "&a ",     "*a",
                                     "[",   "]",      "{",   "}",         "'",    "\"",      "#",
                                     "!!",  "<<: *a", "|\n", "---\n",     "0",    "-1",      "20 ms",
                                     "all", "% ",     "\t",  "999999999", "null", "\xc3\xa9"};

static size_t mutate(uint8_t *text, size_t len, size_t room, uint64_t *state) {
    size_t at = draw(state) % (len + 1), span = draw(state) % 24;
    const char *token = tokens[draw(state) % (sizeof tokens / sizeof tokens[0])];
    switch (draw(state) % 5) {
    case 0: /* one octet */
        if (at < len)
            text[at] = (uint8_t)draw(state);
        return len;
    case 1: /* cut */
        span = span > len - at ? len - at : span;
        memmove(text + at, text + at + span, len - at - span);
        return len - span;
    case 2: /* double */
        span = span > len - at ? len - at : span;
        if (len + span > room)
            return len;
        memmove(text + at + span, text + at, len - at);
        return len + span;
    case 3: /* splice */
        span = strlen(token);
        if (len + span > room)
            return len;
        memmove(text + at + span, text + at, len - at);
        memcpy(text + at, token, span);
        return len + span;
    default: /* a digit, the most fruitful change */
        for (; at < len; at++) {
            if (text[at] >= '0' && text[at] <= '9') {
                text[at] = (uint8_t)('0' + draw(state) % 10);
                break;
            }
        }
        return len;
    }
}

static bool load(ibk_span text) {
    scn_errors errors;
    scn_scenario *s;
    ibk_err err = scn_load_text(&s, &errors, SCENARIO_SOURCE "/text.yaml", text, NULL, 0);
    if (err == IBK_OK) {
        assert_int_equal(errors.count, 0);
        assert_true(s->expectation_count > 0);
        if (s->user_count < 50)
            testing_round_trip(s);
        scn_free(s);
        return true;
    }
    assert_int_equal(err, IBK_ERR_BAD_VALUE);
    assert_null(s);
    assert_true(errors.count > 0);
    for (size_t i = 0; i < errors.count; i++) {
        assert_true(errors.list[i].line > 0);
        assert_true(errors.list[i].message[0] != '\0');
    }
    return false;
}

static void shake(const char *name, ibk_span original) {
    uint8_t text[16384];
    uint64_t state = 0x9E3779B97F4A7C15u ^ original.len;
    size_t accepted = 0;
    assert_true(original.len < sizeof text / 2);
    for (size_t round = 0; round < ROUNDS; round++) {
        size_t len = original.len;
        memcpy(text, original.data, len);
        for (uint64_t n = draw(&state) % 4 + 1; n > 0; n--)
            len = mutate(text, len, sizeof text, &state);
        accepted += load(ibk_span_of(text, len));
    }
    print_message("%s: %zu of %d loaded\n", name, accepted, ROUNDS);
    assert_true(accepted > 0 && accepted < ROUNDS);
}

static void mutated_scenarios(void **state) {
    (void)state;
    shake("every key", ibk_span_str(testing_full));
    for (size_t i = 0; testing_shipped[i] != NULL; i++) {
        char path[1024];
        uint8_t text[8192];
        snprintf(path, sizeof path, "%s/%s", SCENARIOS, testing_shipped[i]);
        FILE *in = fopen(path, "rb");
        assert_non_null(in);
        size_t len = fread(text, 1, sizeof text, in);
        fclose(in);
        if (strstr(path, "hundred") == NULL)
            shake(testing_shipped[i], ibk_span_of(text, len));
    }
}

static void prefixes(void **state) {
    (void)state;
    size_t len = strlen(testing_full);
    for (size_t i = 0; i < len; i++)
        load(ibk_span_of(testing_full, i));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mutated_scenarios),
        cmocka_unit_test(prefixes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
