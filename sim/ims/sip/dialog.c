#include "ims/sip/dialog.h"

#include <stdlib.h>
#include <string.h>

static const char *tag_or_empty(const char *tag) {
    return tag ? tag : "";
}

static sip_dialog *begin(const char *call_id) {
    sip_dialog *dialog = calloc(1, sizeof *dialog);
    if (dialog)
        dialog->call_id = sip_arena_str(&dialog->arena, call_id);
    return dialog;
}

static ibk_err finish(sip_dialog **out, sip_dialog *dialog) {
    if (dialog->arena.failed) {
        sip_dialog_free(dialog);
        return IBK_ERR_NO_MEMORY;
    }
    *out = dialog;
    return IBK_OK;
}

void sip_dialog_free(sip_dialog *dialog) {
    if (!dialog)
        return;
    sip_arena_free(&dialog->arena);
    free(dialog);
}

/* reversed: the UAC's view of Record-Route (§12.1.2). */
static void set_route(sip_dialog *dialog, const sip_msg *msg, bool reversed) {
    size_t count = msg->record_route_count;
    dialog->route_count = 0;
    dialog->route = count ? sip_arena_alloc(&dialog->arena, count * sizeof *dialog->route) : NULL;
    for (size_t i = 0; dialog->route && i < count; i++)
        sip_name_addr_copy(&dialog->arena, &dialog->route[dialog->route_count++],
                           &msg->record_route[reversed ? count - 1 - i : i]);
}

ibk_err sip_dialog_uac(sip_dialog **out, const sip_msg *request, const sip_msg *response, ibk_diag *diag) {
    *out = NULL;
    if (response->status < 101 || response->status > 299)
        return IBK_ERR_USAGE;
    if (!sip_to_tag(response))
        return ibk_fail(diag, IBK_ERR_MISSING_PAYLOAD, "To", 0, "no tag");
    if (response->contact_count == 0 || !response->contact[0].uri.host)
        return ibk_fail(diag, IBK_ERR_MISSING_PAYLOAD, "Contact", 0, "no remote target");
    sip_dialog *dialog = begin(request->call_id);
    if (!dialog)
        return IBK_ERR_NO_MEMORY;
    sip_arena *arena = &dialog->arena;
    dialog->uac = true;
    dialog->state = response->status < 200 ? SIP_DIALOG_EARLY : SIP_DIALOG_CONFIRMED;
    sip_name_addr_copy(arena, &dialog->local, &request->from);
    sip_name_addr_copy(arena, &dialog->remote, &response->to);
    dialog->local_tag = sip_arena_str(arena, tag_or_empty(sip_from_tag(request)));
    dialog->remote_tag = sip_arena_str(arena, sip_to_tag(response));
    sip_uri_copy(arena, &dialog->remote_target, &response->contact[0].uri);
    if (request->contact_count)
        sip_name_addr_copy(arena, &dialog->local_contact, &request->contact[0]);
    set_route(dialog, response, true);
    dialog->local_cseq = request->cseq;
    return finish(out, dialog);
}

ibk_err sip_dialog_uas(sip_dialog **out, const sip_msg *request, const char *local_tag,
                       const sip_name_addr *contact, ibk_diag *diag) {
    *out = NULL;
    if (request->contact_count == 0 || !request->contact[0].uri.host)
        return ibk_fail(diag, IBK_ERR_MISSING_PAYLOAD, "Contact", 0, "no remote target");
    sip_dialog *dialog = begin(request->call_id);
    if (!dialog)
        return IBK_ERR_NO_MEMORY;
    sip_arena *arena = &dialog->arena;
    dialog->state = SIP_DIALOG_EARLY;
    sip_name_addr_copy(arena, &dialog->local, &request->to);
    sip_param_set(arena, &dialog->local.params, "tag", local_tag);
    sip_name_addr_copy(arena, &dialog->remote, &request->from);
    dialog->local_tag = sip_arena_str(arena, local_tag);
    dialog->remote_tag = sip_arena_str(arena, tag_or_empty(sip_from_tag(request)));
    sip_uri_copy(arena, &dialog->remote_target, &request->contact[0].uri);
    sip_name_addr_copy(arena, &dialog->local_contact, contact);
    set_route(dialog, request, false);
    dialog->remote_cseq = request->cseq;
    dialog->remote_seen = true;
    return finish(out, dialog);
}

bool sip_dialog_matches(const sip_dialog *dialog, const sip_msg *incoming) {
    const char *from = tag_or_empty(sip_from_tag(incoming)), *to = tag_or_empty(sip_to_tag(incoming));
    const char *local = incoming->is_request ? to : from;
    const char *remote = incoming->is_request ? from : to;
    return strcmp(dialog->call_id, incoming->call_id) == 0 && strcmp(dialog->local_tag, local) == 0 &&
           strcmp(dialog->remote_tag, remote) == 0;
}

ibk_err sip_dialog_confirm(sip_dialog *dialog, const sip_msg *response) {
    if (dialog->state == SIP_DIALOG_EARLY && dialog->uac)
        set_route(dialog, response, true);
    dialog->state = SIP_DIALOG_CONFIRMED;
    return sip_dialog_refresh(dialog, response);
}

ibk_err sip_dialog_refresh(sip_dialog *dialog, const sip_msg *msg) {
    if (msg->contact_count && msg->contact[0].uri.host &&
        !sip_uri_equal(&dialog->remote_target, &msg->contact[0].uri))
        sip_uri_copy(&dialog->arena, &dialog->remote_target, &msg->contact[0].uri);
    return dialog->arena.failed ? IBK_ERR_NO_MEMORY : IBK_OK;
}

ibk_err sip_dialog_accept_cseq(sip_dialog *dialog, const sip_msg *request) {
    if (sip_is(request, "ACK") || sip_is(request, "CANCEL"))
        return IBK_OK;
    if (dialog->remote_seen && request->cseq <= dialog->remote_cseq)
        return IBK_ERR_MISMATCH;
    dialog->remote_seen = true;
    dialog->remote_cseq = request->cseq;
    return IBK_OK;
}

/* §12.2.1.1: loose routers get the target as Request-URI, a strict one at the top gets itself. */
static void add_routes(sip_dialog *dialog, sip_msg *msg) {
    msg->strict = dialog->route_count && !sip_uri_is_loose(&dialog->route[0].uri);
    for (size_t i = msg->strict ? 1 : 0; i < dialog->route_count; i++)
        sip_route_append(msg, &dialog->route[i]);
    if (!msg->strict)
        return;
    sip_name_addr last = {.uri = dialog->remote_target};
    sip_route_append(msg, &last);
    sip_msg_set_uri(msg, &dialog->route[0].uri);
}

static bool carries_contact(const char *method) {
    return strcmp(method, "INVITE") == 0 || strcmp(method, "UPDATE") == 0 ||
           strcmp(method, "SUBSCRIBE") == 0 || strcmp(method, "REFER") == 0;
}

sip_msg *sip_dialog_request(sip_dialog *dialog, const char *method, uint32_t ack_cseq) {
    uint32_t cseq = ack_cseq ? ack_cseq : ++dialog->local_cseq;
    sip_msg *msg = sip_request_new(method, &dialog->remote_target, &dialog->local, &dialog->remote,
                                   dialog->call_id, cseq);
    if (!msg)
        return NULL;
    add_routes(dialog, msg);
    if (carries_contact(method) && dialog->local_contact.uri.scheme)
        sip_contact_add(msg, &dialog->local_contact);
    if (!msg->arena.failed)
        return msg;
    sip_msg_free(msg);
    return NULL;
}

sip_msg *sip_dialog_response(const sip_dialog *dialog, const sip_msg *request, int status,
                             const char *reason) {
    sip_msg *msg = sip_response_new(request, status, reason, dialog->local_tag);
    if (msg && status > 100 && status < 300 && carries_contact(request->method))
        sip_contact_add(msg, &dialog->local_contact);
    return msg;
}
