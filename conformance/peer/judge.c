/* What every message is held against: header, order and number of payloads, T, map, V. */
#include "peer/internal.h"

#include <string.h>

/* ---- header -------------------------------------------------------------------------------------------- */

static bool opens(px_kind kind) { /* awaits an answer whose header repeats it, and repeats none itself */
    return kind == PX_I1 || kind == PX_QPSK || kind == PX_QPKE;
}

static void judge_first_header(peer *p, const px_draft *d) {
    if (d->version != 1)
        px_finding_of(p, PX_RULE_PARSE, "the version is not 1");
    if ((d->v_prf & 0x7F) > PX_PRF_SHA_256)
        px_finding_of(p, PX_RULE_PARSE, "the PRF is unknown");
    bool request = p->judging != PX_I1;
    if (request && d->n_cs != 0)
        px_finding(p, "6267-5", "a key request has crypto sessions");
    if (request && d->map_type != PX_MAP_EMPTY)
        px_finding(p, "6267-7", "the map of a key request is not the Empty map");
}

static void judge_repeated_header(peer *p, const px_draft *d) {
    if (d->version != 1)
        px_finding_of(p, PX_RULE_HDR, "the version differs");
    if ((d->v_prf & 0x7F) != p->prf)
        px_finding_of(p, PX_RULE_HDR, "the PRF differs");
    if (d->csb_id != p->csb_id)
        px_finding(p, p->judging == PX_U1 ? "6267-74" : px_rule_of(p->judging, PX_RULE_HDR),
                   "the CSB ID differs");
    bool more = p->judging == PX_U1 && d->n_cs >= p->n_cs;
    if (d->n_cs != p->n_cs && !more)
        px_finding_of(p, PX_RULE_HDR, "#CS differs");
    if (d->map_type != p->map_type)
        px_finding_of(p, PX_RULE_HDR, "the map type differs");
}

void px_judge_header(peer *p, const px_draft *d) {
    px_kind k = p->judging;
    if (opens(k))
        judge_first_header(p, d);
    else
        judge_repeated_header(p, d);
    bool flag = d->v_prf & PX_V_FLAG, want = k != PX_R2 && k != PX_R2D && k != PX_U2 && k != PX_RESP;
    if (flag != want)
        px_finding_of(p, PX_RULE_FLAG, "the V flag has the wrong value");
}

/* ---- payloads ------------------------------------------------------------------------------------------ */

typedef struct slot {
    uint8_t type, min, max;
    const char *missing, *surplus; /* requirements; surplus NULL: that of parsing */
} slot;

#define ANY 63

/* What a message may have, in the order in which RFC 6267 shows it. */
static const slot *slots_of(px_kind kind) {
    static const slot i1[] = {{PX_T, 1, 1, "6267-28", NULL},   {PX_RAND, 1, 1, "6267-28", NULL},
                              {PX_IDR, 2, 2, "6267-30", NULL}, {PX_SP, 0, ANY, NULL, NULL},
                              {PX_EXT, 0, ANY, NULL, NULL},    {PX_IBAKE, 1, 1, "6267-92", NULL},
                              {PX_ESK, 0, 1, NULL, NULL},      {0}};
    static const slot r1[] = {{PX_T, 1, 1, "6267-39", NULL},     {PX_IDR, 2, 2, "6267-40", NULL},
                              {PX_SP, 0, ANY, NULL, NULL},       {PX_EXT, 0, ANY, NULL, NULL},
                              {PX_IBAKE, 1, 1, "6267-93", NULL}, {0}};
    static const slot i2[] = {{PX_T, 1, 1, "6267-48", NULL},   {PX_RAND, 1, 1, "6267-48", NULL},
                              {PX_IDR, 2, 2, "6267-50", NULL}, {PX_SP, 0, ANY, NULL, NULL},
                              {PX_EXT, 0, ANY, NULL, NULL},    {PX_IBAKE, 1, 1, "6267-54", NULL},
                              {PX_ESK, 0, 1, NULL, NULL},      {0}};
    static const slot i2d[] = {{PX_T, 1, 1, "6267-48", NULL},   {PX_RAND, 1, 1, "6267-48", NULL},
                               {PX_IDR, 2, 2, "6267-50", NULL}, {PX_SP, 0, ANY, NULL, NULL},
                               {PX_EXT, 0, ANY, NULL, NULL},    {PX_IBAKE, 1, 1, "6267-54", NULL},
                               {PX_ESK, 1, 1, "6267-56", NULL}, {0}};
    static const slot r2[] = {{PX_T, 1, 1, "6267-63", NULL}, {PX_IDR, 0, 2, NULL, NULL},
                              {PX_SP, 0, ANY, NULL, NULL},   {PX_EXT, 0, ANY, NULL, NULL},
                              {PX_V, 1, 1, "6267-67", NULL}, {0}};
    static const slot r2d[] = {{PX_T, 1, 1, "6267-63", NULL},
                               {PX_IDR, 0, 2, NULL, NULL},
                               {PX_SP, 0, ANY, NULL, NULL},
                               {PX_EXT, 0, ANY, NULL, NULL},
                               {PX_IBAKE, 1, 1, "6267-65", NULL},
                               {PX_V, 1, 1, "6267-67", NULL},
                               {0}};
    static const slot u1[] = {{PX_T, 1, 1, "6267-75", NULL},
                              {PX_IDR, 0, 2, NULL, NULL},
                              {PX_SP, 0, ANY, NULL, NULL},
                              {PX_EXT, 0, ANY, NULL, NULL},
                              {PX_IBAKE, 0, 1, NULL, NULL},
                              {PX_RAND, 0, 0, NULL, "6267-77"},
                              {0}};
    static const slot u2[] = {{PX_T, 1, 1, "6267-39", NULL},    {PX_IDR, 0, 2, NULL, NULL},
                              {PX_SP, 0, ANY, NULL, NULL},      {PX_EXT, 0, ANY, NULL, NULL},
                              {PX_IBAKE, 0, 1, NULL, NULL},     {PX_V, 1, 1, "6267-79", NULL},
                              {PX_RAND, 0, 0, NULL, "6267-77"}, {0}};
    static const slot psk[] = {{PX_T, 1, 1, "6267-2", NULL},
                               {PX_RAND, 1, 1, "6267-2", NULL},
                               {PX_IDR, 2, ANY, "6267-8", NULL},
                               {PX_KEMAC, 0, 0, NULL, "6267-10"},
                               {PX_EXT, 0, ANY, NULL, NULL},
                               {PX_V, 1, 1, "6267-12", NULL},
                               {0}};
    static const slot pke[] = {{PX_T, 1, 1, "6267-2", NULL},
                               {PX_RAND, 1, 1, "6267-2", NULL},
                               {PX_IDR, 2, ANY, "6267-8", NULL},
                               {PX_CERT, 0, ANY, NULL, NULL},
                               {PX_IDR, 0, 0, NULL, NULL},
                               {PX_KEMAC, 0, 0, NULL, "6267-10"},
                               {PX_CHASH, 0, 1, NULL, NULL},
                               {PX_PKE, 1, 1, "3830-4", NULL},
                               {PX_EXT, 0, ANY, NULL, NULL},
                               {PX_SIGN, 1, 1, "6267-82", NULL},
                               {0}};
    static const slot resp[] = {{PX_T, 1, 1, "6267-21", NULL},     {PX_IDR, 0, ANY, NULL, NULL},
                                {PX_KEMAC, 1, 1, "6267-90", NULL}, {PX_EXT, 0, ANY, NULL, NULL},
                                {PX_V, 1, 1, "6267-24", NULL},     {0}};
    static const slot *const all[PX_KINDS] = {
        [PX_I1] = i1,   [PX_R1] = r1, [PX_R1D] = r1, [PX_I2] = i2,    [PX_I2D] = i2d,  [PX_R2] = r2,
        [PX_R2D] = r2d, [PX_U1] = u1, [PX_U2] = u2,  [PX_QPSK] = psk, [PX_QPKE] = pke, [PX_RESP] = resp};
    return all[kind];
}

static const slot *slot_for(const slot *slots, uint8_t type) {
    for (; slots->type; slots++)
        if (slots->type == type)
            return slots;
    return NULL;
}

static void judge_numbers(peer *p, const px_draft *d, const slot *slots) {
    for (const slot *s = slots; s->type; s++) {
        size_t n = px_count(&d->chain, s->type);
        if (slot_for(slots, s->type) != s)
            continue; /* its second place */
        if (n < s->min)
            px_finding(p, s->missing, "a required payload is missing");
        if (n > s->max)
            px_finding(p, s->surplus ? s->surplus : px_rule_of(p->judging, PX_RULE_PARSE),
                       "a payload is there too often");
    }
    for (size_t i = 0; i < d->chain.n; i++)
        if (!slot_for(slots, d->chain.parts[i].type))
            px_finding_of(p, PX_RULE_PARSE, "a payload that does not belong here");
}

static void judge_order(peer *p, const px_draft *d, const slot *slots) {
    const slot *at = slots;
    for (size_t i = 0; i < d->chain.n; i++) {
        const slot *found = slot_for(at, d->chain.parts[i].type);
        if (!found && slot_for(slots, d->chain.parts[i].type)) {
            px_finding_of(p, PX_RULE_PARSE, "the payloads are not in their order");
            return;
        }
        at = found ? found : at;
    }
    uint8_t last = d->chain.n ? d->chain.parts[d->chain.n - 1].type : PX_LAST;
    for (const slot *s = slots; s->type; s++)
        if ((s->type == PX_V || s->type == PX_SIGN) && last != s->type && px_count(&d->chain, s->type))
            px_finding(p, "3830-62", "V or SIGN is not the last payload");
}

static void judge_rand(peer *p, const px_draft *d) {
    const px_part *rand = px_find(&d->chain, PX_RAND, 0, NULL);
    if (!rand)
        return;
    ibk_span data = px_span(&rand->body);
    if (data.len < 1 + 16)
        px_finding_should(p, "3830-56", "RAND has less than 16 octets");
    bool second = p->judging == PX_I2 || p->judging == PX_I2D;
    if (second && !px_is(&p->rand, ibk_span_of(data.data + 1, data.len - 1)))
        px_finding(p, "P-7", "RAND is not that of I_MESSAGE_1");
}

void px_judge_parts(peer *p, const px_draft *d) {
    const slot *slots = slots_of(p->judging);
    judge_numbers(p, d, slots);
    judge_order(p, d, slots);
    judge_rand(p, d);
}

/* ---- T --------------------------------------------------------------------------------------------------
 */

/* Did the other side have this T before? Then it has it again. */
static bool used(peer *p, const px_part *t) {
    for (size_t i = 0; i < p->n_t_used; i++)
        if (px_is(&p->t_used[i], px_span(&t->body)))
            return true;
    if (p->n_t_used < sizeof p->t_used / sizeof *p->t_used)
        px_set(&p->t_used[p->n_t_used++], px_span(&t->body));
    return false;
}

static void judge_fresh_time(peer *p, const px_part *t) {
    uint64_t stamp;
    if (!px_stamp_read(&t->body, &stamp)) {
        px_finding_of(p, PX_RULE_T, "the type of T is unknown");
        return;
    }
    bool counter = px_span(&t->body).data[0] == 2;
    int64_t apart = (int64_t)(stamp >> 32) - (int64_t)(p->c.utc_ms / 1000);
    int64_t skew = (int64_t)((p->c.skew_ms ? p->c.skew_ms : 300000) / 1000) + 1;
    if (!counter && (apart > skew || apart < -skew)) {
        px_explain_time(p, t, skew);
        px_finding(p, "3830-63", "T is out of date");
    }
    bool later = p->judging == PX_I2 || p->judging == PX_I2D || p->judging == PX_U1;
    if (used(p, t) && later)
        px_finding(p, p->judging == PX_U1 ? "6267-75" : "3830-38", "T was used before");
    else if (later && !counter && stamp <= p->newest)
        px_finding(p, p->judging == PX_U1 ? "P-34" : "3830-38", "T is not newer than those before");
    if (!counter && stamp > p->newest && apart <= skew)
        p->newest = stamp;
}

void px_judge_time(peer *p, const px_draft *d) {
    const px_part *t = px_find(&d->chain, PX_T, 0, NULL);
    px_kind k = p->judging;
    if (!t)
        return;
    bool fresh = opens(k) || k == PX_I2 || k == PX_I2D || k == PX_U1;
    if (!fresh) {
        if (!px_is(&p->t, px_span(&t->body)))
            px_finding_of(p, PX_RULE_T, "T is not that of the message before");
        return;
    }
    judge_fresh_time(p, t);
    px_set(&p->t, px_span(&t->body));
}

/* ---- map, policies ---------------------------------------------------------------------------------------
 */

static bool has_policy(const peer *p, const px_draft *d, uint8_t number) {
    const px_chain *chains[] = {&d->chain, &p->offer};
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < chains[k]->n; i++)
            if (chains[k]->parts[i].type == PX_SP && px_span(&chains[k]->parts[i].body).data[0] == number)
                return true;
    return px_count(&d->chain, PX_SP) + px_count(&p->offer, PX_SP) == 0; /* the defaults of RFC 3830 */
}

/* An entry of a message behind the first one, against what was said before. */
static void judge_entry(peer *p, const peer_cs *was, const peer_cs *is) {
    bool answer = p->judging == PX_R1 || p->judging == PX_R1D;
    const char *rule = p->judging == PX_U1 ? "P-33" : px_rule_of(p->judging, PX_RULE_HDR);
    bool filled = answer && (p->map_type == PX_MAP_SRTP ? was->ssrc == 0 : was->no_data);
    if (was->ssrc != is->ssrc && !filled)
        px_finding(p, p->judging == PX_U1 ? "P-33" : "3830-49", "an SSRC differs");
    bool generic_answer = answer && p->map_type == PX_MAP_GENERIC;
    if (was->cs_id != is->cs_id || (!generic_answer && !ibk_span_equal(was->policies, is->policies)))
        px_finding(p, rule, "a crypto session differs");
}

static void judge_generic_answer(peer *p, const peer_cs *is) {
    if (is->policies.len != 1)
        px_finding(p, "6043-3", "a crypto session of the response does not name one policy");
    if (is->no_data)
        px_finding(p, "6043-7", "a crypto session of the response has no session data");
    if (is->mki.len == 0)
        px_finding(p, "6043-8", "a crypto session of the response has no SPI");
}

void px_judge_map(peer *p, const px_draft *d) {
    px_cursor now = px_read(px_span(&d->map)), before = px_read(px_span(&p->map));
    bool first = opens(p->judging);
    peer_cs is, was;
    for (unsigned i = 0; i < d->n_cs && px_map_next(&now, d->map_type, i, &is); i++) {
        for (size_t k = 0; k < is.policies.len; k++)
            if (!has_policy(p, d, is.policies.data[k]))
                px_finding(p, "3830-69", "a crypto session has a policy that there is no SP for");
        if (!first && d->map_type == p->map_type && px_map_next(&before, p->map_type, i, &was))
            judge_entry(p, &was, &is);
        if ((p->judging == PX_R1 || p->judging == PX_R1D) && d->map_type == PX_MAP_GENERIC)
            judge_generic_answer(p, &is);
    }
    if (d->map_type == PX_MAP_EMPTY && px_count(&d->chain, PX_SP))
        px_finding(p, "4563-1", "there is an SP with the Empty map");
    for (size_t i = 0; i < d->chain.n; i++)
        for (size_t k = 0; k < i; k++)
            if (d->chain.parts[i].type == PX_SP && d->chain.parts[k].type == PX_SP &&
                px_span(&d->chain.parts[i].body).data[0] == px_span(&d->chain.parts[k].body).data[0])
                px_finding(p, "3830-69", "two SP have one number");
}

/* ---- V ---------------------------------------------------------------------------------------------------
 */

bool px_v_verifies(px_received m, const px_recipe *recipe, const px_octets *covered) {
    const px_part *v = px_find(&m.d->chain, PX_V, -1, NULL);
    uint8_t alg = px_span(&v->body).data[0], mac[PX_MAC_LEN_MAX];
    size_t len = px_mac_len(alg);
    px_covered over = {ibk_span_of(m.octets.data, px_mac_offset(m.d, PX_V)), px_header_len(m.d),
                       px_span(covered)};
    return !px_mac(recipe, alg, over, mac) &&
           ibk_span_equal_ct(ibk_span_of(mac, len), ibk_span_of(px_span(&v->body).data + 1, len));
}

bool px_judge_v(peer *p, px_received m, const px_recipe *recipe, const px_octets *covered) {
    const px_part *v = px_find(&m.d->chain, PX_V, -1, NULL);
    if (!v)
        return false;
    if (px_span(&v->body).data[0] == PX_MAC_NULL) {
        px_finding(p, "3830-18", "V has the NULL MAC");
        return false;
    }
    bool good = px_v_verifies(m, recipe, covered);
    if (!good) {
        px_explain_v(p, m, recipe, covered);
        px_finding_of(p, PX_RULE_MAC, "V does not verify");
    }
    return good;
}
