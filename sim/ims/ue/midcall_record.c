/* What is told of the offers in the middle of a call: records in the view of the call, lines in the event
 * log. */
#include "ims/ue/midcall_inside.h"

#include <stdlib.h>
#include <string.h>

static const char *const what_name[] = {
    [SCN_DO_UPDATE] = "update", [SCN_DO_REKEY] = "rekey",         [SCN_DO_HOLD] = "hold",
    [SCN_DO_RESUME] = "resume", [SCN_DO_ADD_VIDEO] = "add-video", [SCN_DO_REMOVE_VIDEO] = "remove-video"};

const char *ue_update_name(scn_do what) {
    return what >= SCN_DO_UPDATE && what <= SCN_DO_REMOVE_VIDEO ? what_name[what] : "none";
}

ue_update *midcall_record(const ue_midcall *m, size_t index) {
    return &m->call->view.updates[index];
}

ibk_err midcall_add_record(ue_midcall *m, size_t *index, const ue_update *begun) {
    ue_call_view *view = &m->call->view;
    ue_update *grown = realloc(view->updates, (view->update_count + 1) * sizeof *grown);
    if (!grown)
        return IBK_ERR_NO_MEMORY;
    view->updates = grown;
    *index = view->update_count++;
    grown[*index] = *begun;
    grown[*index].begun_ns = ims_host_now(m->call->u->host);
    return IBK_OK;
}

static void note_mki(ue_update *u, ibk_span mki) {
    u->mki_len = (uint8_t)(mki.len <= sizeof u->mki ? mki.len : 0);
    if (u->mki_len)
        memcpy(u->mki, mki.data, u->mki_len);
}

void midcall_end_record(const ue_midcall *m, size_t index, int sip_status, ibk_err reason,
                        const ibk_diag *diag) {
    const ue_call *call = m->call;
    ue_update *u = midcall_record(m, index);
    trace *t = call->u->host->world->trace;
    u->done = true;
    u->done_ns = ims_host_now(call->u->host);
    u->sip_status = sip_status;
    u->reason = reason;
    u->ok = !reason;
    u->glare = sip_status == 491;
    memcpy(u->key_digest, m->leg->key_digest, sizeof u->key_digest);
    if (!reason && u->new_dh)
        note_mki(u, ibk_session_mki(m->leg->session));
    trace_begin(t, reason ? TRACE_ERROR : TRACE_STATE, call->u->host->name, "offer-answered");
    trace_str(t, "call", call->view.call_id);
    trace_str(t, "do", ue_update_name(u->what));
    trace_bool(t, "by_us", u->by_us);
    trace_uint(t, "status", (uint64_t)sip_status);
    if (u->mki_len)
        trace_strf(t, "mki", "%.*s", (int)u->mki_len, (const char *)u->mki);
    if (reason)
        trace_diag(t, reason, diag && diag->err ? diag : NULL);
    trace_end(t);
}
