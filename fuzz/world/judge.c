#include "world/judge.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/obj_mac.h>
#include <string.h>

enum { SP = 10, T = 5, V = 9, RAND = 11, IDR = 14, EXT = 21, IBAKE = 22, ESK = 23, ECCPT = 25 };
enum { ROLE_I = 1, ROLE_R = 2 };

void judged_free(judged *j) {
    ibk_buf_free(&j->octets);
    ibk_buf_free(&j->plain);
    *j = (judged){0};
}

/* ---- points
 * ------------------------------------------------------------------------------------------------- */

static int nid_of(uint8_t curve) { /* RFC 6267 §6.1.4 */
    switch (curve) {
    case 1:
        return NID_X9_62_prime192v1;
    case 5:
        return NID_secp224r1;
    case 8:
        return NID_X9_62_prime256v1;
    case 11:
        return NID_secp384r1;
    case 14:
        return NID_secp521r1;
    default:
        return NID_undef;
    }
}

static bool on_curve(const judge_point *p) {
    EC_GROUP *group = EC_GROUP_new_by_curve_name(nid_of(p->curve));
    EC_POINT *point = group ? EC_POINT_new(group) : NULL;
    bool ok = point && EC_POINT_oct2point(group, point, p->octets.data, p->octets.len, NULL) == 1 &&
              !EC_POINT_is_at_infinity(group, point) && EC_POINT_is_on_curve(group, point, NULL) == 1;
    EC_POINT_free(point);
    EC_GROUP_free(group);
    return ok;
}

bool judge_same_point(const judge_point *a, const judge_point *b) {
    if (a->curve != b->curve || a->octets.len == 0 || b->octets.len == 0)
        return false;
    if (ibk_span_equal(a->octets, b->octets))
        return true;
    const judge_point *full = a->octets.data[0] == 4 ? a : b, *other = full == a ? b : a;
    size_t field = other->octets.len - 1;
    if (other->octets.data[0] == 4 || full->octets.len != 1 + 2 * field)
        return false;
    return memcmp(full->octets.data + 1, other->octets.data + 1, field) == 0 &&
           (full->octets.data[2 * field] & 1) == (other->octets.data[0] & 1);
}

static bool read_point(judge_point *out, ibk_span content, const walk_piece *p) {
    if (!p || p->type != ECCPT)
        return false;
    size_t field, at = p->at + 2;
    out->curve = content.data[p->at + 1];
    field = out->curve == 1 ? 24 : out->curve == 5 ? 28 : out->curve == 8 ? 32 : out->curve == 11 ? 48 : 66;
    size_t len = content.data[at] == 4 ? 1 + 2 * field : 1 + field;
    out->octets = ibk_span_of(content.data + at, len);
    bool has_mki = p->len_at != WALK_NONE && (content.data[p->len_at - 1] & 15) == 1; /* RFC 3830 §6.14 */
    out->mki = has_mki ? walk_body(content, p) : (ibk_span){0};
    return on_curve(out);
}

/* ---- one message
 * -------------------------------------------------------------------------------------------- */

/* The identity of a role: ID type, length, data. */
static ibk_span id_of(const walk *w, ibk_span all, uint8_t role) {
    for (size_t i = 0; i < w->count; i++)
        if (w->items[i].type == IDR && all.data[w->items[i].at + 1] == role)
            return ibk_span_of(all.data + w->items[i].at + 2, w->items[i].len - 2);
    return (ibk_span){0};
}

static bool takes(const walk *w, size_t *at, uint8_t type) {
    if (*at >= w->count || w->items[*at].type != type)
        return false;
    (*at)++;
    return true;
}

/* RFC 6267 §4.2.2: IDRi || {ECCPTi} || IDRr || ECCPTr and its shorter forms. */
static const char *read_content(judged *j) {
    ibk_span content = ibk_buf_span(&j->plain);
    const walk *w = &j->inner;
    size_t at = 0;
    walk_content(&j->inner, IDR, content);
    if (!w->whole)
        return "RFC 6267 §4.2.2: the content of IBAKE is a chain of payloads";
    j->in_idi = id_of(w, content, ROLE_I);
    j->in_idr = id_of(w, content, ROLE_R);
    if (!takes(w, &at, IDR) || j->in_idi.len == 0)
        return "RFC 6267 §4.2.2: IDRi in IBAKE";
    if (at < w->count && w->items[at].type == ECCPT && !read_point(&j->x, content, &w->items[at++]))
        return "RFC 6267 §6.1.4: ECCPTi is a point of its curve";
    if (j->type != JUDGE_R2 && (!takes(w, &at, IDR) || j->in_idr.len == 0))
        return "RFC 6267 §4.2.2: IDRr in IBAKE";
    if ((j->type == JUDGE_R1 || j->type == JUDGE_I2) &&
        (at >= w->count || !read_point(&j->y, content, &w->items[at++])))
        return "RFC 6267 §4.2.2.3, §4.2.2.5: ECCPTr, a point of its curve";
    if ((j->type == JUDGE_I1 || j->type == JUDGE_R2) && j->x.octets.len == 0)
        return "RFC 6267 §4.2.2.1, §4.2.2.7: ECCPTi";
    return at == w->count ? NULL : "RFC 6267 §4.2.2: nothing else in IBAKE";
}

/* RFC 6267 §5.3, P-30: a CSB update that the Responder starts: IDRr || ECCPTr || IDRi. */
static const char *read_update_by_r(judged *j) {
    ibk_span content = ibk_buf_span(&j->plain);
    const walk *w = &j->inner;
    walk_content(&j->inner, IDR, content);
    j->in_idi = id_of(w, content, ROLE_I);
    j->in_idr = id_of(w, content, ROLE_R);
    bool form = w->whole && w->count == 3 && w->items[0].type == IDR && w->items[2].type == IDR &&
                j->in_idi.len > 0 && j->in_idr.len > 0;
    return form && read_point(&j->y, content, &w->items[1]) ? NULL : "RFC 6267 §5.3: IDRr, ECCPTr, IDRi";
}

static bool by_responder(const judged *j) {
    ibk_span content = ibk_buf_span(&j->plain);
    return j->type == JUDGE_I1 && content.len > 1 && content.data[1] == ROLE_R;
}

static const char *inner_ids(const judged *j) { /* RFC 6267 §7.2 */
    if (j->idi.len > 0 && !ibk_span_equal(j->in_idi, j->idi))
        return "RFC 6267 §7.2: IDRi inside and outside agree";
    if (j->type != JUDGE_R2 && !ibk_span_equal(j->in_idr, j->idr))
        return "RFC 6267 §7.2: IDRr inside and outside agree";
    return NULL;
}

typedef struct count_rule {
    uint8_t type, payload, least, most;
    const char *rule;
} count_rule;

static const count_rule initial_rules[] = {
    {JUDGE_I1, RAND, 1, 1, "RFC 6267 §4.2.2.1: one RAND"},
    {JUDGE_I1, IDR, 2, 2, "RFC 6267 §4.2.2.1: IDRi, IDRr"},
    {JUDGE_I1, IBAKE, 1, 1, "RFC 6267 §4.2.2.1: one IBAKE"},
    {JUDGE_I1, ESK, 0, 1, "RFC 6267 §4.2.2.1: one ESK at most"},
    {JUDGE_R1, IDR, 2, 2, "RFC 6267 §4.2.2.3: IDRi, IDRr"},
    {JUDGE_R1, IBAKE, 1, 1, "RFC 6267 §4.2.2.3: one IBAKE"},
    {JUDGE_R1, ESK, 0, 0, "RFC 6267 §4.2.2.3: no ESK"},
    {JUDGE_I2, RAND, 1, 1, "RFC 6267 §4.2.2.5: one RAND"},
    {JUDGE_I2, IDR, 2, 2, "RFC 6267 §4.2.2.5: IDRi, IDRr"},
    {JUDGE_I2, IBAKE, 1, 1, "RFC 6267 §4.2.2.5: one IBAKE"},
    {JUDGE_R2, V, 1, 1, "RFC 6267 §4.2.2.7: one V"},
    {JUDGE_R2, IBAKE, 0, 1, "RFC 6267 §4.2.2.7: one IBAKE at most"},
    {0},
};

static const count_rule update_rules[] = {
    {JUDGE_I1, RAND, 0, 0, "RFC 6267 §5.3: no RAND"},
    {JUDGE_I1, IDR, 0, 2, "RFC 6267 §5.3: IDRi and IDRr at most"},
    {JUDGE_I1, IBAKE, 0, 1, "RFC 6267 §5.3: one IBAKE at most"},
    {JUDGE_I1, ESK, 0, 0, "RFC 6267 §5.3: no ESK"},
    {JUDGE_I1, V, 0, 0, "RFC 6267 §5.3: no V in I_MESSAGE_1"},
    {JUDGE_R1, RAND, 0, 0, "RFC 6267 §5.3: no RAND"},
    {JUDGE_R1, IDR, 0, 2, "RFC 6267 §5.3: IDRi and IDRr at most"},
    {JUDGE_R1, IBAKE, 0, 1, "RFC 6267 §5.3: one IBAKE at most"},
    {JUDGE_R1, ESK, 0, 0, "RFC 6267 §5.3: no ESK"},
    {JUDGE_R1, V, 1, 1, "RFC 6267 §5.3: one V in R_MESSAGE_1"},
    {0},
};

static const char *counts(const judged *j, bool update) {
    bool has_v = j->type == JUDGE_R2 || (update && j->type == JUDGE_R1);
    if (walk_count(&j->outer, T) != 1)
        return "RFC 3830 §5.2: one T";
    for (const count_rule *r = update ? update_rules : initial_rules; r->rule; r++) {
        size_t n = walk_count(&j->outer, r->payload);
        if (r->type == j->type && (n < r->least || n > r->most))
            return r->rule;
    }
    if (has_v && j->outer.items[j->outer.count - 1].type != V)
        return "RFC 3830 §5.2: V is the last payload";
    return NULL;
}

static void read_fields(judged *j) {
    ibk_span all = ibk_buf_span(&j->octets);
    const walk_piece *t = walk_find(&j->outer, T, 0), *rand = walk_find(&j->outer, RAND, 0);
    j->there = true;
    j->prf = all.data[3] & 0x7F;
    for (size_t i = 0; i < 4; i++)
        j->csb_id = j->csb_id << 8 | all.data[WALK_HDR_CSB + i];
    j->map = ibk_span_of(all.data + 8, j->outer.head_len - 8);
    j->t = t ? walk_body(all, t) : (ibk_span){0};
    j->rand = rand ? walk_body(all, rand) : (ibk_span){0};
    j->idi = id_of(&j->outer, all, ROLE_I);
    j->idr = id_of(&j->outer, all, ROLE_R);
}

static const char *header(const judged *j) {
    if (j->octets.data[0] != 1)
        return "RFC 3830 §6.1: version 1";
    if (j->prf > 1)
        return "RFC 3830 §6.1, RFC 6043 §6.1: a PRF that is registered";
    if (!j->outer.whole)
        return "RFC 3830 §5.3: payloads that end with the message";
    if (j->rand.data && j->rand.len < 16)
        return "RFC 3830 §6.11: RAND of 16 octets at least";
    return NULL;
}

const char *judge_read(judged *out, ibk_span message, bool update, judge_open *open, void *user) {
    judged_free(out);
    if (ibk_buf_append_span(&out->octets, message))
        return NULL;
    if (!walk_message(&out->outer, ibk_buf_span(&out->octets)))
        return "RFC 3830 §6.1: a whole header";
    out->type = out->octets.data[1];
    read_fields(out);
    const char *rule = header(out);
    rule = rule ? rule : counts(out, update);
    const walk_piece *ibake = walk_find(&out->outer, IBAKE, 0);
    if (rule || !ibake || !open)
        return rule;
    out->readable = open(user, walk_body(ibk_buf_span(&out->octets), ibake), &out->plain);
    if (!out->readable)
        return NULL;
    if (update && by_responder(out))
        return read_update_by_r(out);
    rule = read_content(out);
    return rule || update ? rule
                          : inner_ids(out); /* an update may leave IDRi and IDRr out: judge_update_i1 */
}

void judged_copy(judged *out, const judged *from) {
    judged made = *from; /* its spans are moved to the copied storage below */
    if (!from->there) {
        judged_free(out);
        return;
    }
    made.octets = made.plain = (ibk_buf){0};
    if (ibk_buf_append_span(&made.octets, ibk_buf_span(&from->octets)) ||
        ibk_buf_append_span(&made.plain, ibk_buf_span(&from->plain)))
        made.there = false;
    ibk_span *spans[] = {&made.map, &made.t, &made.rand, &made.idi, &made.idr};
    ibk_span *inner[] = {&made.in_idi,   &made.in_idr, &made.x.octets,
                         &made.y.octets, &made.x.mki,  &made.y.mki};
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++)
        if (spans[i]->data && made.octets.data)
            spans[i]->data = made.octets.data + (spans[i]->data - from->octets.data);
    for (size_t i = 0; i < sizeof inner / sizeof inner[0]; i++)
        if (inner[i]->data && made.plain.data)
            inner[i]->data = made.plain.data + (inner[i]->data - from->plain.data);
    judged_free(out);
    *out = made;
}

/* ---- between messages
 * ------------------------------------------------------------------------------------------ */

static bool same_exchange(const judged *a, const judged *b) {
    return a->csb_id == b->csb_id && a->prf == b->prf;
}

const char *judge_r1(const judged *i1, const judged *r1, bool echo_wanted) {
    if (!same_exchange(i1, r1))
        return "RFC 3830 §6.1: CSB ID and PRF of I_MESSAGE_1";
    if (!ibk_span_equal(i1->t, r1->t))
        return "RFC 6267 §4.2.2.3: the T of I_MESSAGE_1";
    if (!ibk_span_equal(i1->idi, r1->idi))
        return "RFC 6267 §4.2.2.3: the IDRi of I_MESSAGE_1";
    if (!r1->readable)
        return "RFC 6267 §4.2.2.4: encrypted to the initiator";
    if (r1->x.octets.len == 0)
        return echo_wanted ? "RFC 6267 §4.2.2.4: the echo of [x]P" : NULL;
    return judge_same_point(&i1->x, &r1->x) ? NULL : "RFC 6267 §4.2.2.4: ECCPTi is the one that was sent";
}

const char *judge_i2(const judged *i1, const judged *r1, const judged *i2) {
    if (!same_exchange(i1, i2))
        return "RFC 3830 §6.1: CSB ID and PRF of I_MESSAGE_1";
    if (ibk_span_equal(i1->t, i2->t))
        return "RFC 3830 §5.2: a T of its own";
    if (!ibk_span_equal(i1->rand, i2->rand))
        return "P-7: the RAND of I_MESSAGE_1";
    if (!ibk_span_equal(i1->idi, i2->idi) || !ibk_span_equal(r1->idr, i2->idr))
        return "RFC 6267 §4.2.2.5: the parties of the exchange";
    if (!ibk_span_equal(r1->map, i2->map))
        return "RFC 6267 §4.2.2.5: the CS ID map of R_MESSAGE_1";
    if (!i2->readable)
        return "RFC 6267 §4.2.2.6: encrypted to the responder";
    return judge_same_point(&r1->y, &i2->y) ? NULL : "RFC 6267 §4.2.2.6: ECCPTr is the one that was sent";
}

static ibk_span id_data(ibk_span id) { /* behind ID type and length */
    return id.len > 3 ? ibk_span_of(id.data + 3, id.len - 3) : (ibk_span){0};
}

/* The message up to its MAC, without ESK, then the identities' data. */
static ibk_err covered(ibk_buf *out, const judged *j, ibk_span idi, ibk_span idr) {
    ibk_span all = ibk_buf_span(&j->octets);
    ibk_err err = ibk_buf_append(out, all.data, j->outer.head_len);
    size_t names_next = WALK_HDR_NEXT;
    for (size_t i = 0; i < j->outer.count && !err; i++) {
        const walk_piece *p = &j->outer.items[i];
        if (p->type == ESK)
            continue;
        out->data[names_next] = p->type;
        names_next = out->len;
        err = ibk_buf_append(out, all.data + p->at, p->type == V ? 2 : p->len);
    }
    err = err ? err : ibk_buf_append_span(out, id_data(idi));
    return err ? err : ibk_buf_append_span(out, id_data(idr));
}

size_t judge_mac(uint8_t mac[32], const judged *j, ibk_span auth_key, ibk_span idi, ibk_span idr) {
    const walk_piece *v = walk_find(&j->outer, V, 0);
    ibk_buf octets = {0};
    unsigned len = 0;
    if (v && v->len > 2 && !covered(&octets, j, idi, idr))
        HMAC(v->len == 22 ? EVP_sha1() : EVP_sha256(), auth_key.data, (int)auth_key.len, octets.data,
             octets.len, mac, &len);
    ibk_buf_free(&octets);
    return len;
}

const char *judge_v(const judged *j, ibk_span auth_key, ibk_span idi, ibk_span idr) {
    uint8_t mac[32];
    size_t len = judge_mac(mac, j, auth_key, idi, idr);
    const walk_piece *v = walk_find(&j->outer, V, 0);
    if (len == 0)
        return "RFC 6267 §5.4: V has a MAC";
    if (auth_key.len == 0 || memcmp(mac, j->octets.data + v->at + 2, len) != 0)
        return "RFC 6267 §5.4: the MAC of V is right";
    return NULL;
}

const char *judge_r2(const judged *i1, const judged *r1, const judged *i2, const judged *r2,
                     ibk_span auth_key) {
    if (!same_exchange(i2, r2) || !ibk_span_equal(i2->t, r2->t))
        return "RFC 6267 §4.2.2.7: CSB ID, PRF and T of I_MESSAGE_2";
    if (!ibk_span_equal(r1->map, r2->map))
        return "P-14: the CS ID map under V is that of R_MESSAGE_1";
    const char *rule = judge_policies(i1, r2);
    if (rule)
        return rule;
    if ((r2->idi.len > 0 && !ibk_span_equal(r2->idi, i1->idi)) ||
        (r2->idr.len > 0 && !ibk_span_equal(r2->idr, r1->idr)))
        return "RFC 6267 §4.2.2.7: the parties of the exchange";
    rule = judge_v(r2, auth_key, i1->idi, r1->idr);
    if (rule)
        return rule;
    bool echoed = r1->x.octets.len > 0 || (r2->readable && judge_same_point(&i2->x, &r2->x));
    return echoed ? NULL : "RFC 6267 §4.2.2.8: the echo of [x]P, in R_MESSAGE_1 or here";
}

const char *judge_time(const judged *j, int64_t utc_ns, int64_t skew_ns) {
    if (j->t.len < 5 || j->t.data[0] == 2)
        return NULL;
    uint32_t s = 0, now = (uint32_t)(utc_ns / 1000000000 + INT64_C(2208988800));
    for (size_t i = 0; i < 4; i++)
        s = s << 8 | j->t.data[1 + i];
    int64_t apart = (int32_t)(s - now); /* the nearest era: RFC 3830 §4.2.8 */
    int64_t skew_s = skew_ns / 1000000000;
    return apart > skew_s + 1 || apart < -skew_s - 1 ? "RFC 3830 §5.4: T within the clock skew" : NULL;
}
