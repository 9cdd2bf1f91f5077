/* Which keys a request is for (P-9, P-10). */
#include "kms/kms_internal.h"

#define DEFAULT_AHEAD_NS (366 * 86400 * INT64_C(1000000000))

ibk_err issue_base(ibk_span *id, const ibk_identity *user, ibk_granularity granularity) {
    int64_t start;
    if (user->id_type != IBK_ID_BYTES) {
        *id = user->id;
        return IBK_OK;
    }
    return ibk_ibe_identity_split(id, &start, user->id, granularity);
}

bool issue_next(ibk_span *list, ibk_span *ibe_identity) {
    if (list->len < 2) {
        return false;
    }
    size_t len = (size_t)list->data[0] << 8 | list->data[1];
    *ibe_identity = ibk_span_of(list->data + 2, len);
    *list = ibk_span_of(list->data + 2 + len, list->len - 2 - len);
    return true;
}

static bool listed(const ibk_buf *out, ibk_span ibe_identity) {
    ibk_span list = ibk_buf_span(out), item;
    while (issue_next(&list, &item)) {
        if (ibk_span_equal(item, ibe_identity)) {
            return true;
        }
    }
    return false;
}

/* Each identity once, however often it was asked for. */
static ibk_err put(ibk_buf *out, size_t *n, ibk_span ibe_identity) {
    if (listed(out, ibe_identity)) {
        return IBK_OK;
    }
    ++*n;
    uint8_t len[2] = {(uint8_t)(ibe_identity.len >> 8), (uint8_t)ibe_identity.len};
    ibk_err err = ibk_buf_append(out, len, sizeof len);
    return err ? err : ibk_buf_append_span(out, ibe_identity);
}

void ibk_issue_range(ibk_granularity g, ibk_kms_issue issue, int64_t utc_ns, int64_t *from, int64_t *to) {
    *from = ibk_period_start(g, utc_ns);
    *to = ibk_period_end(g, utc_ns);
    if (issue == IBK_ISSUE_NEXT || (issue == IBK_ISSUE_PERIOD && g == IBK_GRANULARITY_MONTH)) {
        *to = ibk_period_end(g, *to);
    } else if (issue == IBK_ISSUE_PERIOD) {
        ibk_granularity whole = g == IBK_GRANULARITY_HOUR ? IBK_GRANULARITY_DAY : IBK_GRANULARITY_MONTH;
        *from = ibk_period_start(whole, utc_ns);
        *to = ibk_period_end(whole, utc_ns);
    }
}

static ibk_err whole_issue(const ibk_kms_config *c, ibk_span id, int64_t utc_ns, ibk_buf *out, size_t *n) {
    int64_t from, to;
    ibk_issue_range(c->granularity, c->issue, utc_ns, &from, &to);
    for (int64_t at = from; at < to; at = ibk_period_end(c->granularity, at)) {
        ibk_buf ibe_identity = {0};
        ibk_err err = ibk_ibe_identity(&ibe_identity, id, c->granularity, at);
        err = err ? err : put(out, n, ibk_buf_span(&ibe_identity));
        ibk_buf_free(&ibe_identity);
        if (err) {
            return err;
        }
    }
    return IBK_OK;
}

static ibk_err single(const ibk_kms_config *c, ibk_span ibe_identity, int64_t utc_ns, ibk_buf *out, size_t *n,
                      ibk_diag *diag) {
    ibk_span id;
    int64_t start;
    ibk_err err = ibk_ibe_identity_split(&id, &start, ibe_identity, c->granularity);
    if (err) {
        return ibk_fail(diag, err, "IDR", 0, "a byte string that ends in no date of this KMS");
    }
    int64_t ahead = c->issue_ahead_ns ? c->issue_ahead_ns : DEFAULT_AHEAD_NS;
    bool outside =
        start < ibk_period_start(c->granularity, utc_ns - c->issue_back_ns) || start > utc_ns + ahead;
    if (outside && ibk_guards(c->without, IBK_DEFENCE_ISSUE_WINDOW)) {
        return ibk_fail(diag, IBK_ERR_NOT_AUTHORIZED, "IDR", 0, "no keys are issued for that date");
    }
    return put(out, n, ibe_identity);
}

ibk_err issue_for(const ibk_kms_config *c, const ibk_identity *user, int64_t utc_ns, ibk_buf *out, size_t *n,
                  ibk_diag *diag) {
    return user->id_type == IBK_ID_BYTES ? single(c, user->id, utc_ns, out, n, diag)
                                         : whole_issue(c, user->id, utc_ns, out, n);
}
