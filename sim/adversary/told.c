#include "adversary/told.h"

#include <stdlib.h>
#include <string.h>

enum { STREAMS_MAX = 16 }; /* of one exchange: sound and video of both ends, and what forks bring */

typedef struct stream {
    uint32_t ssrc;
    uint8_t cs_id;
    unsigned tag_len;
} stream;

/* What was said of the crypto sessions under one CSB ID. */
typedef struct bundle {
    struct bundle *next;
    uint32_t csb_id;
    uint8_t prf;
    ibk_buf rand; /* of the first message that had one (P-7) */
    stream streams[STREAMS_MAX];
    size_t count;
} bundle;

struct told {
    const wallet *w;
    bundle *bundles;
};

told *told_new(const wallet *w) {
    told *t = calloc(1, sizeof *t);
    if (t)
        t->w = w;
    return t;
}

void told_free(told *t) {
    for (bundle *b = t ? t->bundles : NULL, *next; b; b = next) {
        next = b->next;
        ibk_buf_free(&b->rand);
        free(b);
    }
    free(t);
}

/* ---- what passes
 * ------------------------------------------------------------------------------------------------ */

static bundle *bundle_of(told *t, const ibk_msg *msg) {
    for (bundle *b = t->bundles; b; b = b->next)
        if (b->csb_id == msg->hdr.csb_id)
            return b;
    bundle *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    *b = (bundle){.next = t->bundles, .csb_id = msg->hdr.csb_id, .prf = msg->hdr.prf};
    t->bundles = b;
    return b;
}

static unsigned tag_of(const ibk_msg *msg, uint8_t policy_no) {
    const ibk_payload *sp;
    ibk_srtp_policy policy;
    for (size_t i = 0; (sp = ibk_msg_find(msg, IBK_PL_SP, i)); i++)
        if (sp->sp.policy_no == policy_no && ibk_srtp_policy_parse(&policy, &sp->sp, NULL) == IBK_OK)
            return policy.auth_tag_len;
    return ibk_srtp_policy_default().auth_tag_len;
}

static bool is_listed(const bundle *b, uint32_t ssrc) {
    for (size_t i = 0; i < b->count; i++)
        if (b->streams[i].ssrc == ssrc)
            return true;
    return false;
}

void told_note(told *t, const ibk_msg *msg) {
    ibk_cs_srtp cs;
    const ibk_payload *rand = ibk_msg_find(msg, IBK_PL_RAND, 0);
    bundle *b = bundle_of(t, msg);
    if (!b)
        return;
    if (rand && b->rand.len == 0)
        (void)ibk_buf_append_span(&b->rand, rand->rand.data);
    for (size_t i = 0; i < UINT8_MAX && ibk_map_srtp(&msg->hdr, i, &cs); i++)
        if (cs.ssrc && !is_listed(b, cs.ssrc) && b->count < STREAMS_MAX)
            b->streams[b->count++] =
                (stream){.ssrc = cs.ssrc, .cs_id = (uint8_t)(i + 1), .tag_len = tag_of(msg, cs.policy_no)};
}

/* ---- keys
 * ------------------------------------------------------------------------------------------------------- */

static const wallet_secret *newest_tgk(const told *t, uint32_t csb_id) {
    const wallet_secret *tgk, *newest = NULL;
    for (size_t i = 0; (tgk = wallet_tgk_at(t->w, i)); i++)
        newest = tgk->csb_id == csb_id ? tgk : newest;
    return newest;
}

static ibk_err derive(const bundle *b, const stream *s, ibk_span tgk, told_stream *out) {
    ibk_span rand = ibk_buf_span(&b->rand);
    out->tag_len = s->tag_len;
    ibk_err err = ibk_derive(out->keys.key, sizeof out->keys.key, b->prf, IBK_DERIVE_TEK, tgk, s->cs_id,
                             b->csb_id, rand);
    return err ? err
               : ibk_derive(out->keys.salt, sizeof out->keys.salt, b->prf, IBK_DERIVE_TGK_SALT, tgk, s->cs_id,
                            b->csb_id, rand);
}

ibk_err told_stream_of(const told *t, uint32_t ssrc, told_stream *out) {
    for (const bundle *b = t->bundles; b; b = b->next) {
        const wallet_secret *tgk = newest_tgk(t, b->csb_id);
        for (size_t i = 0; tgk && b->rand.len && i < b->count; i++)
            if (b->streams[i].ssrc == ssrc)
                return derive(b, &b->streams[i], ibk_buf_span(&tgk->octets), out);
    }
    return IBK_ERR_NO_KEY;
}
