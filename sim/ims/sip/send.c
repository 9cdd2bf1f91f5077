#define _GNU_SOURCE // strcasestr
/* What goes out: Via, next hop, the way back of responses, trace. RFC 3261 §18. */
#include "ims/sip/ids.h"
#include "ims/sip/put.h"
#include "ims/sip/scan.h"
#include "ims/sip/text.h"
#include "ims/sip/txn.h"

#include <strings.h>

void sip_stack_trace(sip_stack *stack, const sip_msg *msg, size_t octets, const sip_dest *peer, bool sent,
                     bool retransmission, const ibk_diag *diag) {
    char label[96] = "", cseq[64] = "";
    if (!stack->env.trace)
        return;
    if (msg) {
        sip_msg_label(label, sizeof label, msg);
        sip_msg_cseq(cseq, sizeof cseq, msg);
    }
    sip_trace event = {.now_ns = stack->env.now(stack->env.user),
                       .sent = sent,
                       .retransmission = retransmission,
                       .peer = *peer,
                       .octets = octets,
                       .msg = msg,
                       .diag = diag,
                       .label = label,
                       .call = msg ? msg->call_id : NULL,
                       .cseq = msg ? cseq : NULL};
    stack->env.trace(stack->env.user, &event);
}

ibk_err sip_stack_transmit(sip_stack *stack, const sip_msg *msg, ibk_span octets, const sip_dest *dest,
                           bool retransmission, uint64_t token) {
    if (!stack->transport.send)
        return IBK_ERR_STATE;
    if (retransmission)
        stack->stats.retransmissions_sent++;
    else if (msg->is_request)
        stack->stats.requests_sent++;
    else
        stack->stats.responses_sent++;
    sip_stack_trace(stack, msg, octets.len, dest, true, retransmission, NULL);
    return stack->transport.send(stack->transport.self, dest, octets, token);
}

ibk_err sip_stack_send(sip_stack *stack, const sip_msg *msg, const sip_dest *dest, bool retransmission) {
    ibk_buf octets = {0};
    ibk_err err = sip_msg_encode(&octets, msg);
    if (!err)
        err = sip_stack_transmit(stack, msg, ibk_buf_span(&octets), dest, retransmission, 0);
    ibk_buf_free(&octets);
    return err;
}

/* ---- requests ------------------------------------------------------------------------------------------ */

static ibk_err locate(sip_stack *stack, sip_addr *out, const char *host, ibk_diag *diag) {
    if (sip_addr_parse(out, host, 0))
        return IBK_OK;
    if (!stack->env.resolve || stack->env.resolve(stack->env.user, out, host) || !out->family)
        return ibk_fail(diag, IBK_ERR_NO_PARAMS, "URI", 0, "unknown host %.80s", host);
    return IBK_OK;
}

ibk_err sip_stack_next_hop(sip_stack *stack, sip_dest *out, const sip_msg *request, ibk_diag *diag) {
    const sip_uri *uri = request->route_count && !request->strict ? &request->route[0].uri : &request->uri;
    *out = (sip_dest){.proto = SIP_UDP};
    if (!uri->scheme || strcmp(uri->scheme, "sip") != 0 || !uri->host)
        return ibk_fail(diag, IBK_ERR_UNSUPPORTED, "URI", 0, "no next hop by scheme %.20s",
                        uri->scheme ? uri->scheme : "-");
    const char *transport = sip_param_get(&uri->params, "transport");
    if (transport && strcasecmp(transport, "tcp") == 0)
        out->proto = SIP_TCP;
    else if (transport && strcasecmp(transport, "udp") != 0)
        return ibk_fail(diag, IBK_ERR_UNSUPPORTED, "URI", 0, "transport %.20s", transport);
    ibk_err err = locate(stack, &out->addr, uri->host, diag);
    out->addr.port = uri->port ? uri->port : SIP_PORT;
    return err;
}

ibk_err sip_stack_prepare(sip_stack *stack, sip_msg *request, sip_dest *dest) {
    char branch[SIP_ID_MAX];
    ibk_buf octets = {0};
    ibk_err err = sip_new_branch(&stack->env, branch);
    if (err)
        return err;
    sip_via via = {.proto = dest->proto, .host = stack->config.host};
    via.port = stack->config.port == SIP_PORT ? 0 : stack->config.port;
    sip_via_push(request, &via);
    if (request->arena.failed)
        return IBK_ERR_NO_MEMORY;
    const char *mark = request->branch_mark ? request->branch_mark : "";
    sip_param_set(&request->arena, &request->via[0].params, "branch",
                  sip_arena_printf(&request->arena, "%s%s", branch, mark));
    if (dest->proto == SIP_UDP) // RFC 3581
        sip_param_set(&request->arena, &request->via[0].params, "rport", NULL);
    err = sip_msg_encode(&octets, request);
    // RFC 3261 §18.1.1: what does not fit into one packet goes by a transport with congestion control.
    if (!err && dest->proto == SIP_UDP && !stack->config.no_tcp && octets.len > stack->config.mtu_limit) {
        dest->proto = request->via[0].proto = SIP_TCP;
        stack->stats.tcp_by_size++;
    }
    ibk_buf_free(&octets);
    return err;
}

/* ---- responses --------------------------------------------------------------------------------------------
 */

ibk_err sip_stack_response_dest(sip_stack *stack, sip_dest *out, const sip_msg *response,
                                const sip_dest *source) {
    uint64_t number = 0;
    *out = (sip_dest){0};
    if (response->via_count == 0)
        return IBK_ERR_USAGE;
    const sip_via *via = &response->via[0];
    const char *received = sip_param_get(&via->params, "received");
    const char *rport = sip_param_get(&via->params, "rport");
    out->proto = via->proto;
    ibk_err err = locate(stack, &out->addr, received && received[0] ? received : via->host, NULL);
    out->addr.port = via->port ? via->port : SIP_PORT;
    if (via->proto == SIP_UDP && rport && sip_number_str(rport, 65535, &number) && number)
        out->addr.port = (uint16_t)number; // RFC 3581 §4
    if (source && via->proto == SIP_TCP)
        out->flow = source->flow; // §18.2.2: the connection of the request, as long as it is open
    return err;
}

ibk_err sip_stack_reply(sip_stack *stack, const sip_msg *request, const sip_dest *source, int status) {
    char tag[SIP_ID_MAX];
    sip_dest dest;
    if (sip_is(request, "ACK"))
        return IBK_OK;
    ibk_err err = sip_new_tag(&stack->env, tag);
    if (err)
        return err;
    sip_msg *response = sip_response_new(request, status, NULL, tag);
    if (!response)
        return IBK_ERR_NO_MEMORY;
    err = sip_stack_response_dest(stack, &dest, response, source);
    if (!err)
        err = sip_stack_send(stack, response, &dest, false);
    sip_msg_free(response);
    return err;
}

static void put_copies(sip_put *put, const sip_scan *scan, const char *name, const char *suffix) {
    for (size_t i = 0; i < scan->field_count; i++) {
        if (strcmp(scan->field[i].name, name) != 0)
            continue;
        put_raw(put, name);
        put_raw(put, ": ");
        put_text(put, scan->field[i].value);
        put_raw(put, suffix);
        put_raw(put, "\r\n");
    }
}

/* What a response must repeat is copied as text: the parser would not have it. */
static void write_refusal(sip_put *put, const sip_scan *scan, const char *tag, const ibk_diag *diag) {
    char reason[64], suffix[SIP_ID_MAX + 8];
    const sip_field *to = NULL;
    snprintf(reason, sizeof reason, "Bad %.24s", diag->payload ? diag->payload : "Request");
    put_raw(put, "SIP/2.0 400 ");
    put_text(put, reason);
    put_raw(put, "\r\n");
    put_copies(put, scan, "Via", "");
    put_copies(put, scan, "From", "");
    snprintf(suffix, sizeof suffix, ";tag=%s", tag);
    (void)sip_scan_one(scan, "To", &to, NULL);
    put_copies(put, scan, "To", to && strcasestr(to->value, ";tag=") ? "" : suffix);
    put_copies(put, scan, "Call-ID", "");
    put_copies(put, scan, "CSeq", "");
    put_raw(put, "Content-Length: 0\r\n\r\n");
}

static bool is_answerable(const sip_scan *scan) {
    static const char *const needed[] = {"From", "To", "Call-ID", "CSeq"};
    const sip_field *field;
    const char *line = scan->start_line;
    size_t len = strlen(line);
    if (len < 8 || strcasecmp(line + len - 8, " SIP/2.0") != 0 || strncmp(line, "ACK ", 4) == 0)
        return false;
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (sip_scan_one(scan, needed[i], &field, NULL) || !field)
            return false;
    for (size_t i = 0; i < scan->field_count; i++)
        if (strcmp(scan->field[i].name, "Via") == 0)
            return true;
    return false;
}

void sip_stack_refuse(sip_stack *stack, const sip_dest *source, ibk_span octets, const ibk_diag *diag) {
    sip_arena arena = {0};
    sip_scan scan;
    char tag[SIP_ID_MAX];
    ibk_buf buf = {0};
    sip_put put = {.buf = &buf};
    if (!sip_scan_header(&arena, &scan, octets, NULL) && is_answerable(&scan) &&
        !sip_new_tag(&stack->env, tag)) {
        write_refusal(&put, &scan, tag, diag);
        if (!put.err && stack->transport.send) {
            stack->stats.responses_sent++;
            (void)stack->transport.send(stack->transport.self, source, ibk_buf_span(&buf), 0);
        }
    }
    ibk_buf_free(&buf);
    sip_arena_free(&arena);
}
