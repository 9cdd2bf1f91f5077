/* Writing: one order of fields, whatever order they were read or added in. */
#include "ims/sip/message.h"
#include "ims/sip/put.h"

static void put_addrs(sip_put *put, const char *name, const sip_name_addr *addr, size_t count) {
    for (size_t i = 0; i < count; i++) {
        put_raw(put, name);
        put_raw(put, ": ");
        if (!put->err)
            put->err = sip_name_addr_encode(put->buf, &addr[i]);
        put_raw(put, "\r\n");
    }
}

static void put_field(sip_put *put, const char *name, const char *value) {
    put_text(put, name);
    put_raw(put, ": ");
    put_text(put, value);
    put_raw(put, "\r\n");
}

static void put_start_line(sip_put *put, const sip_msg *msg) {
    if (!msg->is_request) {
        put_raw(put, "SIP/2.0 ");
        put_u64(put, (uint64_t)msg->status);
        put_raw(put, " ");
        put_text(put, msg->reason);
        put_raw(put, "\r\n");
        return;
    }
    put_text(put, msg->method);
    put_raw(put, " ");
    if (!put->err)
        put->err = sip_uri_encode(put->buf, &msg->uri);
    put_raw(put, " SIP/2.0\r\n");
}

static void put_body(sip_put *put, const sip_msg *msg) {
    if (msg->content_type)
        put_field(put, "Content-Type", msg->content_type);
    put_raw(put, "Content-Length: ");
    put_u64(put, msg->body.len);
    put_raw(put, "\r\n\r\n");
    put_octets(put, msg->body.data, msg->body.len);
}

ibk_err sip_msg_encode(ibk_buf *out, const sip_msg *msg) {
    sip_put put = {.buf = out, .err = msg->err};
    if (msg->arena.failed)
        put.err = IBK_ERR_NO_MEMORY;
    put_start_line(&put, msg);
    for (size_t i = 0; i < msg->via_count; i++) {
        put_raw(&put, "Via: ");
        if (!put.err)
            put.err = sip_via_encode(out, &msg->via[i]);
        put_raw(&put, "\r\n");
    }
    put_addrs(&put, "Route", msg->route, msg->route_count);
    put_addrs(&put, "Record-Route", msg->record_route, msg->record_route_count);
    if (msg->max_forwards >= 0) {
        put_raw(&put, "Max-Forwards: ");
        put_u64(&put, (uint64_t)msg->max_forwards);
        put_raw(&put, "\r\n");
    }
    put_addrs(&put, "From", &msg->from, 1);
    put_addrs(&put, "To", &msg->to, 1);
    put_field(&put, "Call-ID", msg->call_id);
    put_raw(&put, "CSeq: ");
    put_u64(&put, msg->cseq);
    put_raw(&put, " ");
    put_text(&put, msg->method);
    put_raw(&put, "\r\n");
    put_addrs(&put, "Contact", msg->contact, msg->contact_count);
    for (size_t i = 0; i < msg->header_count; i++)
        put_field(&put, msg->header[i].name, msg->header[i].value);
    put_body(&put, msg);
    return put.err;
}
