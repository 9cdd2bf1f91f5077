#include "mikey/describe.h"
#include "mikey/payload.h"

enum { SHOWN = 96 }; /* octets of a long field that its text shows */

static void emit(ibk_desc *d, ibk_field *field) {
    field->offset = d->base + d->rd.pos;
    field->depth = d->depth;
    d->fn(d->user, field);
}

uint64_t ibk_desc_peek(ibk_desc *d, size_t width) {
    size_t at = d->rd.pos;
    uint64_t value = 0;
    uint8_t octet;
    for (size_t i = 0; i < width && ibk_rd_u8(&d->rd, &octet); i++)
        value = value << 8 | octet;
    d->rd.pos = at;
    return value;
}

size_t ibk_desc_left(const ibk_desc *d) {
    return ibk_rd_left(&d->rd);
}

void ibk_desc_skip(ibk_desc *d, size_t width) {
    ibk_span ignored;
    (void)ibk_rd_span(&d->rd, width, &ignored);
}

void ibk_desc_say(ibk_desc *d, const char *name, size_t width, uint64_t value, const char *text) {
    if (ibk_desc_left(d) < width)
        return;
    emit(d, &(ibk_field){.name = name, .len = width, .has_number = true, .number = value, .text = text});
    ibk_desc_skip(d, width);
}

/* A text that grows, and is cut where its room ends. Not snprintf: whoever describes each message that a
 * fuzzer makes spends most of the time in it. */
typedef struct line {
    char *at;
    size_t left; /* with the terminating zero */
} line;

static line begin(char *text, size_t size) {
    *text = 0;
    return (line){text, size};
}

static void put(line *l, char c) {
    if (l->left < 2)
        return;
    *l->at++ = c;
    *l->at = 0;
    l->left--;
}

static void put_text(line *l, const char *text) {
    while (*text)
        put(l, *text++);
}

static void put_decimal(line *l, uint64_t value) {
    char digits[20];
    size_t n = 0;
    do
        digits[n++] = (char)('0' + value % 10);
    while (value /= 10);
    while (n > 0)
        put(l, digits[--n]);
}

static void put_hex(line *l, uint64_t value, size_t octets) {
    for (size_t n = 2 * octets; n-- > 0;)
        put(l, "0123456789abcdef"[value >> 4 * n & 15]);
}

static void number_text(char *text, size_t size, uint64_t value, ibk_name_fn *names) {
    line l = begin(text, size);
    put_decimal(&l, value);
    if (!names)
        return;
    put_text(&l, " (");
    put_text(&l, names((uint8_t)value));
    put(&l, ')');
}

uint8_t ibk_desc_u8(ibk_desc *d, const char *name, ibk_name_fn *names) {
    char text[64];
    uint8_t value = (uint8_t)ibk_desc_peek(d, 1);
    number_text(text, sizeof text, value, names);
    ibk_desc_say(d, name, 1, value, text);
    return value;
}

uint64_t ibk_desc_num(ibk_desc *d, const char *name, size_t width) {
    char text[32];
    uint64_t value = ibk_desc_peek(d, width);
    number_text(text, sizeof text, value, NULL);
    ibk_desc_say(d, name, width, value, text);
    return value;
}

void ibk_desc_hex32(ibk_desc *d, const char *name) {
    char text[16];
    line l = begin(text, sizeof text);
    uint64_t value = ibk_desc_peek(d, 4);
    put_text(&l, "0x");
    put_hex(&l, value, 4);
    ibk_desc_say(d, name, 4, value, text);
}

void ibk_desc_bits(ibk_desc *d, const char *name, size_t width, uint64_t value, ibk_name_fn *names) {
    char text[64];
    number_text(text, sizeof text, value, names);
    if (ibk_desc_left(d) >= width)
        emit(d, &(ibk_field){.name = name, .len = width, .has_number = true, .number = value, .text = text});
}

static bool printable(ibk_span span) {
    for (size_t i = 0; i < span.len; i++)
        if (span.data[i] < 0x20 || span.data[i] > 0x7E)
            return false;
    return span.len > 0;
}

static void octets_text(char *text, size_t size, ibk_span span, bool as_text) {
    line l = begin(text, size);
    for (size_t i = 0; i < span.len && i < SHOWN; i++) {
        uint8_t c = span.data[i];
        bool plain = as_text && c >= 0x20 && c <= 0x7E && c != '\\';
        if (plain)
            put(&l, (char)c);
        else {
            put_text(&l, as_text ? "\\x" : "");
            put_hex(&l, c, 1);
        }
    }
    if (span.len > SHOWN)
        put_text(&l, "…");
}

void ibk_desc_octets(ibk_desc *d, const char *name, size_t len, enum ibk_desc_style style) {
    size_t at = d->rd.pos;
    ibk_span span;
    if (len == 0 || !ibk_rd_span(&d->rd, len, &span))
        return;
    d->rd.pos = at;
    char text[SHOWN * 4 + 8] = "";
    octets_text(text, sizeof text, span,
                style == IBK_DESC_TEXT || (style == IBK_DESC_AUTO && printable(span)));
    emit(d, &(ibk_field){
                .name = name, .len = len, .secret = style == IBK_DESC_SECRET, .text = text, .octets = span});
    if (style == IBK_DESC_SECRET)
        ibk_wipe(text, sizeof text);
    ibk_desc_skip(d, len);
}

void ibk_desc_rest(ibk_desc *d, const char *name, enum ibk_desc_style style) {
    ibk_desc_octets(d, name, ibk_desc_left(d), style);
}

void ibk_desc_next(ibk_desc *d) {
    ibk_desc_u8(d, "next payload", ibk_payload_name);
}

void ibk_describe_payload(const ibk_payload *payload, ibk_field_fn *fn, void *user) {
    const ibk_payload_ops *ops = ibk_payload_ops_of(payload->type);
    if (!ops || payload->octets.len == 0)
        return;
    ibk_desc d = {.base = payload->offset, .fn = fn, .user = user};
    ibk_rd_init(&d.rd, payload->octets);
    ops->describe(&d);
}
