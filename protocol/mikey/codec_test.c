/* Properties that hold for every message and every inner content. */
#include "mikey/samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static sample samples[SAMPLES_MAX];
static size_t count;

static int make(void **state) {
    (void)state;
    count = samples_make(samples);
    return 0;
}

static int unmake(void **state) {
    (void)state;
    samples_free(samples, count);
    return 0;
}

static void what_parses_is_written_back_alike(void **state) {
    (void)state;
    for (size_t i = 0; i < count; i++) {
        ibk_buf out = {0};
        ibk_diag diag = {0};
        ibk_err err = reencode(&samples[i], ibk_buf_span(&samples[i].octets), &out, &diag);
        if (err)
            fail_msg("%s: %s at %zu: %s", samples[i].name, ibk_err_name(err), diag.offset, diag.detail);
        assert_true(ibk_span_equal(ibk_buf_span(&out), ibk_buf_span(&samples[i].octets)));
        ibk_buf_free(&out);
    }
}

static void every_prefix_fails_inside_itself(void **state) {
    (void)state;
    for (size_t i = 0; i < count; i++)
        for (size_t len = 0; len < samples[i].octets.len; len++) {
            ibk_buf out = {0}, exact = {0}; /* exact: ASan sees a read beyond */
            ibk_diag diag = {0};
            assert_int_equal(ibk_buf_append(&exact, samples[i].octets.data, len), IBK_OK);
            ibk_err err = reencode(&samples[i], ibk_buf_span(&exact), &out, &diag);
            assert_int_equal(ibk_err_category(err), IBK_CAT_WIRE);
            assert_int_equal(diag.err, err);
            assert_non_null(diag.payload);
            assert_true(diag.offset <= len);
            ibk_buf_free(&exact);
        }
}

static void added_octets_are_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < count; i++) {
        ibk_buf out = {0}, longer = {0};
        ibk_diag diag = {0};
        assert_int_equal(ibk_buf_append(&longer, samples[i].octets.data, samples[i].octets.len), IBK_OK);
        assert_int_equal(ibk_buf_append(&longer, "\x01", 1), IBK_OK);
        ibk_err err = reencode(&samples[i], ibk_buf_span(&longer), &out, &diag);
        assert_true(err == IBK_ERR_TRAILING || err == IBK_ERR_BAD_PADDING);
        assert_int_equal(diag.offset, samples[i].octets.len);
        ibk_buf_free(&longer);
    }
}

static void mutate(const sample *s, ibk_buf *copy, size_t at, uint8_t value) {
    ibk_buf out = {0};
    ibk_diag diag = {0};
    copy->data[at] = value;
    ibk_err err = reencode(s, ibk_buf_span(copy), &out, &diag);
    if (err && diag.offset > copy->len)
        fail_msg("%s: octet %zu = %u: offset %zu", s->name, at, value, diag.offset);
    if (!err && !ibk_span_equal(ibk_buf_span(&out), ibk_buf_span(copy)))
        fail_msg("%s: octet %zu = %u is written back otherwise", s->name, at, value);
    ibk_buf_free(&out);
}

static void mutated_octets_never_harm(void **state) {
    (void)state;
    for (size_t i = 0; i < count; i++) {
        ibk_buf copy = {0};
        assert_int_equal(ibk_buf_append_span(&copy, ibk_buf_span(&samples[i].octets)), IBK_OK);
        for (size_t at = 0; at < copy.len; at++) {
            uint8_t was = copy.data[at];
            for (unsigned v = 0; v < 256; v++)
                mutate(&samples[i], &copy, at, (uint8_t)v);
            copy.data[at] = was;
        }
        ibk_buf_free(&copy);
    }
}

typedef struct tiles {
    size_t at, end, fields;
} tiles;

static void check_tile(void *user, const ibk_field *field) {
    tiles *t = user;
    assert_non_null(field->name);
    assert_non_null(field->text);
    assert_true(field->len > 0);
    if (field->offset != t->end && field->offset != t->at)
        fail_msg("%s at %zu after %zu..%zu", field->name, field->offset, t->at, t->end);
    t->at = field->offset;
    t->end = field->offset + field->len;
    t->fields++;
}

static void descriptions_cover_every_octet_once(void **state) {
    (void)state;
    for (size_t i = 0; i < count; i++) {
        ibk_span in = ibk_buf_span(&samples[i].octets);
        ibk_msg m = {0};
        tiles t = {0};
        if (samples[i].container)
            assert_int_equal(ibk_chain_parse(&m.chain, samples[i].container, IBK_PL_IDR, in, NULL), IBK_OK);
        else
            assert_int_equal(ibk_msg_parse(&m, in, NULL), IBK_OK);
        ibk_describe_hdr(&m, check_tile, &t);
        for (size_t k = 0; k < m.chain.count; k++)
            ibk_describe_payload(&m.chain.items[k], check_tile, &t);
        if (t.end != in.len)
            fail_msg("%s: described to %zu of %zu", samples[i].name, t.end, in.len);
        ibk_msg_free(&m);
    }
}

static void collect(void *user, const ibk_field *field) {
    char *line = user;
    size_t n = strlen(line);
    snprintf(line + n, 400 - n, "%zu:%s=%s;", field->offset, field->name, field->text);
}

static void a_description_reads_like_this(void **state) {
    (void)state;
    ibk_msg m = {0};
    char text[400] = "";
    assert_int_equal(ibk_msg_parse(&m, ibk_buf_span(&samples[0].octets), NULL), IBK_OK);
    ibk_describe_payload(ibk_msg_find_idr(&m, IBK_ROLE_I, 0), collect, text);
    ibk_describe_payload(ibk_msg_find(&m, IBK_PL_T, 0), collect, text);
    assert_string_equal(text, "56:next payload=14 (IDR);57:ID role=1 (Initiator);58:ID type=1 (URI);"
                              "59:ID length=19;61:ID data=sip:alice@a.example;"
                              "28:next payload=11 (RAND);29:TS type=0 (NTP-UTC);"
                              "30:TS value=2025-08-31T00:47:39.500000000Z;");
    ibk_msg_free(&m);
    ibk_describe_payload(&(ibk_payload){.type = IBK_PL_T}, collect, NULL); /* a built one: nothing */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_parses_is_written_back_alike),
        cmocka_unit_test(every_prefix_fails_inside_itself),
        cmocka_unit_test(added_octets_are_refused),
        cmocka_unit_test(mutated_octets_never_harm),
        cmocka_unit_test(descriptions_cover_every_octet_once),
        cmocka_unit_test(a_description_reads_like_this),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
