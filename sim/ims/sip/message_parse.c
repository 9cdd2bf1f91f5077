/* Reading: our scan, then libosip2's parser, then the strict checks of RFC 3261 that it leaves out. */
#include "ims/sip/convert.h"
#include "ims/sip/put.h"
#include "ims/sip/scan.h"
#include "ims/sip/text.h"

#include <stdlib.h>
#include <strings.h>

typedef struct reading {
    sip_msg *msg;
    sip_scan scan;
    osip_message_t *osip;
    ibk_diag *diag;
} reading;

/* Methods are case-sensitive: RFC 3261 §7.1. */
static ibk_err read_start_line(reading *r) {
    sip_msg *msg = r->msg;
    const char *line = r->scan.start_line;
    uint64_t status = 0;
    if (strncasecmp(line, "SIP/2.0 ", 8) == 0) {
        if (!sip_number(line + 8, strnlen(line + 8, 3), 699, &status) || status < 100 || strlen(line) < 12 ||
            line[11] != ' ')
            return ibk_fail(r->diag, IBK_ERR_BAD_VALUE, "start-line", 0, "not a status line");
        msg->status = (int)status;
        msg->reason = sip_arena_str(&msg->arena, line + 12);
        return IBK_OK;
    }
    const char *uri = strchr(line, ' '), *version = strrchr(line, ' ');
    if (!uri || uri == version || !sip_is_token(line, (size_t)(uri - line)) || uri - line > 32)
        return ibk_fail(r->diag, IBK_ERR_BAD_TEXT, "start-line", 0, "neither request nor status line");
    if (strcasecmp(version + 1, "SIP/2.0") != 0)
        return ibk_fail(r->diag, IBK_ERR_BAD_VERSION, "start-line", 0, "not SIP/2.0");
    if (memchr(uri + 1, ' ', (size_t)(version - uri - 1)))
        return ibk_fail(r->diag, IBK_ERR_BAD_TEXT, "start-line", 0, "a space inside the Request-URI");
    msg->is_request = true;
    msg->method = sip_arena_strn(&msg->arena, line, (size_t)(uri - line));
    return sip_convert_uri(&msg->arena, &msg->uri, r->osip->req_uri, "start-line", r->diag);
}

static ibk_err need_one(reading *r, const char *name, const sip_field **out) {
    ibk_err err = sip_scan_one(&r->scan, name, out, r->diag);
    if (err)
        return err;
    return *out ? IBK_OK : ibk_fail(r->diag, IBK_ERR_MISSING_PAYLOAD, name, 0, "mandatory");
}

static ibk_err read_cseq(reading *r) {
    const sip_field *field;
    uint64_t number = 0;
    ibk_err err = need_one(r, "CSeq", &field);
    if (err)
        return err;
    size_t digits = strcspn(field->value, " ");
    const char *method = field->value + digits + strspn(field->value + digits, " ");
    // RFC 3261 §8.1.1.5: below 2^31
    if (!sip_number(field->value, digits, INT32_MAX, &number))
        return ibk_fail(r->diag, IBK_ERR_BAD_VALUE, "CSeq", field->offset, "number out of range");
    if (!sip_is_token(method, strlen(method)))
        return ibk_fail(r->diag, IBK_ERR_BAD_TEXT, "CSeq", field->offset, "no method");
    if (r->msg->is_request && strcmp(method, r->msg->method) != 0)
        return ibk_fail(r->diag, IBK_ERR_MISMATCH, "CSeq", field->offset, "another method than the request");
    if (!r->msg->is_request)
        r->msg->method = sip_arena_str(&r->msg->arena, method);
    r->msg->cseq = (uint32_t)number;
    return IBK_OK;
}

static ibk_err read_call_id(reading *r) {
    const sip_field *field;
    ibk_err err = need_one(r, "Call-ID", &field);
    if (err)
        return err;
    if (field->value[0] == 0 || strpbrk(field->value, " ,;") || strlen(field->value) > 256)
        return ibk_fail(r->diag, IBK_ERR_BAD_TEXT, "Call-ID", field->offset, "not a word");
    r->msg->call_id = sip_arena_str(&r->msg->arena, field->value);
    return IBK_OK;
}

static ibk_err read_max_forwards(reading *r) {
    const sip_field *field;
    uint64_t number = 0;
    r->msg->max_forwards = -1;
    ibk_err err = r->msg->is_request ? need_one(r, "Max-Forwards", &field)
                                     : sip_scan_one(&r->scan, "Max-Forwards", &field, r->diag);
    if (err || !field)
        return err;
    if (!sip_number_str(field->value, 255, &number))
        return ibk_fail(r->diag, IBK_ERR_BAD_VALUE, "Max-Forwards", field->offset, "not 0 to 255");
    r->msg->max_forwards = (int)number;
    return IBK_OK;
}

/* sent-protocol begins with "SIP", which libosip2 does not ask for: RFC 3261 §25.1. */
static ibk_err check_protocol_name(reading *r, const sip_field *field) {
    for (const char *value = field->value;; value++) {
        value += strspn(value, " ");
        if (strncasecmp(value, "SIP", 3) != 0 || value[3 + strspn(value + 3, " ")] != '/')
            return ibk_fail(r->diag, IBK_ERR_BAD_VALUE, "Via", field->offset, "not SIP/2.0");
        value += sip_element_len(value);
        if (*value != ',')
            return IBK_OK;
    }
}

static ibk_err read_vias(reading *r) {
    sip_msg *msg = r->msg;
    int count = osip_list_size(&r->osip->vias);
    if (count < 1)
        return ibk_fail(r->diag, IBK_ERR_MISSING_PAYLOAD, "Via", 0, "mandatory");
    if (count > SIP_MAX_LIST)
        return ibk_fail(r->diag, IBK_ERR_LIMIT, "Via", 0, "%d values", count);
    for (size_t i = 0; i < r->scan.field_count; i++) {
        ibk_err err =
            strcmp(r->scan.field[i].name, "Via") == 0 ? check_protocol_name(r, &r->scan.field[i]) : IBK_OK;
        if (err)
            return err;
    }
    if (!(msg->via = sip_arena_alloc(&msg->arena, (size_t)count * sizeof *msg->via)))
        return IBK_ERR_NO_MEMORY;
    for (int i = 0; i < count; i++) {
        ibk_err err = sip_convert_via(&msg->arena, &msg->via[i], osip_list_get(&r->osip->vias, i), r->diag);
        if (err)
            return err;
        msg->via_count++;
    }
    const char *branch = sip_branch(&msg->via[0]);
    size_t cookie = strlen(SIP_BRANCH_COOKIE);
    // RFC 3261 §8.1.1.7: elements older than it have no place in this network.
    if (!branch || strncasecmp(branch, SIP_BRANCH_COOKIE, cookie) != 0 || branch[cookie] == 0 ||
        !sip_is_token(branch, strlen(branch)))
        return ibk_fail(r->diag, IBK_ERR_BAD_VALUE, "Via", 0, "no branch with the magic cookie");
    return IBK_OK;
}

static ibk_err read_addrs(reading *r, sip_name_addr **out, size_t *out_count, const osip_list_t *list,
                          const char *name) {
    int count = osip_list_size(list);
    if (count <= 0)
        return IBK_OK;
    if (count > SIP_MAX_LIST)
        return ibk_fail(r->diag, IBK_ERR_LIMIT, name, 0, "%d values", count);
    if (!(*out = sip_arena_alloc(&r->msg->arena, (size_t)count * sizeof **out)))
        return IBK_ERR_NO_MEMORY;
    for (int i = 0; i < count; i++) {
        ibk_err err = sip_convert_addr(&r->msg->arena, &(*out)[i], osip_list_get(list, i), name, r->diag);
        if (err)
            return err;
        (*out_count)++;
    }
    return IBK_OK;
}

/* libosip2 drops values that it cannot read: then the field is there and the list is empty. */
static ibk_err not_swallowed(reading *r, const char *name, size_t count) {
    for (size_t i = 0; i < r->scan.field_count; i++)
        if (count == 0 && strcmp(r->scan.field[i].name, name) == 0)
            return ibk_fail(r->diag, IBK_ERR_BAD_TEXT, name, r->scan.field[i].offset, "no value can be read");
    return IBK_OK;
}

static ibk_err read_address_lists(reading *r) {
    sip_msg *msg = r->msg;
    ibk_err err = read_addrs(r, &msg->route, &msg->route_count, &r->osip->routes, "Route");
    if (!err)
        err = read_addrs(r, &msg->record_route, &msg->record_route_count, &r->osip->record_routes,
                         "Record-Route");
    if (!err)
        err = read_addrs(r, &msg->contact, &msg->contact_count, &r->osip->contacts, "Contact");
    if (!err)
        err = not_swallowed(r, "Route", msg->route_count);
    if (!err)
        err = not_swallowed(r, "Record-Route", msg->record_route_count);
    if (!err)
        err = not_swallowed(r, "Contact", msg->contact_count);
    for (size_t i = 0; !err && i < msg->route_count; i++)
        if (!msg->route[i].uri.host)
            err = ibk_fail(r->diag, IBK_ERR_BAD_TEXT, "Route", 0, "not a SIP URI");
    for (size_t i = 0; !err && i < msg->record_route_count; i++)
        if (!msg->record_route[i].uri.host)
            err = ibk_fail(r->diag, IBK_ERR_BAD_TEXT, "Record-Route", 0, "not a SIP URI");
    // RFC 3261 §8.1.1.8: exactly one SIP URI in a request that makes a dialog
    if (!err && sip_is_request(msg, "INVITE") && msg->contact_count != 1)
        err = ibk_fail(r->diag, msg->contact_count ? IBK_ERR_UNEXPECTED_PAYLOAD : IBK_ERR_MISSING_PAYLOAD,
                       "Contact", 0, "an INVITE has exactly one");
    if (!err && sip_is_request(msg, "INVITE") && !msg->contact[0].uri.host)
        err = ibk_fail(r->diag, IBK_ERR_BAD_TEXT, "Contact", 0, "not a SIP URI");
    return err;
}

static ibk_err read_parties(reading *r) {
    sip_msg *msg = r->msg;
    const sip_field *field;
    ibk_err err = need_one(r, "From", &field);
    if (!err)
        err = sip_convert_addr(&msg->arena, &msg->from, r->osip->from, "From", r->diag);
    if (!err)
        err = need_one(r, "To", &field);
    if (!err)
        err = sip_convert_addr(&msg->arena, &msg->to, r->osip->to, "To", r->diag);
    if (err)
        return err;
    if (!msg->from.uri.scheme || !msg->to.uri.scheme)
        return ibk_fail(r->diag, IBK_ERR_BAD_TEXT, msg->to.uri.scheme ? "From" : "To", 0, "no URI");
    const char *from = sip_from_tag(msg), *to = sip_to_tag(msg);
    if (!from)
        return ibk_fail(r->diag, IBK_ERR_MISSING_PAYLOAD, "From", 0, "no tag");
    if (!sip_is_token(from, strlen(from)) || strlen(from) > 256)
        return ibk_fail(r->diag, IBK_ERR_BAD_TEXT, "From", 0, "a bad tag");
    if (to && (!sip_is_token(to, strlen(to)) || strlen(to) > 256))
        return ibk_fail(r->diag, IBK_ERR_BAD_TEXT, "To", 0, "a bad tag");
    return IBK_OK;
}

static ibk_err read_body(reading *r, ibk_span octets, sip_framing framing) {
    sip_msg *msg = r->msg;
    const sip_field *field;
    size_t have = octets.len - r->scan.header_len;
    uint64_t want = have;
    ibk_err err = sip_scan_one(&r->scan, "Content-Length", &field, r->diag);
    if (err)
        return err;
    if (!field && framing == SIP_STREAM)
        return ibk_fail(r->diag, IBK_ERR_MISSING_PAYLOAD, "Content-Length", 0, "mandatory on a stream");
    if (field && !sip_number_str(field->value, INT32_MAX, &want))
        return ibk_fail(r->diag, IBK_ERR_BAD_VALUE, "Content-Length", field->offset, "not a number");
    if (want > have || (want < have && framing == SIP_STREAM))
        return ibk_fail(r->diag, IBK_ERR_BAD_LENGTH, "Content-Length", field ? field->offset : 0,
                        "%llu octets told, %zu there", (unsigned long long)want, have);
    if ((err = sip_scan_one(&r->scan, "Content-Type", &field, r->diag)))
        return err;
    if (field && (!strchr(field->value, '/') || !sip_is_token(field->value, strcspn(field->value, "/"))))
        return ibk_fail(r->diag, IBK_ERR_BAD_TEXT, "Content-Type", field->offset, "not a media type");
    if (field)
        msg->content_type = sip_arena_str(&msg->arena, field->value);
    if (want == 0)
        return IBK_OK;
    if (!field) // RFC 3261 §20.15
        return ibk_fail(r->diag, IBK_ERR_MISSING_PAYLOAD, "Content-Type", 0, "there is a body");
    const char *body =
        sip_arena_strn(&msg->arena, (const char *)octets.data + r->scan.header_len, (size_t)want);
    msg->body = ibk_span_of(body, (size_t)want);
    return IBK_OK;
}

static bool is_typed(const char *name) {
    static const char *const typed[] = {"Via",          "Route",        "Record-Route",  "Contact",
                                        "From",         "To",           "Call-ID",       "CSeq",
                                        "Max-Forwards", "Content-Type", "Content-Length"};
    for (size_t i = 0; i < sizeof typed / sizeof *typed; i++)
        if (strcmp(typed[i], name) == 0)
            return true;
    return false;
}

static ibk_err read_others(reading *r) {
    sip_msg *msg = r->msg;
    msg->header = sip_arena_alloc(&msg->arena, (r->scan.field_count + 1) * sizeof *msg->header);
    if (!msg->header)
        return IBK_ERR_NO_MEMORY;
    for (size_t i = 0; i < r->scan.field_count; i++)
        if (!is_typed(r->scan.field[i].name))
            msg->header[msg->header_count++] = (sip_header){r->scan.field[i].name, r->scan.field[i].value};
    static const char *const numbers[] = {"Expires", "Min-Expires", "RSeq"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        uint64_t number = 0;
        const char *value = sip_header_get(msg, numbers[i]);
        if (value && !sip_number_str(value, UINT32_MAX, &number))
            return ibk_fail(r->diag, IBK_ERR_BAD_VALUE, numbers[i], 0, "not a number below 2^32");
    }
    return IBK_OK;
}

static ibk_err read_all(reading *r, ibk_span octets, sip_framing framing) {
    ibk_err err = read_start_line(r);
    if (!err)
        err = read_vias(r);
    if (!err)
        err = read_parties(r);
    if (!err)
        err = read_call_id(r);
    if (!err)
        err = read_cseq(r);
    if (!err)
        err = read_max_forwards(r);
    if (!err)
        err = read_address_lists(r);
    if (!err)
        err = read_others(r);
    return err ? err : read_body(r, octets, framing);
}

/* libosip2 gets the start line and the fields whose values it is to take apart; bodies and texts are ours,
 * and so is what it would make of a Content-Type without body. */
static ibk_err parse_header(reading *r) {
    static const char *const wanted[] = {"Via",  "From",  "To",           "Call-ID",
                                         "CSeq", "Route", "Record-Route", "Contact"};
    ibk_buf buf = {0};
    sip_put put = {.buf = &buf};
    put_raw(&put, r->scan.start_line);
    put_raw(&put, "\r\n");
    for (size_t i = 0; i < r->scan.field_count; i++) {
        const sip_field *field = &r->scan.field[i];
        for (size_t k = 0; k < sizeof wanted / sizeof *wanted; k++) {
            if (strcmp(field->name, wanted[k]) != 0)
                continue;
            put_raw(&put, field->name);
            put_raw(&put, ": ");
            put_raw(&put, field->value);
            put_raw(&put, "\r\n");
        }
    }
    put_octets(&put, "\r\n", 3); // with a zero behind: the library reads to the end of a text
    if (!put.err && osip_message_init(&r->osip) != 0)
        put.err = IBK_ERR_NO_MEMORY;
    if (!put.err && osip_message_parse(r->osip, (const char *)buf.data, buf.len - 1) != 0)
        put.err = ibk_fail(r->diag, IBK_ERR_BAD_TEXT, "header", 0, "not a SIP header section");
    ibk_buf_free(&buf);
    return put.err;
}

ibk_err sip_msg_parse(sip_msg **out, ibk_span octets, sip_framing framing, ibk_diag *diag) {
    *out = NULL;
    if (octets.len > SIP_MAX_MESSAGE)
        return ibk_fail(diag, IBK_ERR_LIMIT, "message", 0, "%zu octets", octets.len);
    reading r = {.msg = sip_msg_new(), .diag = diag};
    if (!r.msg)
        return IBK_ERR_NO_MEMORY;
    ibk_err err = sip_scan_header(&r.msg->arena, &r.scan, octets, diag);
    // Before the library may stop at them with less to say: fields that must not come twice.
    static const char *const single[] = {"From", "To", "Call-ID", "CSeq", "Content-Length", "Content-Type"};
    const sip_field *field;
    for (size_t i = 0; !err && i < sizeof single / sizeof *single; i++)
        err = sip_scan_one(&r.scan, single[i], &field, diag);
    if (!err)
        err = parse_header(&r);
    if (!err)
        err = read_all(&r, octets, framing);
    if (!err && (r.msg->arena.failed || r.msg->err))
        err = IBK_ERR_NO_MEMORY;
    osip_message_free(r.osip);
    if (err)
        sip_msg_free(r.msg);
    else
        *out = r.msg;
    return err;
}
