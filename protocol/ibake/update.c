/* CSB update (RFC 6267 §5.3): what changes as one, when it comes into force, and how it is taken back. The
 * messages are in update_messages.c. */
#include "ibake/session_internal.h"

#include <stdlib.h>
#include <string.h>

void update_free(update **u) {
    if (*u) {
        ibk_buf_free(&(*u)->mki);
        ibk_buf_free(&(*u)->map);
        offer_free_policies(&(*u)->policies);
        ibk_wipe(*u, sizeof **u);
        free(*u);
        *u = NULL;
    }
}

ibk_err update_new(call *c, update **out, const ibk_t *t) {
    update *u = calloc(1, sizeof *u);
    if (!u) {
        return call_fail(c, IBK_ERR_NO_MEMORY, NULL, "out of memory");
    }
    u->t = *t;
    *out = u;
    return IBK_OK;
}

ibk_err update_keep_keys(call *c, update *u) {
    const ibk_session *s = c->s;
    u->own = s->own; /* its scalar was wiped long ago */
    u->theirs = s->theirs;
    memcpy(u->tgk, s->tgk, sizeof u->tgk);
    memcpy(u->logged, s->logged, sizeof u->logged);
    ibk_err err = ibk_buf_append_span(&u->mki, ibk_buf_span(&s->mki));
    return err ? call_fail(c, err, NULL, "out of memory") : IBK_OK;
}

/* ---- T ---------------------------------------------------------------------------------------------- */

/* Of one class both: NTP's 32-bit seconds wrap (RFC 3830 §4.2.8), COUNTER does not. */
static bool newer(const ibk_t *t, const ibk_t *than) {
    if (t->ts_type == IBK_TS_COUNTER) {
        return t->value > than->value;
    }
    uint64_t distance = ibk_t_64(t) - ibk_t_64(than);
    return distance != 0 && distance <= (uint64_t)INT64_MAX;
}

static void mark(marks *m, const ibk_t *t, bool by_peer) {
    if (t->ts_type != IBK_TS_COUNTER) {
        m->ntp = !m->has_ntp || newer(t, &m->ntp) ? *t : m->ntp;
        m->has_ntp = true;
    } else if (by_peer) {
        m->counter = !m->has_counter || newer(t, &m->counter) ? *t : m->counter;
        m->has_counter = true;
    }
}

/* With the two of the initial exchange, which are the initiator's. */
static marks marks_of(const ibk_session *s) {
    marks m = s->newest;
    mark(&m, &s->t1, s->role == IBK_SESSION_RESPONDER);
    mark(&m, &s->t2, s->role == IBK_SESSION_RESPONDER);
    return m;
}

/* The least value of its type that is newer. */
static ibk_t after(uint8_t ts_type, const ibk_t *t) {
    uint64_t value = ibk_t_64(t);
    value = ts_type == IBK_TS_NTP_UTC_32 ? ((value >> 32) + 1) & UINT32_MAX : value + 1;
    return (ibk_t){.ts_type = ts_type, .value = value};
}

ibk_err update_next_time(call *c, ibk_t *out) {
    ibk_session *s = c->s;
    marks m = marks_of(s);
    ibk_err err = call_next_time(c, out);
    if (err) {
        return err;
    }
    if (s->has_own_t) {
        mark(&m, &s->own_t, false);
    }
    /* The peer's clock may be ahead of ours; by no more than the skew, so that ours is still accepted. */
    if (out->ts_type != IBK_TS_COUNTER && m.has_ntp && !newer(out, &m.ntp)) {
        *out = after(out->ts_type, &m.ntp);
    }
    s->own_t = *out;
    s->has_own_t = true;
    return IBK_OK;
}

ibk_err update_check_time(call *c, const ibk_t *t) {
    const ibk_session *s = c->s;
    marks m = marks_of(s);
    if (!guards(s, IBK_DEFENCE_UPDATE_ORDER)) {
        return IBK_OK;
    }
    bool counter = t->ts_type == IBK_TS_COUNTER;
    bool known = counter ? m.has_counter : m.has_ntp;
    if (known && !newer(t, counter ? &m.counter : &m.ntp)) {
        return call_fail(c, IBK_ERR_REPLAYED, "T", "not newer than those of this session");
    }
    if (!counter && s->has_own_t && ibk_t_equal(t, &s->own_t)) {
        return call_fail(c, IBK_ERR_REPLAYED, "T", "that of an update of ours");
    }
    return IBK_OK;
}

/* ---- in force, and back ----------------------------------------------------------------------------- */

static void swap_octets(void *a, void *b, size_t len) {
    uint8_t *x = a, *y = b;
    for (size_t i = 0; i < len; i++) {
        uint8_t octet = x[i];
        x[i] = y[i];
        y[i] = octet;
    }
}

#define SWAP(member) swap_octets(&s->member, &u->member, sizeof s->member)

static void swap(ibk_session *s, update *u) {
    SWAP(own);
    SWAP(theirs);
    SWAP(tgk);
    SWAP(logged);
    SWAP(mki);
    SWAP(map);
    SWAP(policies);
    swap_octets(&s->hdr.n_cs, &u->n_cs, sizeof u->n_cs);
    s->hdr.map = ibk_buf_span(&s->map);
}

void update_done(ibk_session *s, bool proven) {
    update *u = s->update;
    s->update = NULL;
    ibk_wipe(u->mpk, sizeof u->mpk);  /* it has served this one V (P-31) */
    mark(&s->newest, &u->t, !proven); /* for good: what is taken back is no less a replay (P-34) */
    swap(s, u);                       /* now it is what was in force before */
    s->updates++;
    if (proven) {
        s->unconfirmed = 0;
        keys_drop(s, &u);
        keys_drop(s, &s->previous);
    } else {
        s->unconfirmed++;
        if (s->previous) { /* the peer has shown nothing of what lies between */
            keys_drop(s, &u);
        } else {
            s->previous = u;
        }
    }
}

bool ibk_session_update_unconfirmed(const ibk_session *session) {
    return session->previous != NULL;
}

void ibk_session_confirm_update(ibk_session *session) {
    if (session->previous) {
        keys_drop(session, &session->previous);
        session->unconfirmed = 0;
        session_trace(session, "update", "confirmed", NULL);
        if (session->state == IBK_STATE_ESTABLISHED) {
            session->deadline = UINT64_MAX;
        }
    }
}

ibk_err ibk_session_revert_update(ibk_session *session) {
    if (session->state != IBK_STATE_ESTABLISHED || !session->previous) {
        return IBK_ERR_STATE;
    }
    swap(session, session->previous);
    keys_drop(session, &session->previous);
    session->updates -= session->unconfirmed;
    session->unconfirmed = 0;
    session->deadline = UINT64_MAX;
    session_trace(session, "update", "taken back", NULL);
    return IBK_OK;
}

ibk_err ibk_session_abandon_update(ibk_session *session) {
    if (session->state != IBK_STATE_UPDATING) {
        return IBK_ERR_STATE;
    }
    update_free(&session->update);
    session->state = IBK_STATE_ESTABLISHED;
    /* what the peer began before is as unconfirmed as it was; its time begins anew with the next message */
    session->deadline = session->previous ? session->deadline : UINT64_MAX;
    session_trace(session, "update", "abandoned", NULL);
    return IBK_OK;
}

/* ---- asked and told ----------------------------------------------------------------------------------- */

unsigned ibk_session_updates(const ibk_session *session) {
    return session->updates;
}

ibk_span ibk_session_mki(const ibk_session *session) {
    return ibk_buf_span(&session->mki);
}

ibk_err ibk_session_fill_ssrcs(ibk_session *session, const ibk_cs_srtp *srtp, size_t n_srtp) {
    if (n_srtp > MAX_CS) {
        return IBK_ERR_USAGE;
    }
    ibk_buf map = {0};
    ibk_err err = IBK_OK;
    for (size_t i = 0; i < n_srtp && !err; i++) {
        err = ibk_map_put_srtp(&map, &srtp[i]);
    }
    if (err) {
        ibk_buf_free(&map);
        return err;
    }
    ibk_buf_free(&session->ssrc_map);
    session->ssrc_map = map;
    return IBK_OK;
}
