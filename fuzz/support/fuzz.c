#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void fuzz_broken(const char *file, int line, const char *claim) {
    fprintf(stderr, "%s:%d: the oracle's claim does not hold: %s\n", file, line, claim);
    abort();
}

void fuzz_check_refusal(ibk_err err, const ibk_diag *diag, size_t size) {
    FUZZ_CHECK(err != IBK_OK);
    FUZZ_CHECK(ibk_err_category(err) != IBK_CAT_USAGE || err == IBK_ERR_UNSUPPORTED);
    FUZZ_CHECK(ibk_err_category(err) != IBK_CAT_INTERNAL);
    if (err == IBK_ERR_NO_MEMORY)
        return;
    FUZZ_CHECK(diag->err == err);
    FUZZ_CHECK(diag->payload != NULL);
    FUZZ_CHECK(diag->offset <= size);
}

static void show(const char *what, ibk_span span, size_t from) {
    enum { SHOWN = 32 };
    fprintf(stderr, "%s, %zu octets, from %zu:", what, span.len, from);
    for (size_t i = from; i < span.len && i < from + SHOWN; i++)
        fprintf(stderr, " %02x", span.data[i]);
    fputc('\n', stderr);
}

void fuzz_check_same(ibk_span want, ibk_span got) {
    if (ibk_span_equal(want, got))
        return;
    size_t at = 0;
    while (at < want.len && at < got.len && want.data[at] == got.data[at])
        at++;
    show("want", want, at);
    show("got", got, at);
    fuzz_broken(__FILE__, __LINE__, "the same octets");
}

void fuzz_check_message(ibk_span octets) {
    ibk_msg msg = {0};
    ibk_buf out = {0};
    FUZZ_CHECK(ibk_msg_parse(&msg, octets, NULL) == IBK_OK);
    FUZZ_CHECK(ibk_msg_write(&msg, &out) == IBK_OK);
    fuzz_check_same(octets, ibk_buf_span(&out));
    ibk_buf_free(&out);
    ibk_msg_free(&msg);
}
