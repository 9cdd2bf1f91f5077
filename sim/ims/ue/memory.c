#include "ims/ue/memory.h"
#include "ims/ue/internal.h"

static void read_store(const ue *u, const ue_memory_reader *r) {
    const ibk_ibe_params *params;
    const ibk_ibe_key *key;
    for (size_t i = 0; r->private_key && (key = key_store_at(u->store, i, &params)); i++)
        r->private_key(r->user, key_store_identity_at(u->store, i), params, key);
}

static void read_session(const ibk_session *session, const ue_memory_reader *r) {
    if (session && r->session)
        ibk_session_secrets(session, r->session, r->user);
}

static void read_call(const ue_call *call, const ue_memory_reader *r) {
    if (call->offer)
        read_session(call->offer->session, r);
    for (const ue_leg *leg = call->legs; leg; leg = leg->next)
        read_session(leg->session, r);
    if (r->sk && call->sk.len)
        r->sk(r->user, ibk_buf_span(&call->sk));
}

void ue_read_memory(const ue *u, const ue_memory_reader *reader) {
    read_store(u, reader);
    if (reader->psk && u->user->key_request == SCN_KEY_REQUEST_PSK)
        reader->psk(reader->user, u->user->psk);
    for (size_t i = 0; i < u->call_count; i++)
        read_call(u->calls[i], reader);
    for (size_t i = 0; i < u->left_count; i++)
        read_session(u->left[i], reader);
}
