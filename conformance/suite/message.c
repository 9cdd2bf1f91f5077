/* Header and payload chain: see message.h. */
#include "conformance/suite/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct cursor {
    suite_message *m;
    size_t at;
} cursor;

static bool wrong(cursor *c, const char *why) {
    if (!c->m->wrong)
        c->m->wrong = why;
    return false;
}

static bool skip(cursor *c, size_t n) {
    if (n > c->m->octets.len - c->at)
        return wrong(c, "it ends inside a field");
    c->at += n;
    return true;
}

static bool number(cursor *c, size_t octets, uint32_t *out) {
    size_t at = c->at;
    *out = 0;
    if (!skip(c, octets))
        return false;
    for (; at < c->at; at++)
        *out = *out << 8 | c->m->octets.data[at];
    return true;
}

/* ---- header ---- */

static bool generic_session(cursor *c) {
    uint32_t flags, data, spi;
    return skip(c, 2) && number(c, 1, &flags) && skip(c, flags & 0x7F) && number(c, 2, &data) &&
           skip(c, data) && number(c, 1, &spi) && skip(c, spi);
}

static bool map(cursor *c) {
    suite_message *m = c->m;
    if (m->map_type == 0)
        return skip(c, (size_t)9 * m->n_cs);
    if (m->map_type == 1)
        return true;
    if (m->map_type != 2)
        return wrong(c, "unknown CS ID map type");
    for (unsigned i = 0; i < m->n_cs; i++)
        if (!generic_session(c))
            return false;
    return true;
}

static bool header(cursor *c, uint32_t *next) {
    suite_message *m = c->m;
    uint32_t version = 0, type = 0, flags = 0, n_cs = 0, map_type = 0;
    bool read = number(c, 1, &version) && number(c, 1, &type) && number(c, 1, next) && number(c, 1, &flags) &&
                number(c, 4, &m->csb_id) && number(c, 1, &n_cs) && number(c, 1, &map_type);
    m->version = version;
    m->data_type = type;
    m->v_flag = flags >> 7;
    m->prf = flags & 0x7F;
    m->n_cs = n_cs;
    m->map_type = map_type;
    read = read && map(c);
    m->header_len = c->at;
    return read;
}

/* ---- payloads ---- */

static bool mac(cursor *c) {
    uint32_t alg;
    return number(c, 1, &alg) &&
           (alg > 2 ? wrong(c, "unknown MAC algorithm") : skip(c, (size_t[]){0, 20, 32}[alg]));
}

static bool lengthy(cursor *c, size_t before, size_t octets, suite_payload *p) {
    uint32_t len;
    if (!skip(c, before) || !number(c, octets, &len))
        return false;
    p->data = c->at;
    p->data_len = len;
    return skip(c, len);
}

static bool timestamp(cursor *c, suite_payload *p) {
    uint32_t type;
    if (!number(c, 1, &type))
        return false;
    if (type > 3)
        return wrong(c, "unknown type of timestamp");
    p->data = c->at;
    p->data_len = type < 2 ? 8 : 4;
    return skip(c, p->data_len);
}

static bool signature(cursor *c, suite_payload *p) {
    uint32_t len;
    if (!number(c, 2, &len))
        return false;
    p->data = c->at;
    p->data_len = len & 0xFFF;
    return skip(c, p->data_len);
}

static bool envelope(cursor *c, suite_payload *p) {
    uint32_t len;
    if (!number(c, 2, &len))
        return false;
    p->data = c->at;
    p->data_len = len & 0x3FFF;
    return skip(c, p->data_len);
}

static bool hash(cursor *c, suite_payload *p) {
    uint32_t alg;
    if (!number(c, 1, &alg))
        return false;
    p->data = c->at;
    p->data_len = alg == 0 ? 20 : 16;
    return skip(c, p->data_len);
}

static bool verification(cursor *c, suite_payload *p) {
    p->data = c->at + 1;
    bool read = mac(c);
    p->data_len = read ? c->at - p->data : 0;
    return read;
}

static bool content(cursor *c, suite_payload *p) {
    switch (p->type) {
    case SUITE_KEMAC:
        return lengthy(c, 1, 2, p) && mac(c);
    case SUITE_PKE:
        return envelope(c, p);
    case SUITE_SIGN:
        return signature(c, p);
    case SUITE_T:
        return timestamp(c, p);
    case SUITE_CERT:
    case SUITE_GENERAL:
        return lengthy(c, 1, 2, p);
    case SUITE_CHASH:
        return hash(c, p);
    case SUITE_V:
        return verification(c, p);
    case SUITE_SP:
    case SUITE_IDR:
        return lengthy(c, 2, 2, p);
    case SUITE_RAND:
        return lengthy(c, 0, 1, p);
    case SUITE_ERR:
        p->data = c->at;
        p->data_len = 3;
        return skip(c, 3);
    case SUITE_IBAKE:
    case SUITE_ESK:
        return lengthy(c, 0, 2, p);
    default:
        return wrong(c, "unknown payload");
    }
}

void suite_message_read(suite_message *out, ibk_span octets) {
    *out = (suite_message){.octets = octets};
    cursor c = {.m = out};
    uint32_t next = 0;
    if (!header(&c, &next))
        return;
    while (next != 0 && out->n < SUITE_PAYLOADS_MAX) {
        suite_payload p = {.type = next, .offset = c.at};
        if (next == SUITE_SIGN)
            next = 0;
        else if (!number(&c, 1, &next))
            return;
        if (!content(&c, &p))
            return;
        p.len = c.at - p.offset;
        out->payloads[out->n++] = p;
    }
    if (next != 0)
        out->wrong = "too many payloads";
    else if (c.at != octets.len)
        out->wrong = "octets follow the last payload";
}

const suite_payload *suite_message_find(const suite_message *m, unsigned type, size_t nth) {
    for (size_t i = 0; i < m->n; i++)
        if (m->payloads[i].type == type && nth-- == 0)
            return &m->payloads[i];
    return NULL;
}

const suite_payload *suite_message_idr(const suite_message *m, unsigned role) {
    for (size_t i = 0; i < m->n; i++)
        if (m->payloads[i].type == SUITE_IDR && m->octets.data[m->payloads[i].offset + 1] == role)
            return &m->payloads[i];
    return NULL;
}

ibk_span suite_payload_data(const suite_message *m, const suite_payload *p) {
    return p ? ibk_span_of(m->octets.data + p->data, p->data_len) : (ibk_span){0};
}

ibk_span suite_payload_whole(const suite_message *m, const suite_payload *p) {
    return p ? ibk_span_of(m->octets.data + p->offset, p->len) : (ibk_span){0};
}

/* ---- for people ---- */

const char *suite_data_type_name(unsigned type) {
    static const char *const exchange[] = {"REQUEST_KEY_PSK", "REQUEST_KEY_PKE", "REQUEST_KEY_RESP",
                                           "I_MESSAGE_1",     "R_MESSAGE_1",     "I_MESSAGE_2",
                                           "R_MESSAGE_2"};
    if (type == SUITE_ERROR_MESSAGE)
        return "Error";
    return type >= SUITE_REQUEST_KEY_PSK && type <= SUITE_R_MESSAGE_2 ? exchange[type - SUITE_REQUEST_KEY_PSK]
                                                                      : "unknown message";
}

const char *suite_payload_name(unsigned type) {
    static const char *const names[] = {
        [SUITE_KEMAC] = "KEMAC", [SUITE_PKE] = "PKE",   [SUITE_SIGN] = "SIGN",
        [SUITE_T] = "T",         [SUITE_CERT] = "CERT", [SUITE_CHASH] = "CHASH",
        [SUITE_V] = "V",         [SUITE_SP] = "SP",     [SUITE_RAND] = "RAND",
        [SUITE_ERR] = "ERR",     [SUITE_IDR] = "IDR",   [SUITE_GENERAL] = "General Extension",
        [SUITE_IBAKE] = "IBAKE", [SUITE_ESK] = "ESK",
    };
    return type < sizeof names / sizeof names[0] && names[type] ? names[type] : "unknown payload";
}

static void put(ibk_buf *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(ibk_buf *out, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n > 0)
        (void)ibk_buf_append(out, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

static void describe_identity(const suite_message *m, const suite_payload *p, ibk_buf *out) {
    put(out, "(role %u, ", m->octets.data[p->offset + 1]);
    for (size_t i = 0; i < p->data_len && i < 80; i++) {
        uint8_t octet = m->octets.data[p->data + i];
        put(out, "%c", octet >= 0x20 && octet < 0x7F ? octet : '.');
    }
    put(out, ")");
}

static void describe_payload(const suite_message *m, const suite_payload *p, ibk_buf *out) {
    const uint8_t *head = m->octets.data + p->offset;
    put(out, "%s", suite_payload_name(p->type));
    if (p->type == SUITE_IDR)
        describe_identity(m, p, out);
    else if (p->type == SUITE_T)
        put(out, "(type %u, ", head[1]);
    else if (p->type == SUITE_ERR)
        put(out, "(number %u)", head[1]);
    else if (p->data_len > 0)
        put(out, "(%zu octets)", p->data_len);
    for (size_t i = 0; p->type == SUITE_T && i < p->data_len; i++)
        put(out, "%02x%s", m->octets.data[p->data + i], i + 1 == p->data_len ? ")" : "");
}

void suite_message_describe(const suite_message *m, ibk_buf *out) {
    if (m->octets.len < 10) {
        put(out, "%zu octets, too short for a header", m->octets.len);
        return;
    }
    put(out,
        "%s of %zu octets: HDR(version %u, data type %u, V %u, PRF %u, CSB ID %08x, #CS %u, map type %u)",
        suite_data_type_name(m->data_type), m->octets.len, m->version, m->data_type, m->v_flag, m->prf,
        (unsigned)m->csb_id, m->n_cs, m->map_type);
    for (size_t i = 0; i < m->n; i++) {
        put(out, " ");
        describe_payload(m, &m->payloads[i], out);
    }
    if (m->wrong)
        put(out, "; %s", m->wrong);
}
