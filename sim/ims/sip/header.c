/* The header fields that are kept as text. */
#include "ims/sip/message.h"
#include "ims/sip/scan.h"
#include "ims/sip/text.h"

#include <stdio.h>
#include <strings.h>

void sip_header_add(sip_msg *msg, const char *name, const char *value) {
    sip_header *list = sip_arena_grow(&msg->arena, msg->header, msg->header_count, sizeof *list);
    if (!list)
        return;
    list[msg->header_count].name = sip_arena_str(&msg->arena, sip_canonical_name(name));
    list[msg->header_count].value = sip_arena_str(&msg->arena, value);
    msg->header = list;
    msg->header_count++;
}

void sip_header_push(sip_msg *msg, const char *name, const char *value) {
    sip_header_add(msg, name, value);
    if (msg->arena.failed)
        return;
    size_t last = msg->header_count - 1, at = 0;
    while (at < last && strcasecmp(msg->header[at].name, msg->header[last].name) != 0)
        at++;
    sip_header added = msg->header[last];
    memmove(&msg->header[at + 1], &msg->header[at], (last - at) * sizeof added);
    msg->header[at] = added;
}

void sip_header_addf(sip_msg *msg, const char *name, const char *format, ...) {
    char stack[512];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(stack, sizeof stack, format, args);
    va_end(args);
    if (len >= 0 && (size_t)len < sizeof stack) {
        sip_header_add(msg, name, stack);
        return;
    }
    char *text = len < 0 ? NULL : sip_arena_alloc(&msg->arena, (size_t)len + 1);
    if (!text)
        return;
    va_start(args, format);
    vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    sip_header_add(msg, name, text);
}

void sip_header_set(sip_msg *msg, const char *name, const char *value) {
    sip_header_drop(msg, name);
    sip_header_add(msg, name, value);
}

void sip_header_drop(sip_msg *msg, const char *name) {
    const char *canonical = sip_canonical_name(name);
    size_t kept = 0;
    for (size_t i = 0; i < msg->header_count; i++)
        if (strcasecmp(msg->header[i].name, canonical) != 0)
            msg->header[kept++] = msg->header[i];
    msg->header_count = kept;
}

const char *sip_header_at(const sip_msg *msg, const char *name, size_t index) {
    const char *canonical = sip_canonical_name(name);
    for (size_t i = 0; i < msg->header_count; i++)
        if (strcasecmp(msg->header[i].name, canonical) == 0 && index-- == 0)
            return msg->header[i].value;
    return NULL;
}

const char *sip_header_get(const sip_msg *msg, const char *name) {
    return sip_header_at(msg, name, 0);
}

bool sip_header_has_token(const sip_msg *msg, const char *name, const char *token) {
    size_t want = strlen(token);
    const char *value;
    for (size_t i = 0; (value = sip_header_at(msg, name, i)); i++) {
        while (*value) {
            value += strspn(value, " ,");
            size_t len = strcspn(value, " ,;");
            if (len == want && strncasecmp(value, token, len) == 0)
                return true;
            value += strcspn(value, ",");
        }
    }
    return false;
}

bool sip_header_u32(const sip_msg *msg, const char *name, uint32_t *out) {
    uint64_t number;
    if (!sip_number_str(sip_header_get(msg, name), UINT32_MAX, &number))
        return false;
    *out = (uint32_t)number;
    return true;
}

/* delta-seconds: RFC 3261 §25.1. What is more than 32 bits hold is what they hold at most. */
static uint64_t delta_seconds(const char *text, size_t len, uint64_t malformed) {
    uint64_t seconds;
    if (len == 0 || strspn(text, "0123456789") < len)
        return malformed;
    return sip_number(text, len, UINT32_MAX, &seconds) ? seconds : UINT32_MAX;
}

uint64_t sip_contact_expires(const sip_name_addr *contact, uint64_t absent) {
    const char *text = sip_param_get(&contact->params, "expires");
    return text ? delta_seconds(text, strlen(text), 3600) : absent;
}

uint64_t sip_session_expires(const sip_msg *msg) {
    const char *text = sip_header_get(msg, "Session-Expires");
    return text ? delta_seconds(text, strcspn(text, " ;"), 0) : 0;
}

ibk_err sip_header_addrs(sip_msg *msg, const char *name, sip_name_addr **out, size_t *count, ibk_diag *diag) {
    const char *value;
    *out = NULL;
    *count = 0;
    for (size_t i = 0; (value = sip_header_at(msg, name, i)); i++) {
        for (;;) {
            sip_name_addr *list = sip_arena_grow(&msg->arena, *out, *count, sizeof *list);
            if (!list)
                return IBK_ERR_NO_MEMORY;
            if (*count == SIP_MAX_LIST)
                return ibk_fail(diag, IBK_ERR_LIMIT, "address list", 0, "over %d values", SIP_MAX_LIST);
            value += strspn(value, " ");
            size_t len = sip_element_len(value);
            ibk_err err = sip_name_addr_parse(&msg->arena, &list[*count],
                                              sip_arena_strn(&msg->arena, value, len), diag);
            if (!err && !list[*count].uri.scheme)
                err = ibk_fail(diag, IBK_ERR_BAD_TEXT, "address list", 0, "no URI");
            if (err)
                return err;
            *out = list;
            ++*count;
            value += len;
            if (*value++ != ',')
                break;
        }
    }
    return IBK_OK;
}

void sip_header_add_addr(sip_msg *msg, const char *name, const sip_name_addr *addr) {
    sip_header_add(msg, name, sip_name_addr_text(&msg->arena, addr));
}

/* ---- single fields ------------------------------------------------------------------------------- */

bool sip_rack_get(sip_msg *msg, sip_rack *out) {
    const char *value = sip_header_get(msg, "RAck");
    uint64_t rseq, cseq;
    if (!value)
        return false;
    size_t len = strcspn(value, " ");
    if (!sip_number(value, len, UINT32_MAX, &rseq))
        return false;
    value += len + strspn(value + len, " ");
    len = strcspn(value, " ");
    if (!sip_number(value, len, INT32_MAX, &cseq))
        return false;
    value += len + strspn(value + len, " ");
    if (!sip_is_token(value, strlen(value)))
        return false;
    *out = (sip_rack){(uint32_t)rseq, (uint32_t)cseq, value};
    return true;
}

void sip_rack_set(sip_msg *msg, const sip_rack *rack) {
    sip_header_drop(msg, "RAck");
    sip_header_addf(msg, "RAck", "%u %u %s", rack->rseq, rack->cseq, rack->method);
}

void sip_reason_set(sip_msg *msg, const char *protocol, int cause, const char *text) {
    sip_header_drop(msg, "Reason");
    sip_header_addf(msg, "Reason", "%s;cause=%d%s%s", protocol, cause, text ? ";text=" : "",
                    text ? sip_arena_quoted(&msg->arena, text) : "");
}

void sip_warning_add(sip_msg *msg, int code, const char *agent, const char *text) {
    sip_header_addf(msg, "Warning", "%03d %s %s", code, agent, sip_arena_quoted(&msg->arena, text));
}
