/* Object identifiers of RFC 5408 and of P-23. */
#include "kms/der_items.h"

ibk_span ibk_oid_bf(void) {
    static const uint8_t oid[] = {0x60, 0x86, 0x48, 0x01, 0x86, 0xfd, 0x1e, 0x01, 0x01, 0x02, 0x01};
    return ibk_span_of(oid, sizeof oid);
}

ibk_span ibk_oid_pkg_uri(void) {
    static const uint8_t oid[] = {0x60, 0x86, 0x48, 0x01, 0x86, 0xfd, 0x1e, 0x01, 0x03, 0x02, 0x01};
    return ibk_span_of(oid, sizeof oid);
}

/* 2.25 (ITU-T X.667: what follows is a UUID), the UUID as one subidentifier, the granularity. */
#define IDENTITY_TYPE(last)                                                                                  \
    {                                                                                                        \
        0x69, 0x82, 0x8c, 0xdb, 0x8e, 0xd5, 0xb7, 0xc3, 0x82, 0xf5, 0xb5, 0xb5, 0xd7, 0x88, 0xd9, 0x9e,      \
            0xf9, 0xdc, 0xf5, 0x22, last                                                                     \
    }

ibk_span ibk_oid_identity_type(ibk_granularity granularity) {
    static const uint8_t day[] = IDENTITY_TYPE(1), hour[] = IDENTITY_TYPE(2), month[] = IDENTITY_TYPE(3);
    switch (granularity) {
    case IBK_GRANULARITY_HOUR:
        return ibk_span_of(hour, sizeof hour);
    case IBK_GRANULARITY_MONTH:
        return ibk_span_of(month, sizeof month);
    default:
        return ibk_span_of(day, sizeof day);
    }
}

bool ibk_oid_granularity(ibk_granularity *out, ibk_span oid) {
    static const ibk_granularity all[] = {IBK_GRANULARITY_DAY, IBK_GRANULARITY_HOUR, IBK_GRANULARITY_MONTH};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (ibk_span_equal(oid, ibk_oid_identity_type(all[i]))) {
            *out = all[i];
            return true;
        }
    }
    return false;
}

ibk_err ibk_oid_write(ibk_buf *out, ibk_span oid) {
    return oid_sound(oid) ? ibk_der_put(out, IBK_DER_OID, oid) : IBK_ERR_USAGE;
}

ibk_err ibk_oid_parse(ibk_span *oid, ibk_span der, ibk_diag *diag) {
    static const char NAME[] = "OBJECT IDENTIFIER";
    if (der.len == 0) {
        return ibk_fail(diag, IBK_ERR_DER, NAME, 0, "no octets");
    }
    ibk_der d = {der.data, der.data, der.data + der.len, NAME};
    ibk_err err = take_oid(&d, oid, "oid", diag);
    if (!err && d.at != d.end) {
        err = ibk_fail(diag, IBK_ERR_DER, d.name, ibk_der_offset(&d), "octets follow the structure");
    }
    return err;
}
