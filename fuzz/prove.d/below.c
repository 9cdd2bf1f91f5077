/* What the reader stands on: ibk_fail without its text. */
#include <ibake/base.h>

ibk_err ibk_fail(ibk_diag *diag, ibk_err err, const char *payload, size_t offset, const char *format, ...) {
    (void)format;
    if (diag) {
        diag->err = err;
        diag->payload = payload;
        diag->offset = offset;
        diag->detail[0] = 0;
    }
    return err;
}

ibk_span ibk_span_of(const void *data, size_t len) {
    return (ibk_span){data, len};
}
