#include "adversary/seen.h"
#include "ims/sip/scan.h"
#include "ims/sip/text.h"

#include <stdio.h>
#include <strings.h>

#define KEY_MGMT "a=key-mgmt:"
#define MIKEY    "mikey"

/* ---- small things ---------------------------------------------------------------------------------------
 */

ibk_span seen_octets(const seen *s, seen_range range) {
    return (ibk_span){s->message->octets.data + range.at, range.len};
}

ibk_span seen_identity(const seen *s, uint8_t role) {
    const ibk_payload *p = s->parsed ? ibk_msg_find_idr(&s->msg, role, 0) : NULL;
    return p ? p->id.data : (ibk_span){0};
}

static const char *node_of(const seen_world *world, const n3_endpoint *endpoint) {
    return n3_node_name(n3_node_by_address(world->sim, &endpoint->addr));
}

static bool copy_text(char *out, size_t size, const char *text, size_t len) {
    if (len >= size)
        return false;
    memcpy(out, text, len);
    out[len] = 0;
    return true;
}

static const char *field_value(const sip_scan *scan, const char *name) {
    for (size_t i = 0; i < scan->field_count; i++)
        if (strcasecmp(scan->field[i].name, name) == 0)
            return scan->field[i].value;
    return NULL;
}

/* ---- start lines ------------------------------------------------------------------------------------------
 */

/* "SIP/2.0 183 Session Progress", "HTTP/1.1 200 OK". */
static bool read_status_line(seen *s, const char *line, const char *version) {
    size_t len = strlen(version);
    uint64_t status;
    if (strncmp(line, version, len) != 0 || line[len] != ' ' ||
        !sip_number(line + len + 1, 3, 699, &status) || status < 100)
        return false;
    s->status = (unsigned)status;
    return true;
}

/* "INVITE sip:bob@home.example SIP/2.0". */
static bool read_request_line(seen *s, const char *line, const char *version) {
    size_t method = strcspn(line, " "), len = strlen(line), tail = strlen(version);
    if (len < method + tail + 3 || line[len - tail - 1] != ' ' || strcmp(line + len - tail, version) != 0)
        return false;
    if (!sip_is_token(line, method) || !copy_text(s->method, sizeof s->method, line, method))
        return false;
    return s->request = true;
}

/* ---- the body ---------------------------------------------------------------------------------------------
 */

/* RFC 3261 §18.3: what is beyond Content-Length is no body; without one it goes to the end. */
static void find_body(seen *s, const sip_scan *scan) {
    size_t rest = s->message->octets.len - scan->header_len;
    const char *length = field_value(scan, "Content-Length");
    uint64_t stated = rest;
    if (length && (!sip_number(length, strlen(length), SIZE_MAX >> 1, &stated) || stated > rest))
        stated = 0; /* the receiver will refuse it */
    s->body = (seen_range){scan->header_len, (size_t)stated};
}

static bool is_type(const sip_scan *scan, const char *type) {
    const char *value = field_value(scan, "Content-Type");
    size_t len = strlen(type);
    return value && strncasecmp(value, type, len) == 0 && strchr("; \t", value[len]);
}

/* ---- MIKEY ------------------------------------------------------------------------------------------------
 */

/* The base64 of "a=key-mgmt:mikey <base64>" in a line of the message; len 0: another line. */
static seen_range mikey_of_line(const seen *s, size_t at, size_t end) {
    const char *text = (const char *)s->message->octets.data;
    const size_t name = strlen(KEY_MGMT), protocol = strlen(MIKEY);
    if (end - at < name + protocol + 2 || memcmp(text + at, KEY_MGMT, name) != 0)
        return (seen_range){0};
    at += name;
    while (at < end && text[at] == ' ')
        at++;
    if (end - at < protocol + 2 || memcmp(text + at, MIKEY " ", protocol + 1) != 0)
        return (seen_range){0};
    at += protocol;
    while (at < end && text[at] == ' ')
        at++;
    return (seen_range){at, end - at};
}

/* What the key management of the first medium is: its own attribute, else the session's (RFC 4567 §3.1.2). */
static void find_in_sdp(seen *s) {
    const uint8_t *data = s->message->octets.data;
    size_t media = 0, stop = s->body.at + s->body.len;
    for (size_t at = s->body.at, next; at < stop && media < 2; at = next) {
        const uint8_t *feed = memchr(data + at, '\n', stop - at);
        size_t end = feed ? (size_t)(feed - data) : stop;
        next = end + 1;
        if (end > at && data[end - 1] == '\r')
            end--;
        media += end - at >= 2 && memcmp(data + at, "m=", 2) == 0;
        seen_range text = mikey_of_line(s, at, end);
        bool nearer = s->place == SEEN_NOWHERE || (s->place == SEEN_SDP_SESSION && media == 1);
        if (text.len == 0 || media > 1 || !nearer)
            continue;
        s->place = media ? SEEN_SDP_MEDIA : SEEN_SDP_SESSION;
        s->mikey_text = text;
    }
}

static ibk_err read_mikey(seen *s) {
    ibk_span text = seen_octets(s, s->mikey_text);
    ibk_err err = s->place == SEEN_HTTP_BODY ? ibk_buf_append_span(&s->mikey, text)
                                             : ibk_base64_decode(&s->mikey, text, NULL);
    if (err)
        return err == IBK_ERR_NO_MEMORY ? err : IBK_OK;
    s->has_mikey = s->mikey.len > 0;
    s->data_type = s->mikey.len > 1 ? s->mikey.data[1] : 0xFF;
    err = ibk_msg_parse(&s->msg, ibk_buf_span(&s->mikey), NULL);
    s->parsed = !err;
    return err == IBK_ERR_NO_MEMORY ? err : IBK_OK;
}

/* ---- protocols --------------------------------------------------------------------------------------------
 */

static void read_sip(seen *s, const seen_world *world, const sip_scan *scan) {
    s->sip =
        read_status_line(s, scan->start_line, "SIP/2.0") || read_request_line(s, scan->start_line, "SIP/2.0");
    if (!s->sip)
        return;
    const char *call_id = field_value(scan, "Call-ID"), *cseq = field_value(scan, "CSeq");
    if (call_id && copy_text(s->call_id, sizeof s->call_id, call_id, strlen(call_id)) && world->call_of)
        s->call = world->call_of(world->user, s->call_id);
    size_t digits = cseq ? strcspn(cseq, " ") : 0;
    uint64_t number = 0;
    if (digits && sip_number(cseq, digits, UINT32_MAX, &number)) {
        const char *method = cseq + digits + strspn(cseq + digits, " ");
        s->cseq = (uint32_t)number;
        if (!s->request)
            copy_text(s->method, sizeof s->method, method, strlen(method));
    }
    find_body(s, scan);
    s->sdp = s->body.len > 0 && is_type(scan, "application/sdp");
    if (s->sdp)
        find_in_sdp(s);
}

static void read_http(seen *s, const sip_scan *scan) {
    s->http = read_status_line(s, scan->start_line, "HTTP/1.1") ||
              read_request_line(s, scan->start_line, "HTTP/1.1");
    if (!s->http)
        return;
    find_body(s, scan);
    if (s->body.len == 0 || !is_type(scan, "application/mikey"))
        return;
    s->place = SEEN_HTTP_BODY;
    s->mikey_text = s->body;
}

ibk_err seen_read(seen *out, const seen_world *world, const tap_message *message) {
    *out = (seen){.message = message,
                  .sender = node_of(world, &message->from),
                  .receiver = node_of(world, &message->to),
                  .data_type = 0xFF};
    if (message->kind != TAP_SIP && message->kind != TAP_HTTP)
        return IBK_OK;
    sip_arena arena = {0};
    sip_scan scan;
    ibk_err err = sip_scan_header(&arena, &scan, message->octets, NULL);
    if (!err) {
        out->header = (seen_range){0, scan.header_len};
        if (message->kind == TAP_SIP)
            read_sip(out, world, &scan);
        else
            read_http(out, &scan);
    }
    bool memory = err == IBK_ERR_NO_MEMORY || arena.failed;
    sip_arena_free(&arena);
    if (memory)
        return IBK_ERR_NO_MEMORY;
    return out->place == SEEN_NOWHERE ? IBK_OK : read_mikey(out);
}

void seen_clear(seen *s) {
    ibk_msg_free(&s->msg);
    ibk_buf_free(&s->mikey);
    *s = (seen){0};
}

const char *seen_label(char out[SEEN_TEXT_MAX], const seen *s) {
    static const char *const kinds[] = {
        [TAP_SIP] = "SIP", [TAP_HTTP] = "HTTP", [TAP_MEDIA] = "media", [TAP_PACKET] = "packet"};
    const char *name = s->has_mikey ? ibk_msg_type_name(s->data_type) : NULL;
    if (name && strcmp(name, "unknown") != 0)
        snprintf(out, SEEN_TEXT_MAX, "%s", name);
    else if (s->status)
        snprintf(out, SEEN_TEXT_MAX, "%u", s->status);
    else
        snprintf(out, SEEN_TEXT_MAX, "%s", s->request ? s->method : kinds[s->message->kind]);
    return out;
}

/* ---- records ----------------------------------------------------------------------------------------------
 */

ibk_err seen_record_set(seen_record *out, const seen *s) {
    ibk_buf_clear(&out->octets);
    ibk_buf_clear(&out->mikey);
    ibk_err err = ibk_buf_append_span(&out->octets, s->message->octets);
    if (!err)
        err = ibk_buf_append_span(&out->mikey, ibk_buf_span(&s->mikey));
    out->message = *s->message;
    out->message.octets = ibk_buf_span(&out->octets);
    return err;
}

void seen_record_free(seen_record *record) {
    ibk_buf_free(&record->octets);
    ibk_buf_free(&record->mikey);
    *record = (seen_record){0};
}
