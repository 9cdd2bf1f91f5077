#include "wire/reader.h"
#include "wire/writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void numbers_go_both_ways(void **state) {
    (void)state;
    ibk_buf buf = {0};
    ibk_wr wr;
    ibk_wr_init(&wr, &buf);
    ibk_wr_u8(&wr, 0xA1);
    ibk_wr_u16(&wr, 0xB2C3);
    ibk_wr_u32(&wr, 0xD4E5F607);
    ibk_wr_u64(&wr, 0x1122334455667788);
    assert_int_equal(ibk_wr_finish(&wr), IBK_OK);
    static const uint8_t want[] = {0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6, 0x07, 0x11,
                                   0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88};
    assert_int_equal(buf.len, sizeof want);
    assert_memory_equal(buf.data, want, sizeof want);

    ibk_rd rd;
    ibk_rd_init(&rd, ibk_buf_span(&buf));
    uint8_t a = 0, peek = 0;
    uint16_t b = 0;
    uint32_t c = 0;
    uint64_t d = 0;
    assert_true(ibk_rd_peek_u8(&rd, &peek) && ibk_rd_u8(&rd, &a) && ibk_rd_u16(&rd, &b));
    assert_true(ibk_rd_u32(&rd, &c) && ibk_rd_u64(&rd, &d));
    assert_true(a == 0xA1 && peek == a && b == 0xB2C3 && c == 0xD4E5F607 && d == 0x1122334455667788);
    assert_true(ibk_rd_at_end(&rd));
    assert_false(ibk_rd_u8(&rd, &a) || ibk_rd_peek_u8(&rd, &a));
    ibk_buf_free(&buf);
}

static void reads_stay_inside_and_do_not_move_on_failure(void **state) {
    (void)state;
    static const uint8_t in[] = {0x00, 0x05, 1, 2, 3};
    ibk_rd rd;
    ibk_span span;
    uint32_t v32;
    ibk_rd_init(&rd, ibk_span_of(in, sizeof in));
    assert_false(ibk_rd_span16(&rd, &span));
    assert_int_equal(rd.pos, 0);
    assert_int_equal(rd.need, 5);
    assert_false(ibk_rd_span(&rd, SIZE_MAX, &span));
    assert_true(ibk_rd_span8(&rd, &span));
    assert_int_equal(span.len, 0);
    assert_true(ibk_rd_u32(&rd, &v32));
    assert_true(ibk_rd_at_end(&rd));
    assert_int_equal(ibk_rd_since(&rd, 1).len, 4);
    assert_int_equal(ibk_rd_since(&rd, 9).len, 0);

    ibk_diag diag;
    rd.pos = 2;
    assert_false(ibk_rd_u32(&rd, &v32));
    assert_int_equal(ibk_rd_fail(&rd, IBK_ERR_TRUNCATED, "T", 10, &diag), IBK_ERR_TRUNCATED);
    assert_int_equal(diag.offset, 12);
    assert_string_equal(diag.detail, "a field of 4 octets, 3 are left");
    assert_int_equal(ibk_rd_refuse(&rd, IBK_ERR_BAD_VALUE, 1, "no"), IBK_ERR_BAD_VALUE);
    ibk_rd_fail(&rd, IBK_ERR_BAD_VALUE, "T", 0, &diag);
    assert_int_equal(diag.offset, 1);
    assert_string_equal(diag.detail, "no");
}

static void marks_hold_lengths_and_failure_sticks(void **state) {
    (void)state;
    static uint8_t big[300];
    ibk_buf buf = {0};
    ibk_wr wr;
    assert_int_equal(ibk_buf_append(&buf, "kept", 4), IBK_OK);
    ibk_wr_init(&wr, &buf);
    ibk_wr_mark outer = ibk_wr_open16(&wr);
    ibk_wr_span8(&wr, ibk_span_str("abc"));
    ibk_wr_zeros(&wr, 2);
    ibk_wr_close(&wr, outer);
    assert_int_equal(ibk_wr_finish(&wr), IBK_OK);
    assert_int_equal(buf.len, 12);
    assert_memory_equal(buf.data,
                        "kept\0\x06\x03"
                        "abc\0\0",
                        12);

    ibk_wr_init(&wr, &buf);
    ibk_wr_span16(&wr, ibk_span_of(big, sizeof big));
    ibk_wr_span8(&wr, ibk_span_of(big, sizeof big));
    ibk_wr_u8(&wr, 1);
    ibk_wr_fail(&wr, IBK_ERR_LIMIT);
    assert_int_equal(ibk_wr_finish(&wr), IBK_ERR_USAGE);
    assert_int_equal(buf.len, 12);

    ibk_wr_init(&wr, &buf);
    ibk_wr_zeros(&wr, SIZE_MAX);
    assert_int_equal(ibk_wr_finish(&wr), IBK_ERR_LIMIT);
    ibk_buf_free(&buf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_go_both_ways),
        cmocka_unit_test(reads_stay_inside_and_do_not_move_on_failure),
        cmocka_unit_test(marks_hold_lengths_and_failure_sticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
