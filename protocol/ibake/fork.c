/* Forking (RFC 6267 §3.1): one I_MESSAGE_1, several answers, an exchange of its own with each. */
#include "ibake/session_internal.h"

#include <stdlib.h>

/* Everything that *from owns, copied into *f, a plain copy of it. On failure *f owns what it has so far. */
static ibk_err own(ibk_session *f, const ibk_session *from) {
    ibk_buf *to[OWNED_BUFS], *source[OWNED_BUFS];
    session_bufs(f, to);
    session_bufs((ibk_session *)from, source); /* only read */
    f->policies = (owned_policies){0};
    f->update = f->previous = f->left = NULL;
    for (size_t i = 0; i < OWNED_BUFS; i++) {
        *to[i] = (ibk_buf){0};
    }
    ibk_err err = IBK_OK;
    for (size_t i = 0; i < OWNED_BUFS && !err; i++) {
        bool step = source[i] == &from->out || source[i] == &from->need; /* the original's last step */
        err = step ? IBK_OK : ibk_buf_append_span(to[i], ibk_buf_span(source[i]));
    }
    f->out_type = 0;
    f->hdr.map = ibk_buf_span(&f->map);
    return err ? err : offer_store(&f->policies, from->policies.items, from->policies.count);
}

ibk_err ibk_session_fork(ibk_session **out, const ibk_session *session) {
    if (session->state != IBK_STATE_I_WAIT_R_MESSAGE_1) {
        return IBK_ERR_STATE;
    }
    if (!session->node.timestamps) {
        return IBK_ERR_USAGE;
    }
    ibk_session *f = calloc(1, sizeof *f);
    if (!f) {
        return IBK_ERR_NO_MEMORY;
    }
    *f = *session;
    ibk_err err = own(f, session);
    if (err) {
        ibk_session_free(f);
        return err;
    }
    session_trace(f, "forked", ibk_session_state_name(f->state), NULL);
    *out = f;
    return IBK_OK;
}
