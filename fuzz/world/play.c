/* Plays a sequence: reads records, changes messages, hands them over. */
#include "fuzz.h"
#include "world/world.h"

#include <string.h>

const world_cast cast_initiator = {.name = "initiator",
                                   .parts = {PART_ALICE, PART_FORK, PART_BOB, PART_BOB_2},
                                   .n_parts = 4,
                                   .attacked = 1 << PART_ALICE | 1 << PART_FORK};
const world_cast cast_responder = {.name = "responder",
                                   .parts = {PART_ALICE, PART_BOB, PART_BOB_2},
                                   .n_parts = 3,
                                   .attacked = 1 << PART_BOB | 1 << PART_BOB_2};
const world_cast cast_kms = {
    .name = "kms", .parts = {PART_KMS, PART_USER}, .n_parts = 2, .attacked = 1 << PART_KMS | 1 << PART_USER};
const world_cast cast_mailbox = {.name = "mailbox",
                                 .parts = {PART_ALICE, PART_BOX, PART_CARRIER, PART_BOB},
                                 .n_parts = 4,
                                 .attacked = 1 << PART_BOX | 1 << PART_CARRIER | 1 << PART_BOB};
const world_cast cast_call = {.name = "call",
                              .parts = {PART_ALICE, PART_BOB, PART_FORK, PART_BOB_2},
                              .n_parts = 4,
                              .attacked = 1 << PART_ALICE | 1 << PART_BOB | 1 << PART_FORK | 1 << PART_BOB_2};

/* ---- reading
 * ------------------------------------------------------------------------------------------------------- */

bool world_read(world_record *out, ibk_span in, size_t *at) {
    if (*at + WORLD_RECORD_MIN > in.len)
        return false;
    const uint8_t *octets = in.data + *at;
    *out = (world_record){.kind = (octets[0] & 15) % KINDS,
                          .part = octets[0] >> 4,
                          .time = octets[1],
                          .message = octets[2],
                          .n_edits = octets[3] % (WORLD_EDITS + 1),
                          .mac = (octets[3] & WORLD_MAC) != 0};
    *at += WORLD_RECORD_MIN;
    for (size_t i = 0; i < out->n_edits; i++, *at += sizeof(edit)) {
        if (*at + sizeof(edit) > in.len) {
            out->n_edits = i;
            break;
        }
        memcpy(&out->edits[i], in.data + *at, sizeof(edit));
    }
    return true;
}

/* ---- the network
 * --------------------------------------------------------------------------------------------------- */

static void remember_day(world *w) {
    int64_t day = ibk_period_start(IBK_GRANULARITY_DAY, w->now.utc_ns);
    for (size_t i = 0; i < w->n_days; i++)
        if (w->days[i] == day)
            return;
    if (w->n_days < sizeof w->days / sizeof w->days[0])
        w->days[w->n_days++] = day;
}

void world_sent(world *w, world_part from, ibk_span message) {
    remember_day(w);
    if (w->n_pool >= WORLD_POOL)
        return;
    world_message *m = &w->pool[w->n_pool];
    *m = (world_message){.type = message.len > 1 ? message.data[1] : 0, .from = from};
    if (ibk_buf_append_span(&m->octets, message) == IBK_OK)
        w->n_pool++;
}

/* Whom a message is for when nobody interferes. */
static world_part recipient(const world *w, world_part from) {
    switch (from) {
    case PART_ALICE:
        return w->cast == &cast_mailbox ? PART_BOX : PART_BOB;
    case PART_FORK:
        return w->players[PART_BOB_2].session ? PART_BOB_2 : PART_BOB;
    case PART_BOB:
        return w->cast == &cast_mailbox ? PART_CARRIER : PART_ALICE;
    case PART_BOB_2:
        return w->players[PART_FORK].session ? PART_FORK : PART_ALICE;
    case PART_BOX:
        return PART_ALICE;
    case PART_CARRIER:
        return PART_BOB;
    case PART_KMS:
        return PART_USER;
    default:
        return PART_KMS;
    }
}

static void pass_time(world *w, uint8_t code) {
    static const int64_t steps_ms[] = {0,      1,       1000,     31000,    33000, 240000, 301000,
                                       600000, 3600000, 46800000, 90000000, -1000, -90000, -86400000};
    int64_t ms = steps_ms[code % (sizeof steps_ms / sizeof steps_ms[0])];
    w->now.utc_ns += ms * 1000000;
    w->now.mono_ns += ms > 0 ? (uint64_t)ms * 1000000 : 0;
}

/* ---- a session
 * ---------------------------------------------------------------------------------------------------------
 */

void world_forget(world_player *p) {
    judged *all[] = {&p->i1, &p->r1, &p->i2, &p->r2, &p->u1, &p->u2};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        judged_free(all[i]);
    ibk_buf_free(&p->times);
    judge_force_free(&p->force);
    judge_force_free(&p->before);
    ibk_session_free(p->session);
    p->session = NULL;
    p->had_keys = p->forked = p->moved = false;
}

static ibk_session *session_of(world *w, world_player *p) {
    ibk_env env = world_env(p->node);
    if (!p->session) {
        ibk_session_config config = world_config(w, p->part);
        FUZZ_CHECK(ibk_session_new(&p->session, &env, &config) == IBK_OK);
    }
    return p->session;
}

static bool asks(const ibk_step *step) {
    return step->kind == IBK_STEP_NEED_KEY || step->kind == IBK_STEP_NEED_PARAMS;
}

static void session_receive(world *w, world_player *p, ibk_span octets) {
    ibk_session *s = session_of(w, p);
    ibk_step step = {0};
    oracle_cost_begin(w);
    unsigned tries = 0;
    do
        FUZZ_CHECK(ibk_session_recv(s, w->now, octets, &step) == IBK_OK);
    while (asks(&step) && tries++ < 4);
    FUZZ_CHECK(!asks(&step)); /* the node is asked again, and has answered by now */
    oracle_cost_end(w, octets.len);
    oracle_step(w, p, octets, &step);
}

static void session_begin(world *w, world_player *p) {
    ibk_step step = {0};
    world_forget(p);
    ibk_session *s = session_of(w, p);
    if (!p->initiator)
        return;
    for (unsigned tries = 0; tries < 5; tries++)
        if (ibk_session_start(s, w->now, &step) != IBK_OK || !asks(&step))
            break;
    oracle_step(w, p, (ibk_span){0}, &step);
}

static void session_update(world *w, world_player *p, uint8_t flags) {
    ibk_step step = {0};
    ibk_update_config config = {.new_dh = flags & 1,
                                .mki = flags & 2 && flags & 1 ? ibk_span_str("mk") : (ibk_span){0}};
    ibk_err err = IBK_ERR_STATE;
    world_further room;
    world_further_of(&config, &room, session_of(w, p), flags);
    for (unsigned tries = 0; tries < 5; tries++) {
        err = ibk_session_update(session_of(w, p), w->now, &config, &step);
        if (err || !asks(&step))
            break;
    }
    FUZZ_CHECK(err == IBK_OK || err == IBK_ERR_STATE);
    if (!err)
        oracle_step(w, p, (ibk_span){0}, &step);
}

static void session_expire(world *w, world_player *p) {
    ibk_step step = {0};
    uint64_t deadline = ibk_session_deadline(session_of(w, p));
    FUZZ_CHECK(ibk_session_expire(p->session, w->now, &step) == IBK_OK);
    FUZZ_CHECK(w->now.mono_ns >= deadline || (step.kind == IBK_STEP_DISCARDED && step.reason == IBK_OK));
    oracle_step(w, p, (ibk_span){0}, &step);
}

static void session_fork(world *w) {
    world_player *from = &w->players[PART_ALICE], *to = &w->players[PART_FORK];
    ibk_session *made = NULL;
    if (!from->session || ibk_session_fork(&made, from->session) != IBK_OK)
        return;
    world_forget(to);
    to->session = made;
    to->forked = from->forked = true;
    judged_copy(&to->i1, &from->i1);
}

static void session_settle(world_player *p, uint8_t how) {
    if (!p->session)
        return;
    if (how % 3 == 0)
        ibk_session_confirm_update(p->session);
    else if (how % 3 == 2)
        (void)ibk_session_abandon_update(p->session);
    else if (ibk_session_revert_update(p->session) == IBK_OK)
        oracle_taken_back(p);
    oracle_settled(p);
}

/* ---- key requests
 * --------------------------------------------------------------------------------------------------- */

/* RFC 6267 §4.2.1.2: whoever has Alice's PSK gets keys for her identities alone. */
static void check_served(ibk_span request) {
    walk asked;
    FUZZ_CHECK(walk_message(&asked, request) && asked.whole);
    for (size_t i = 0; i < asked.count; i++) {
        const walk_piece *p = &asked.items[i];
        ibk_span id = walk_body(request, p);
        if (p->type == IBK_PL_IDR && request.data[p->at + 1] <= IBK_ROLE_R &&
            request.data[p->at + 1] >= IBK_ROLE_I)
            FUZZ_CHECK(id.len >= strlen(FUZZ_ALICE) && memcmp(id.data, FUZZ_ALICE, strlen(FUZZ_ALICE)) == 0);
    }
}

static void kms_receive(world *w, ibk_span octets) {
    ibk_buf response = {0};
    ibk_kms_result result = {0};
    oracle_cost_begin(w);
    FUZZ_CHECK(ibk_kms_handle(w->kms, w->now, octets, &response, &result) == IBK_OK);
    oracle_cost_end(w, octets.len + response.len);
    FUZZ_CHECK((result.response_type != 0) == (response.len > 0));
    FUZZ_CHECK((result.err == IBK_OK) == (result.response_type == IBK_MSG_REQUEST_KEY_RESP));
    FUZZ_CHECK(ibk_err_category(result.err) != IBK_CAT_INTERNAL);
    oracle_output(w, ibk_span_str(result.diag.detail));
    oracle_show("kms      received %3zu: %zu keys, %s %s\n", octets.len, result.n_keys,
                ibk_err_name(result.err), result.diag.detail);
    if (response.len > 0) {
        fuzz_check_message(ibk_buf_span(&response));
        oracle_output(w, ibk_buf_span(&response));
        world_sent(w, PART_KMS, ibk_buf_span(&response));
    }
    if (result.err == IBK_OK) { /* RFC 3830 §5.4 */
        check_served(octets);
        ibk_buf_clear(&response);
        FUZZ_CHECK(ibk_kms_handle(w->kms, w->now, octets, &response, &result) == IBK_OK);
        FUZZ_CHECK(result.err == IBK_ERR_REPLAYED);
    }
    ibk_buf_free(&response);
}

static void user_begin(world *w, uint8_t flags) {
    ibk_env env = world_env(&w->nodes[NODE_ALICE]);
    ibk_identity user = ibk_identity_uri(FUZZ_ALICE);
    ibk_buf identity = {0}, message = {0};
    FUZZ_CHECK(ibk_ibe_identity(&identity, user.id, IBK_GRANULARITY_DAY, w->now.utc_ns) == IBK_OK);
    ibk_identity by_name = {.id_type = IBK_ID_BYTES, .id = ibk_buf_span(&identity)};
    ibk_identity users[2] = {flags & 1 ? by_name : user, by_name}; /* P-10: one IBE identity by its name */
    ibk_key_request_config config = {
        .users = users,
        .n_users = flags & 2 ? 2 : 1,
        .kms = {.id_type = IBK_ID_NAI, .id = ibk_span_str(FUZZ_KMS)},
        .psk = ibk_span_str(FUZZ_PSK),
        .prf = w->settings[0] & SET_SHA256 ? IBK_PRF_HMAC_SHA256 : IBK_PRF_MIKEY_1,
        .ts_type = w->settings[1] & SET2_TS,
        .timestamps = &w->nodes[NODE_ALICE].timestamps,
        .params = fuzz_params(1024),
        .without = world_without(),
    };
    ibk_key_request_free(w->request);
    w->request = NULL;
    FUZZ_CHECK(ibk_key_request_new(&w->request, &env, &config) == IBK_OK);
    if (ibk_key_request_start(w->request, w->now, &message) == IBK_OK) {
        oracle_output(w, ibk_buf_span(&message));
        world_sent(w, PART_USER, ibk_buf_span(&message));
    }
    ibk_buf_free(&identity);
    ibk_buf_free(&message);
}

/* What a user accepts came from a KMS that knows the PSK: every key is the one of its identity, and Alice's.
 */
static void check_keys(const ibk_key_list *keys) {
    FUZZ_CHECK(keys->count > 0);
    for (size_t i = 0; i < keys->count; i++) {
        const ibk_issued_key *k = &keys->items[i];
        FUZZ_CHECK(ibk_ibe_key_verify(fuzz_params(1024), k->key, k->ibe_identity) == IBK_OK);
        FUZZ_CHECK(k->ibe_identity.len > strlen(FUZZ_ALICE) &&
                   memcmp(k->ibe_identity.data, FUZZ_ALICE, strlen(FUZZ_ALICE)) == 0);
    }
}

static void user_receive(world *w, ibk_span octets) {
    ibk_key_list keys = {0};
    ibk_diag diag = {0};
    uint8_t error_no = 0;
    if (!w->request)
        return;
    oracle_cost_begin(w);
    ibk_err err = ibk_key_request_finish(w->request, w->now, octets, &keys, &error_no, &diag);
    oracle_cost_end(w, octets.len);
    oracle_output(w, ibk_span_str(diag.detail));
    oracle_show("user     received %3zu: %zu keys, %s %s\n", octets.len, keys.count, ibk_err_name(err),
                diag.detail);
    if (err == IBK_OK)
        check_keys(&keys);
    else
        FUZZ_CHECK(keys.count == 0 && ibk_err_category(err) != IBK_CAT_INTERNAL);
    ibk_key_list_free(&keys);
}

/* ---- records
 * --------------------------------------------------------------------------------------------------------------
 */

static void receive(world *w, world_part to, ibk_span octets) {
    if (to == PART_KMS) {
        if (w->kms)
            kms_receive(w, octets);
    } else if (to == PART_USER) {
        user_receive(w, octets);
    } else {
        session_receive(w, &w->players[to], octets);
    }
}

/* Copies, because what is sent in answer joins the pool. */
static void hand_over(world *w, world_part to, const world_message *m, const world_record *r) {
    ibk_buf octets = {0};
    ibk_span donor =
        w->n_pool > 1 ? ibk_buf_span(&w->pool[(r->message / 16u) % w->n_pool].octets) : (ibk_span){0};
    edit_keys keys = world_keys(w, donor);
    bool attacked = w->cast->attacked & 1u << to;
    FUZZ_CHECK(ibk_buf_append_span(&octets, ibk_buf_span(&m->octets)) == IBK_OK);
    for (size_t i = 0; i < r->n_edits && attacked; i++)
        edit_apply(&octets, r->edits[i], &keys);
    if (r->mac && attacked)
        edit_apply(&octets, (edit){.op = EDIT_MAC}, &keys);
    if (octets.len <= WORLD_MESSAGE_MAX)
        receive(w, to, ibk_buf_span(&octets));
    ibk_buf_free(&octets);
}

static void pump(world *w, const world_record *r) {
    for (size_t i = w->n_pool; i-- > 0;) {
        world_message *m = &w->pool[i];
        if (m->delivered)
            continue;
        m->delivered = true;
        world_record unchanged = *r;
        unchanged.n_edits = 0;
        unchanged.mac = false;
        hand_over(w, recipient(w, m->from), m, &unchanged);
        return;
    }
}

static void deliver(world *w, world_part to, const world_record *r) {
    if (w->n_pool == 0)
        return;
    world_message *m = &w->pool[w->n_pool - 1 - r->message % w->n_pool];
    m->delivered = true;
    hand_over(w, to, m, r);
}

static void begin(world *w, world_player *p, const world_record *r) {
    if (p->part == PART_USER)
        user_begin(w, r->message);
    else if (p->part != PART_KMS && p->part != PART_FORK)
        session_begin(w, p);
}

static void on_session(world *w, world_player *p, const world_record *r) {
    if (p->part == PART_KMS || p->part == PART_USER || (p->part == PART_FORK && !p->session))
        return;
    if (r->kind == KIND_EXPIRE)
        session_expire(w, p);
    else if (r->kind == KIND_UPDATE)
        session_update(w, p, r->message);
    else if (r->kind == KIND_SETTLE)
        session_settle(p, r->message);
    else if (p->session)
        ibk_session_close(p->session, IBK_ERR_REFUSED);
}

static void play_record(world *w, const world_record *r) {
    world_player *p = &w->players[w->cast->parts[r->part % w->cast->n_parts]];
    pass_time(w, r->time);
    switch (r->kind) {
    case KIND_PUMP:
        pump(w, r);
        return;
    case KIND_DELIVER:
        if (p->part != PART_FORK || p->session)
            deliver(w, p->part, r);
        return;
    case KIND_BEGIN:
        begin(w, p, r);
        return;
    case KIND_FORK:
        session_fork(w);
        return;
    default:
        on_session(w, p, r);
    }
}

void world_play(const world_cast *cast, const uint8_t *data, size_t size) {
    world w;
    world_record r;
    size_t at = WORLD_HEADER;
    if (size < WORLD_HEADER)
        return;
    world_open(&w, cast, data);
    for (size_t n = 0; n < WORLD_RECORDS && world_read(&r, ibk_span_of(data, size), &at); n++)
        play_record(&w, &r);
    oracle_end(&w);
    world_close(&w);
}
