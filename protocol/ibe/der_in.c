#include "ibe/der.h"

size_t ibk_der_offset(const ibk_der *d) {
    return (size_t)(d->at - d->start);
}

static ibk_err refuse(const ibk_der *d, ibk_err err, const char *field, const char *why, ibk_diag *diag) {
    return ibk_fail(diag, err, d->name, ibk_der_offset(d), "%s: %s", field, why);
}

/* The length octets at d->at: definite, in the fewest octets, within the input. */
static ibk_err take_length(ibk_der *d, size_t *length, const char *field, ibk_diag *diag) {
    size_t left = (size_t)(d->end - d->at);
    if (left == 0)
        return refuse(d, IBK_ERR_DER, field, "the input ends before the length", diag);
    uint8_t first = d->at[0];
    size_t octets = first & 0x7f;
    if (first < 0x80) {
        *length = first;
        octets = 0;
    } else {
        if (octets == 0 || octets > 4)
            return refuse(d, IBK_ERR_DER, field, octets == 0 ? "indefinite length" : "length too long", diag);
        if (octets + 1 > left)
            return refuse(d, IBK_ERR_DER, field, "the input ends inside the length", diag);
        *length = 0;
        for (size_t i = 1; i <= octets; i++)
            *length = *length << 8 | d->at[i];
        if (d->at[1] == 0 || *length < 0x80)
            return refuse(d, IBK_ERR_DER, field, "the length is not in the fewest octets", diag);
    }
    if (*length > left - 1 - octets)
        return ibk_fail(diag, IBK_ERR_DER, d->name, ibk_der_offset(d),
                        "%s: length %zu passes the end, %zu octets are left", field, *length,
                        left - 1 - octets);
    d->at += 1 + octets;
    return IBK_OK;
}

ibk_err ibk_der_take(ibk_der *d, ibk_span *content, uint8_t tag, const char *field, ibk_diag *diag) {
    if (d->at == d->end)
        return refuse(d, IBK_ERR_DER_STRUCTURE, field, "missing", diag);
    if (*d->at != tag)
        return ibk_fail(diag, IBK_ERR_DER_STRUCTURE, d->name, ibk_der_offset(d),
                        "%s: tag 0x%02x where 0x%02x belongs", field, *d->at, tag);
    ibk_der next = *d;
    size_t length = 0;
    next.at++;
    ibk_err err = take_length(&next, &length, field, diag);
    if (err != IBK_OK)
        return err;
    *content = ibk_span_of(next.at, length);
    d->at = next.at + length;
    return IBK_OK;
}

ibk_err ibk_der_enter(ibk_der *d, ibk_der *inner, const char *field, ibk_diag *diag) {
    ibk_span content = {0};
    ibk_err err = ibk_der_take(d, &content, IBK_DER_SEQUENCE, field, diag);
    if (err == IBK_OK)
        *inner = (ibk_der){d->start, content.data, content.data + content.len, d->name};
    return err;
}

ibk_err ibk_der_open(ibk_der *d, ibk_span input, const char *name, ibk_diag *diag) {
    static const uint8_t EMPTY[1];
    if (input.data == NULL)
        input = ibk_span_of(EMPTY, 0);
    ibk_der whole = {input.data, input.data, input.data + input.len, name};
    ibk_err err = ibk_der_enter(&whole, d, name, diag);
    if (err == IBK_OK && whole.at != whole.end)
        err = refuse(&whole, IBK_ERR_DER, name, "octets follow the structure", diag);
    return err;
}

ibk_err ibk_der_natural(ibk_der *d, ibk_span *magnitude, size_t limit, const char *field, ibk_diag *diag) {
    ibk_der before = *d;
    ibk_span content = {0};
    ibk_err err = ibk_der_take(d, &content, IBK_DER_INTEGER, field, diag);
    if (err != IBK_OK)
        return err;
    const uint8_t *o = content.data;
    if (content.len == 0)
        return refuse(&before, IBK_ERR_DER, field, "INTEGER without content", diag);
    if (o[0] & 0x80)
        return refuse(&before, IBK_ERR_DER_STRUCTURE, field, "negative INTEGER", diag);
    if (content.len > 1 && o[0] == 0 && (o[1] & 0x80) == 0)
        return refuse(&before, IBK_ERR_DER, field, "INTEGER not in the fewest octets", diag);
    if (o[0] == 0)
        content = ibk_span_of(o + 1, content.len - 1);
    if (content.len > limit)
        return ibk_fail(diag, IBK_ERR_LIMIT, d->name, ibk_der_offset(&before),
                        "%s: INTEGER of %zu octets, limit %zu", field, content.len, limit);
    *magnitude = content;
    return IBK_OK;
}

ibk_err ibk_der_version(ibk_der *d, ibk_diag *diag) {
    ibk_der before = *d;
    ibk_span v;
    ibk_err err = ibk_der_natural(d, &v, 8, "version", diag);
    if (err == IBK_OK && (v.len != 1 || v.data[0] != 2))
        err = refuse(&before, IBK_ERR_DER_STRUCTURE, "version", "not 2", diag);
    return err;
}

ibk_err ibk_der_point(ibk_der *d, ibk_span *x, ibk_span *y, size_t limit, const char *field, ibk_diag *diag) {
    ibk_der inner;
    ibk_err err = ibk_der_enter(d, &inner, field, diag);
    if (err == IBK_OK)
        err = ibk_der_natural(&inner, x, limit, field, diag);
    if (err == IBK_OK)
        err = ibk_der_natural(&inner, y, limit, field, diag);
    if (err == IBK_OK)
        err = ibk_der_close(&inner, diag);
    return err;
}

ibk_err ibk_der_close(const ibk_der *d, ibk_diag *diag) {
    return d->at == d->end
               ? IBK_OK
               : refuse(d, IBK_ERR_DER_STRUCTURE, "end", "more elements than the structure has", diag);
}
