/* Strict DER: what is refused, with the offset; lengths of every form written and read back. */
#include "ibe/der.h"
#include "ibe/testing.h"

typedef struct bad_case {
    const char *octets;
    size_t len;
    ibk_err err;
    size_t offset;
} bad_case;

#define BAD(octets, err, offset)                                                                             \
    { octets, sizeof octets - 1, IBK_ERR_##err, offset }

/* A SEQUENCE { INTEGER, OCTET STRING }. */
static ibk_err read_pair(const char *octets, size_t len, ibk_diag *diag) {
    ibk_der d;
    ibk_span a, b;
    ibk_err err = ibk_der_open(&d, ibk_span_of(octets, len), "Pair", diag);
    if (err == IBK_OK)
        err = ibk_der_natural(&d, &a, 4, "number", diag);
    if (err == IBK_OK)
        err = ibk_der_take(&d, &b, IBK_DER_OCTETS, "string", diag);
    return err == IBK_OK ? ibk_der_close(&d, diag) : err;
}

static void bad_cases(void **state) {
    (void)state;
    static const bad_case CASES[] = {
        BAD("", DER_STRUCTURE, 0),
        BAD("\x30", DER, 1),
        BAD("\x31\x05\x02\x01\x05\x04\x00", DER_STRUCTURE, 0),
        BAD("\x30\x80\x02\x01\x05\x04\x00\x00\x00", DER, 1),             // indefinite
        BAD("\x30\x81\x05\x02\x01\x05\x04\x00", DER, 1),                 // long form where short would do
        BAD("\x30\x82\x00\x05\x02\x01\x05\x04\x00", DER, 1),             // leading zero
        BAD("\x30\x85\x01\x01\x01\x01\x01\x02\x01\x05\x04\x00", DER, 1), // five octets of length
        BAD("\x30\xff", DER, 1),
        BAD("\x30\x82\x01", DER, 1),                                   // cut inside the length
        BAD("\x30\x06\x02\x01\x05\x04\x00", DER, 1),                   // passes the end
        BAD("\x30\x05\x02\x01\x05\x04\x00\x00", DER, 7),               // trailing octet
        BAD("\x30\x06\x02\x02\x00\x05\x04\x00", DER, 2),               // INTEGER with a needless zero
        BAD("\x30\x04\x02\x00\x04\x00", DER, 2),                       // INTEGER without content
        BAD("\x30\x05\x02\x01\x85\x04\x00", DER_STRUCTURE, 2),         // negative
        BAD("\x30\x06\x02\x02\xff\x05\x04\x00", DER_STRUCTURE, 2),     // negative, padded
        BAD("\x30\x09\x02\x05\x01\x00\x00\x00\x00\x04\x00", LIMIT, 2), // five octets of magnitude
        BAD("\x30\x05\x04\x01\x05\x04\x00", DER_STRUCTURE, 2),         // another tag
        BAD("\x30\x03\x02\x01\x05", DER_STRUCTURE, 5),                 // missing element
        BAD("\x30\x07\x02\x01\x05\x04\x00\x05\x00", DER_STRUCTURE, 7), // one too many
        BAD("\x30\x05\x02\x01\x05\x24\x00", DER_STRUCTURE, 5),         // constructed string
        BAD("\x30\x06\x02\x01\x05\x04\x02\x00", DER, 6),               // inner length passes the end
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        ibk_diag diag = {0};
        ibk_err err = read_pair(CASES[i].octets, CASES[i].len, &diag);
        if (err != CASES[i].err || diag.err != err || diag.offset != CASES[i].offset)
            fail_msg("case %zu: %s at %zu (%s)", i, ibk_err_name(err), diag.offset, diag.detail);
        assert_string_equal(diag.payload, "Pair");
        assert_int_equal(read_pair(CASES[i].octets, CASES[i].len, NULL), err);
    }
    assert_int_equal(read_pair("\x30\x05\x02\x01\x05\x04\x00", 7, NULL), IBK_OK);
    assert_int_equal(read_pair("\x30\x05\x02\x01\x00\x04\x00", 7, NULL), IBK_OK);
    assert_int_equal(read_pair("\x30\x09\x02\x05\x00\xff\xff\xff\xff\x04\x00", 11, NULL), IBK_OK);
    ibk_der d;
    assert_int_equal(ibk_der_open(&d, ibk_span_of(NULL, 0), "Pair", NULL), IBK_ERR_DER_STRUCTURE);
}

static void lengths(void **state) {
    (void)state;
    static const size_t LENGTHS[] = {0, 1, 127, 128, 255, 256, 65535, 65536, 200000};
    uint8_t *octets = calloc(1, 200000);
    assert_non_null(octets);
    for (size_t i = 0; i < sizeof LENGTHS / sizeof *LENGTHS; i++) {
        ibk_buf out = {NULL, 0, 0};
        ibk_der d;
        ibk_span content;
        assert_int_equal(ibk_buf_append(&out, "before", 6), IBK_OK);
        assert_int_equal(ibk_der_put(&out, IBK_DER_OCTETS, ibk_span_of(octets, LENGTHS[i])), IBK_OK);
        assert_int_equal(ibk_der_wrap(&out, 6), IBK_OK);
        assert_memory_equal(out.data, "before", 6);
        assert_int_equal(ibk_der_open(&d, ibk_span_of(out.data + 6, out.len - 6), "String", NULL), IBK_OK);
        assert_int_equal(ibk_der_take(&d, &content, IBK_DER_OCTETS, "string", NULL), IBK_OK);
        assert_int_equal(content.len, LENGTHS[i]);
        assert_int_equal(ibk_der_close(&d, NULL), IBK_OK);
        ibk_buf_free(&out);
    }
    free(octets);
}

static void naturals(void **state) {
    (void)state;
    static const struct {
        const char *in;
        size_t in_len;
        const char *out;
        size_t out_len;
    } CASES[] = {
        {"", 0, "\x02\x01\x00", 3},
        {"\x00\x00", 2, "\x02\x01\x00", 3},
        {"\x7f", 1, "\x02\x01\x7f", 3},
        {"\x00\x80", 2, "\x02\x02\x00\x80", 4},
        {"\x00\x01\x00", 3, "\x02\x02\x01\x00", 4},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        ibk_buf out = {NULL, 0, 0};
        assert_int_equal(ibk_der_put_natural(&out, ibk_span_of(CASES[i].in, CASES[i].in_len)), IBK_OK);
        assert_int_equal(out.len, CASES[i].out_len);
        assert_memory_equal(out.data, CASES[i].out, out.len);
        ibk_buf_free(&out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_cases),
        cmocka_unit_test(lengths),
        cmocka_unit_test(naturals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
