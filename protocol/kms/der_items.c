#include "kms/der_items.h"

static ibk_err refuse(const ibk_der *d, ibk_err err, size_t at, const char *field, const char *why,
                      ibk_diag *diag) {
    return ibk_fail(diag, err, d->name, at, "%s: %s", field, why);
}

/* ITU-T X.690 §8.19: subidentifiers in the fewest octets, the last one complete. */
bool oid_sound(ibk_span oid) {
    if (oid.len == 0 || oid.len > IBK_OID_MAX || (oid.data[oid.len - 1] & 0x80)) {
        return false;
    }
    for (size_t i = 0; i < oid.len; i++) {
        bool starts = i == 0 || !(oid.data[i - 1] & 0x80);
        if (starts && oid.data[i] == 0x80) {
            return false;
        }
    }
    return true;
}

ibk_err take_oid(ibk_der *d, ibk_span *oid, const char *field, ibk_diag *diag) {
    size_t at = ibk_der_offset(d);
    ibk_err err = ibk_der_take(d, oid, IBK_DER_OID, field, diag);
    if (err) {
        return err;
    }
    if (oid->len > IBK_OID_MAX) {
        return refuse(d, IBK_ERR_LIMIT, at, field, "a very long OBJECT IDENTIFIER", diag);
    }
    return oid_sound(*oid) ? IBK_OK
                           : refuse(d, IBK_ERR_DER, at, field, "no OBJECT IDENTIFIER in its content", diag);
}

static bool letter(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* RFC 3986 §3.1: a scheme and something after it; visible ASCII. */
bool uri_sound(ibk_span uri) {
    size_t scheme = 0;
    for (size_t i = 0; i < uri.len; i++) {
        uint8_t c = uri.data[i];
        if (c <= 0x20 || c >= 0x7f) {
            return false;
        }
        bool in_scheme = letter(c) || (i > 0 && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'));
        if (scheme == 0 && c == ':' && i > 0) {
            scheme = i;
        } else if (scheme == 0 && !in_scheme) {
            return false;
        }
    }
    return scheme > 0 && scheme + 1 < uri.len && uri.len <= IBK_DISTRICT_MAX;
}

ibk_err take_uri(ibk_der *d, ibk_span *uri, const char *field, ibk_diag *diag) {
    size_t at = ibk_der_offset(d);
    ibk_err err = ibk_der_take(d, uri, DER_IA5, field, diag);
    if (err) {
        return err;
    }
    if (uri->len > IBK_DISTRICT_MAX) {
        return refuse(d, IBK_ERR_LIMIT, at, field, "a very long URI", diag);
    }
    return uri_sound(*uri) ? IBK_OK : refuse(d, IBK_ERR_BAD_VALUE, at, field, "no URI", diag);
}

ibk_err take_serial(ibk_der *d, uint64_t *serial, const char *field, ibk_diag *diag) {
    ibk_span magnitude;
    ibk_err err = ibk_der_natural(d, &magnitude, sizeof *serial, field, diag);
    *serial = 0;
    for (size_t i = 0; !err && i < magnitude.len; i++) {
        *serial = *serial << 8 | magnitude.data[i];
    }
    return err;
}

static ibk_err take_item(ibk_der *list, ibk_oid_value *item, const char *field, ibk_diag *diag) {
    ibk_der one;
    ibk_err err = ibk_der_enter(list, &one, field, diag);
    err = err ? err : take_oid(&one, &item->oid, field, diag);
    err = err ? err : ibk_der_take(&one, &item->value, IBK_DER_OCTETS, field, diag);
    return err ? err : ibk_der_close(&one, diag);
}

ibk_err take_items(ibk_der *d, ibk_oid_value *items, size_t *n, size_t least, const char *field,
                   ibk_diag *diag) {
    ibk_der list;
    size_t at = ibk_der_offset(d);
    ibk_err err = ibk_der_enter(d, &list, field, diag);
    *n = 0;
    while (!err && list.at != list.end) {
        if (*n == IBK_SYSPARAMS_ITEMS) {
            return refuse(d, IBK_ERR_LIMIT, ibk_der_offset(&list), field, "too many of them", diag);
        }
        err = take_item(&list, &items[*n], field, diag);
        ++*n;
    }
    if (!err && *n < least) {
        err = refuse(d, IBK_ERR_DER_STRUCTURE, at, field, "there has to be one", diag);
    }
    return err;
}

ibk_err put_serial(ibk_buf *out, uint64_t serial) {
    uint8_t octets[sizeof serial];
    for (size_t i = 0; i < sizeof octets; i++) {
        octets[i] = (uint8_t)(serial >> (8 * (sizeof octets - 1 - i)));
    }
    return ibk_der_put_natural(out, ibk_span_of(octets, sizeof octets));
}

ibk_err put_items(ibk_buf *out, const ibk_oid_value *items, size_t n) {
    size_t from = out->len;
    if (n > IBK_SYSPARAMS_ITEMS) {
        return IBK_ERR_USAGE;
    }
    for (size_t i = 0; i < n; i++) {
        size_t one = out->len;
        ibk_err err = oid_sound(items[i].oid) ? IBK_OK : IBK_ERR_USAGE;
        err = err ? err : ibk_der_put(out, IBK_DER_OID, items[i].oid);
        err = err ? err : ibk_der_put(out, IBK_DER_OCTETS, items[i].value);
        err = err ? err : ibk_der_wrap(out, one);
        if (err) {
            return err;
        }
    }
    return ibk_der_wrap(out, from);
}

ibk_err finish_structure(ibk_buf *out, size_t from, ibk_err err) {
    err = err ? err : ibk_der_wrap(out, from);
    if (!err && out->len - from > IBK_SYSPARAMS_MAX) {
        err = IBK_ERR_USAGE;
    }
    if (err && out->len > from) {
        (void)ibk_buf_resize(out, from); /* shorter: cannot fail */
    }
    return err;
}
