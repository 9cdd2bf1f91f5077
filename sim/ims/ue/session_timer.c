/* Session timers (RFC 4028): an end of a call whose peer has vanished ends it. The caller refreshes, by an
 * UPDATE without offer (§7.4) every half of the interval; every other request of the dialog that is answered
 * 2xx refreshes as well. The callee that has heard nothing for the interval less a third of it, or less 32 s,
 * sends BYE (§10). */
#include "ims/ue/internal.h"

#include <stdlib.h>
#include <string.h>

struct ue_session_timer {
    ue_call *call;
    uint64_t interval_ns;
    ims_timer timer;
    bool outstanding; /* a refresh of ours waits for its answer */
};

#define LEAST 90          /* s, RFC 4028 §5 */
#define MOST  (24 * 3600) /* s: as long as a scenario may want it; who asks for more is heard of sooner */

/* 0: no session timer. */
static uint64_t interval_of(const sip_msg *msg) {
    uint64_t seconds = msg ? sip_session_expires(msg) : 0;
    seconds = seconds < MOST ? seconds : MOST;
    return seconds == 0 || seconds >= LEAST ? seconds * SIP_S : LEAST * SIP_S;
}

static void put_interval(sip_msg *msg, uint64_t interval_ns, const char *refresher) {
    sip_header_addf(msg, "Session-Expires", "%llu;refresher=%s", (unsigned long long)(interval_ns / SIP_S),
                    refresher);
}

void ue_session_timer_offer(const ue_call *call, sip_msg *invite) {
    if (!call->script || !call->script->session_expires_ns)
        return;
    sip_header_set(invite, "Supported", "100rel, timer");
    put_interval(invite, call->script->session_expires_ns, "uac");
}

void ue_session_timer_mark(const ue_call *call, sip_msg *request) {
    if (!call->refresh || !request)
        return;
    sip_header_set(request, "Supported", "100rel, timer");
    put_interval(request, call->refresh->interval_ns, call->view.caller ? "uac" : "uas");
}

void ue_session_timer_answer(sip_msg *response, const sip_msg *request) {
    const char *value = response ? sip_header_get(request, "Session-Expires") : NULL;
    if (!value)
        return;
    sip_header_add(response, "Require", "timer");
    sip_header_add(response, "Session-Expires", value);
}

static void due(void *arg);

static void arm(ue_session_timer *t) {
    ims_host *host = t->call->u->host;
    uint64_t third = t->interval_ns / 3, early = third < 32 * SIP_S ? third : 32 * SIP_S;
    ims_host_cancel(host, &t->timer);
    t->timer =
        ims_host_timer(host, t->call->view.caller ? t->interval_ns / 2 : t->interval_ns - early, due, t);
}

static void gone(ue_call *call) {
    ibk_diag diag = {0};
    ibk_fail(&diag, IBK_ERR_TIMEOUT, "Session-Expires", 0, "the other party is not heard any more");
    ue_call_give_up(call, IBK_ERR_TIMEOUT, &diag);
}

static void due(void *arg) {
    ue_session_timer *t = arg;
    ue_call *call = t->call;
    t->timer = 0;
    if (call->leaving)
        return;
    if (!call->view.caller) {
        gone(call);
        return;
    }
    if (!call->leg || ue_midcall_is_busy(call)) { /* its answer refreshes, or it ends the call */
        arm(t);
        return;
    }
    sip_msg *update = sip_leg_new_request(call->leg->sip, "UPDATE");
    ue_session_timer_mark(call, update);
    t->outstanding = sip_leg_send(call->leg->sip, update) == IBK_OK;
    if (!t->outstanding)
        arm(t);
}

void ue_session_timer_start(ue_call *call, const sip_msg *msg) {
    uint64_t interval_ns = interval_of(msg);
    if (!interval_ns || call->refresh)
        return;
    call->refresh = calloc(1, sizeof *call->refresh);
    if (!call->refresh)
        return;
    *call->refresh = (ue_session_timer){.call = call, .interval_ns = interval_ns};
    arm(call->refresh);
}

void ue_session_timer_refreshed(ue_call *call) {
    if (call->refresh && !call->refresh->outstanding)
        arm(call->refresh);
}

bool ue_session_timer_is_busy(const ue_call *call) {
    return call->refresh && call->refresh->outstanding;
}

bool ue_session_timer_response(ue_call *call, const char *method, const sip_msg *response) {
    if (!ue_session_timer_is_busy(call) || strcmp(method, "UPDATE") != 0)
        return false;
    if (response && response->status < 200)
        return true;
    call->refresh->outstanding = false;
    if (!response || response->status == 408 || response->status == 481) { /* §10: the dialog is gone */
        gone(call);
    } else {
        arm(call->refresh);
        ue_midcall_proceed(call);
    }
    return true;
}

void ue_session_timer_free(ue_call *call) {
    if (!call->refresh)
        return;
    ims_host_cancel(call->u->host, &call->refresh->timer);
    free(call->refresh);
    call->refresh = NULL;
}
