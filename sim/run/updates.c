/* What came of the offers in the middle of a call, by the accounts of both its ends. */
#include "run/updates.h"

#include "ims/ue/midcall.h"

#include <string.h>

/* The nth CSB update that an end completed. Both complete the same ones in the same order: SIP lets one offer
 * at a time through. */
static const ue_update *completed(const ue_call_view *view, size_t nth) {
    for (size_t i = 0; view && i < view->update_count; i++)
        if (view->updates[i].csb && view->updates[i].ok && nth-- == 0)
            return &view->updates[i];
    return NULL;
}

static bool pair_agrees(const ue_update *a, const ue_update *b) {
    return a && b && a->by_us != b->by_us && a->new_dh == b->new_dh &&
           memcmp(a->key_digest, b->key_digest, sizeof a->key_digest) == 0;
}

/* What the other end says of the same update; NULL: it says nothing, or does not hold the same keys. */
static const ue_update *counterpart(const call_views *v, const ue_update *update) {
    const ue_update *a;
    for (size_t n = 0; (a = completed(v->caller, n)) != NULL; n++) {
        const ue_update *b = completed(v->callee, n);
        if (a == update || b == update)
            return !pair_agrees(a, b) ? NULL : a == update ? b : a;
    }
    return NULL;
}

static bool agreed(const call_views *v, const ue_update *update) {
    return counterpart(v, update) != NULL;
}

static bool is_named(const ue_update *u, const char *mki) {
    return strlen(mki) == u->mki_len && memcmp(u->mki, mki, u->mki_len) == 0;
}

static bool mki_agreed(const call_views *v, const ue_update *update) {
    const ue_update *other = counterpart(v, update);
    return other && update->new_dh && update->wanted_mki && is_named(update, update->wanted_mki) &&
           is_named(other, update->wanted_mki);
}

call_updates observe_updates(const call_views *v) {
    call_updates out = {0};
    const ue_call_view *ends[] = {v->caller, v->callee};
    for (size_t e = 0; e < 2; e++)
        for (size_t i = 0; ends[e] && i < ends[e]->update_count; i++) {
            const ue_update *u = &ends[e]->updates[i];
            if (!u->by_us)
                continue; /* each is counted once: where it began */
            bool both = u->csb && u->ok && agreed(v, u);
            out.updates += both;
            out.rekeyings += both && u->new_dh;
            out.mki_agreed += both && mki_agreed(v, u);
            out.glares += u->glare;
            out.refused += u->csb && u->done && !u->ok && !u->glare;
        }
    return out;
}

static void add(result *r, result_call *out, const call_views *v, const ue_update *u, const char *by) {
    result_update *update = result_add_update(r, out);
    update->action = result_text(r, ue_update_name(u->what));
    update->by = result_text(r, by);
    update->carrier = u->reinvite ? "re-INVITE" : "UPDATE";
    update->csb = u->csb;
    update->new_dh = u->new_dh;
    update->begun = result_at(u->begun_ns);
    if (u->done)
        update->done = result_at(u->done_ns);
    update->sip_status = (unsigned)u->sip_status;
    update->ok = u->ok;
    update->keys_agree = u->csb && u->ok && agreed(v, u);
    update->reason = u->reason ? result_text(r, ibk_err_name(u->reason)) : NULL;
}

void observe_update_list(result *r, result_call *out, const call_views *v, const scn_call *call) {
    const ue_call_view *ends[] = {v->caller, v->callee};
    const char *names[] = {call->from->name, v->callee_user ? v->callee_user->name : NULL};
    size_t next[2] = {0, 0};
    for (;;) { /* both lists in one, by the times at which they began */
        const ue_update *first = NULL;
        size_t whose = 0;
        for (size_t e = 0; e < 2; e++) {
            while (ends[e] && next[e] < ends[e]->update_count && !ends[e]->updates[next[e]].by_us)
                next[e]++;
            const ue_update *u =
                ends[e] && next[e] < ends[e]->update_count ? &ends[e]->updates[next[e]] : NULL;
            if (u && (!first || u->begun_ns < first->begun_ns)) {
                first = u;
                whose = e;
            }
        }
        if (!first)
            return;
        next[whose]++;
        add(r, out, v, first, names[whose]);
    }
}
