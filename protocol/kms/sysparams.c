/* IBESysParams: a district's public parameters (RFC 5408 §4.2). */
#include "base/calendar.h"
#include "kms/der_items.h"

#include <string.h>

#define NS_PER_SECOND INT64_C(1000000000)
#define TIME_LEN      15 /* YYYYMMDDHHMMSSZ, always (§4.2) */
#define YEAR_MIN      1970
#define YEAR_MAX      9999

static const char NAME[] = "IBESysParams";

/* ---- GeneralizedTime ----------------------------------------------------------------------------------- */

static int64_t digits(const uint8_t *text, size_t n) {
    int64_t value = 0;
    for (size_t i = 0; i < n; i++) {
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

static bool read_time(int64_t *seconds, ibk_span text) {
    if (text.len != TIME_LEN || text.data[TIME_LEN - 1] != 'Z') {
        return false;
    }
    for (size_t i = 0; i < TIME_LEN - 1; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
    }
    const uint8_t *t = text.data;
    ibk_civil c = {digits(t, 4),          (int)digits(t + 4, 2),  (int)digits(t + 6, 2),
                   (int)digits(t + 8, 2), (int)digits(t + 10, 2), (int)digits(t + 12, 2)};
    if (c.year < YEAR_MIN || c.month < 1 || c.month > 12 || c.day < 1 ||
        c.day > ibk_month_days(c.year, c.month) || c.hour > 23 || c.minute > 59 || c.second > 59) {
        return false;
    }
    *seconds = ibk_civil_seconds(&c);
    return true;
}

static bool time_fits(int64_t seconds) {
    return seconds >= 0 && seconds < ibk_days_to_month(YEAR_MAX + 1, 1) * IBK_SECONDS_PER_DAY;
}

static void put_digits(uint8_t *out, size_t n, int64_t value) {
    for (size_t i = n; i-- > 0; value /= 10) {
        out[i] = (uint8_t)('0' + value % 10);
    }
}

static ibk_err put_time(ibk_buf *out, int64_t seconds) {
    uint8_t text[TIME_LEN];
    ibk_civil c = ibk_civil_of(seconds);
    put_digits(text, 4, c.year);
    const int parts[] = {c.month, c.day, c.hour, c.minute, c.second};
    for (size_t i = 0; i < 5; i++) {
        put_digits(text + 4 + 2 * i, 2, parts[i]);
    }
    text[TIME_LEN - 1] = 'Z';
    return ibk_der_put(out, DER_TIME, ibk_span_of(text, sizeof text));
}

static ibk_err take_time(ibk_der *d, int64_t *seconds, const char *field, ibk_diag *diag) {
    ibk_span text;
    size_t at = ibk_der_offset(d);
    ibk_err err = ibk_der_take(d, &text, DER_TIME, field, diag);
    if (!err && !read_time(seconds, text)) {
        err = ibk_fail(diag, IBK_ERR_BAD_VALUE, NAME, at, "%s: not a time YYYYMMDDHHMMSSZ", field);
    }
    return err;
}

static ibk_err take_validity(ibk_der *d, ibk_sysparams *out, ibk_diag *diag) {
    ibk_der inner;
    size_t at = ibk_der_offset(d);
    ibk_err err = ibk_der_enter(d, &inner, "validity", diag);
    err = err ? err : take_time(&inner, &out->not_before_s, "notBefore", diag);
    err = err ? err : take_time(&inner, &out->not_after_s, "notAfter", diag);
    err = err ? err : ibk_der_close(&inner, diag);
    if (!err && out->not_before_s > out->not_after_s) {
        err = ibk_fail(diag, IBK_ERR_BAD_VALUE, NAME, at, "validity: notBefore is after notAfter");
    }
    return err;
}

/* ---- the structure --------------------------------------------------------------------------------------
 */

/* "It MUST NOT contain two or more IBEPublicParameter entries with the same algorithm"; extensions likewise,
 * for which of two should count? */
static bool each_once(const ibk_oid_value *items, size_t n) {
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            if (ibk_span_equal(items[i].oid, items[j].oid)) {
                return false;
            }
        }
    }
    return true;
}

static ibk_err take_lists(ibk_der *d, ibk_sysparams *out, ibk_diag *diag) {
    size_t at = ibk_der_offset(d);
    ibk_err err = take_items(d, out->algorithms, &out->n_algorithms, 1, "ibePublicParameters", diag);
    if (!err && !each_once(out->algorithms, out->n_algorithms)) {
        err = ibk_fail(diag, IBK_ERR_BAD_VALUE, NAME, at, "ibePublicParameters: an algorithm stands twice");
    }
    err = err ? err : take_oid(d, &out->identity_type, "ibeIdentityType", diag);
    if (err || d->at == d->end) {
        return err;
    }
    at = ibk_der_offset(d);
    out->has_extensions = true;
    err = take_items(d, out->extensions, &out->n_extensions, 0, "ibeParamExtensions", diag);
    if (!err && !each_once(out->extensions, out->n_extensions)) {
        err = ibk_fail(diag, IBK_ERR_BAD_VALUE, NAME, at, "ibeParamExtensions: an extension stands twice");
    }
    return err;
}

ibk_err ibk_sysparams_parse(ibk_sysparams *out, ibk_span der, ibk_diag *diag) {
    ibk_der d;
    *out = (ibk_sysparams){0};
    if (der.len > IBK_SYSPARAMS_MAX) {
        return ibk_fail(diag, IBK_ERR_LIMIT, NAME, 0, "%zu octets", der.len);
    }
    ibk_err err = ibk_der_open(&d, der, NAME, diag);
    err = err ? err : ibk_der_version(&d, diag); /* MUST be 2 */
    err = err ? err : take_uri(&d, &out->district, "districtName", diag);
    err = err ? err : take_serial(&d, &out->serial, "districtSerial", diag);
    err = err ? err : take_validity(&d, out, diag);
    err = err ? err : take_lists(&d, out, diag);
    err = err ? err : ibk_der_close(&d, diag);
    if (err) {
        *out = (ibk_sysparams){0};
    }
    return err;
}

static bool sound(const ibk_sysparams *in) {
    return uri_sound(in->district) && time_fits(in->not_before_s) && time_fits(in->not_after_s) &&
           in->not_before_s <= in->not_after_s && in->n_algorithms > 0 &&
           in->n_algorithms <= IBK_SYSPARAMS_ITEMS && each_once(in->algorithms, in->n_algorithms) &&
           oid_sound(in->identity_type) && in->n_extensions <= IBK_SYSPARAMS_ITEMS &&
           each_once(in->extensions, in->n_extensions) && (in->n_extensions == 0 || in->has_extensions);
}

static ibk_err put_validity(ibk_buf *out, const ibk_sysparams *in) {
    size_t from = out->len;
    ibk_err err = put_time(out, in->not_before_s);
    err = err ? err : put_time(out, in->not_after_s);
    return err ? err : ibk_der_wrap(out, from);
}

ibk_err ibk_sysparams_write(ibk_buf *out, const ibk_sysparams *in) {
    size_t from = out->len;
    if (!sound(in)) {
        return IBK_ERR_USAGE;
    }
    ibk_err err = ibk_der_put_version(out);
    err = err ? err : ibk_der_put(out, DER_IA5, in->district);
    err = err ? err : put_serial(out, in->serial);
    err = err ? err : put_validity(out, in);
    err = err ? err : put_items(out, in->algorithms, in->n_algorithms);
    err = err ? err : ibk_der_put(out, IBK_DER_OID, in->identity_type);
    if (!err && in->has_extensions) {
        err = put_items(out, in->extensions, in->n_extensions);
    }
    return finish_structure(out, from, err);
}

/* ---- use ------------------------------------------------------------------------------------------------
 */

ibk_span ibk_sysparams_bf(const ibk_sysparams *in) {
    for (size_t i = 0; i < in->n_algorithms; i++) {
        if (ibk_span_equal(in->algorithms[i].oid, ibk_oid_bf())) {
            return in->algorithms[i].value;
        }
    }
    return (ibk_span){0};
}

ibk_err ibk_sysparams_usable(const ibk_sysparams *in, int64_t utc_ns, ibk_diag *diag) {
    int64_t now = ibk_floor_div(utc_ns, NS_PER_SECOND);
    if (now < in->not_before_s || now > in->not_after_s) {
        return ibk_fail(diag, IBK_ERR_EXPIRED, NAME, 0, "the parameters are %s",
                        now < in->not_before_s ? "not valid yet" : "no longer valid");
    }
    for (size_t i = 0; i < in->n_extensions; i++) {
        if (!ibk_span_equal(in->extensions[i].oid, ibk_oid_pkg_uri())) {
            return ibk_fail(diag, IBK_ERR_UNSUPPORTED, NAME, 0, "extension %zu is unknown", i + 1);
        }
    }
    return ibk_sysparams_bf(in).len > 0
               ? IBK_OK
               : ibk_fail(diag, IBK_ERR_UNSUPPORTED, NAME, 0, "no Boneh-Franklin parameters");
}

ibk_err ibk_sysparams_covers(const ibk_sysparams *in, ibk_span ibe_identity, ibk_diag *diag) {
    ibk_granularity granularity;
    ibk_span id;
    int64_t start_ns;
    if (!ibk_oid_granularity(&granularity, in->identity_type)) {
        return ibk_fail(diag, IBK_ERR_UNSUPPORTED, NAME, 0, "ibeIdentityType: unknown");
    }
    ibk_err err = ibk_ibe_identity_split(&id, &start_ns, ibe_identity, granularity);
    if (err) {
        return ibk_fail(diag, err, "IBE identity", 0, "it ends in no date of this district");
    }
    int64_t start = start_ns / NS_PER_SECOND;
    int64_t end = ibk_period_end(granularity, start_ns) / NS_PER_SECOND; /* the first second after it */
    if (end <= in->not_before_s || start > in->not_after_s) {
        return ibk_fail(diag, IBK_ERR_EXPIRED, "IBE identity", 0,
                        "its date lies outside the validity of the parameters");
    }
    return IBK_OK;
}

ibk_err ibk_sysparams_pkg_uri(ibk_span *uri, const ibk_sysparams *in, ibk_diag *diag) {
    *uri = (ibk_span){0};
    for (size_t i = 0; i < in->n_extensions; i++) {
        const ibk_oid_value *e = &in->extensions[i];
        if (!ibk_span_equal(e->oid, ibk_oid_pkg_uri())) {
            continue;
        }
        static const uint8_t nothing;
        const uint8_t *start = e->value.len ? e->value.data : &nothing;
        ibk_der d = {start, start, start + e->value.len, "pkgURI"};
        ibk_err err = take_uri(&d, uri, "pkgURI", diag);
        err = err ? err : ibk_der_close(&d, diag);
        if (err) {
            *uri = (ibk_span){0};
        }
        return err;
    }
    return IBK_OK;
}

ibk_err ibk_pkg_uri_write(ibk_buf *out, ibk_span uri) {
    return uri_sound(uri) ? ibk_der_put(out, DER_IA5, uri) : IBK_ERR_USAGE;
}
