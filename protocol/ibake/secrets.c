/* What is alive in a session, for laboratories: what somebody finds who breaks into the node that runs it. */
#include "ibake/session_internal.h"

typedef struct teller {
    ibk_session_secret secret; /* what all that follows has in common */
    ibk_secret_fn *fn;
    void *user;
} teller;

/* What was wiped (P-20) is all zero; a secret is so once in 2^128. */
static bool is_alive(const uint8_t *octets, size_t len) {
    uint8_t any = 0;
    for (size_t i = 0; i < len; i++) {
        any |= octets[i];
    }
    return any != 0;
}

static void tell(teller *t, ibk_secret_kind kind, uint8_t curve, const uint8_t *octets, size_t len) {
    if (is_alive(octets, len)) {
        t->secret.kind = kind;
        t->secret.curve = curve;
        t->secret.octets = ibk_span_of(octets, len);
        t->fn(t->user, &t->secret);
    }
}

static void tell_exchange(teller *t, const ibk_ec_key *own, const ibk_ec_point *theirs) {
    tell(t, IBK_SECRET_SCALAR, own->curve, own->scalar, own->scalar_len);
    tell(t, IBK_SECRET_OWN_POINT, own->curve, own->pub.octets, own->pub.len);
    tell(t, IBK_SECRET_THEIR_POINT, theirs->curve, theirs->octets, theirs->len);
}

static void tell_update(teller *t, const update *u, size_t mpk_len, ibk_secret_age age) {
    if (u) {
        t->secret.age = age;
        tell_exchange(t, &u->own, &u->theirs);
        tell(t, IBK_SECRET_MPK, 0, u->mpk, mpk_len);
        tell(t, IBK_SECRET_TGK, 0, u->tgk, sizeof u->tgk);
    }
}

void ibk_session_secrets(const ibk_session *session, ibk_secret_fn *fn, void *user) {
    teller t = {.secret = {.csb_id = session->hdr.csb_id, .role = session->role}, .fn = fn, .user = user};
    size_t mpk_len = ibk_prf_hash_len(session->hdr.prf);
    tell_exchange(&t, &session->own, &session->theirs);
    tell(&t, IBK_SECRET_MPK, 0, session->mpk, mpk_len);
    tell(&t, IBK_SECRET_TGK, 0, session->tgk, sizeof session->tgk);
    tell(&t, IBK_SECRET_SK, 0, session->sk.data, session->sk.len);
    tell_update(&t, session->update, mpk_len, IBK_SECRET_COMING);
    tell_update(&t, session->previous, mpk_len, IBK_SECRET_PREVIOUS);
    for (const update *u = session->left; u; u = u->older) {
        tell_update(&t, u, mpk_len, IBK_SECRET_LEFT);
    }
}
