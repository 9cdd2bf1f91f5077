#include <ibake/base.h>

#include <stdarg.h>
#include <stdio.h>

static const struct {
    ibk_err err;
    const char *name, *text;
} errors[] = {
#define ROW(name, cat, number, text) {IBK_ERR_##name, #name, text},
    IBK_ERROR_LIST(ROW)
#undef ROW
};

const char *ibk_err_name(ibk_err err) {
    if (err == IBK_OK)
        return "OK";
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (errors[i].err == err)
            return errors[i].name;
    return "UNKNOWN";
}

const char *ibk_err_text(ibk_err err) {
    if (err == IBK_OK)
        return "no error";
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (errors[i].err == err)
            return errors[i].text;
    return "unknown error";
}

ibk_err ibk_fail(ibk_diag *diag, ibk_err err, const char *payload, size_t offset, const char *format, ...) {
    if (!diag)
        return err;
    *diag = (ibk_diag){.err = err, .payload = payload, .offset = offset};
    if (format) {
        va_list args;
        va_start(args, format);
        vsnprintf(diag->detail, sizeof diag->detail, format, args);
        va_end(args);
    }
    return err;
}
