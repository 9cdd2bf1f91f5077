/* ibakelab: capture files, pcap and pcapng, read a record at a time, and their link layers. */
#include "cli/decode.h"

#include <stdlib.h>
#include <string.h>

#define MAX_RECORD     ((size_t)262144 + 4096) /* tcpdump's largest snap length and a block's own fields */
#define MAX_INTERFACES 256

enum { LINK_ETHERNET = 1, LINK_PPP = 9, LINK_RAW = 101, LINK_SLL = 113, LINK_IPV4 = 228, LINK_IPV6 = 229 };
enum { BLOCK_SECTION = 0x0A0D0D0A, BLOCK_INTERFACE = 1, BLOCK_SIMPLE = 3, BLOCK_PACKET = 6 };
enum { PCAP_MICRO = 0xA1B2C3D4, PCAP_NANO = 0xA1B23C4D, PCAPNG_ORDER = 0x1A2B3C4D };

typedef struct interface {
    unsigned link_type;
    uint64_t ticks; /* timestamp units a second */
} interface;

typedef struct reader {
    FILE *file;
    ibk_span first; /* read already */
    bool swapped;
    uint64_t at; /* octets read */
    uint8_t *record;
    ibk_diag *diag;
    decoder *d;
    decode_ip_state *ip;
    decode_origin origin;
    interface interfaces[MAX_INTERFACES]; /* pcapng */
    size_t interface_count;
} reader;

bool decode_is_capture(ibk_span first) {
    static const uint8_t magics[][4] = {{0xA1, 0xB2, 0xC3, 0xD4},
                                        {0xD4, 0xC3, 0xB2, 0xA1},
                                        {0xA1, 0xB2, 0x3C, 0x4D},
                                        {0x4D, 0x3C, 0xB2, 0xA1},
                                        {0x0A, 0x0D, 0x0D, 0x0A}};
    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++)
        if (first.len >= 4 && memcmp(first.data, magics[i], 4) == 0)
            return true;
    return false;
}

static size_t read_some(reader *r, uint8_t *out, size_t len) {
    size_t early = len < r->first.len ? len : r->first.len;
    if (early)
        memcpy(out, r->first.data, early);
    r->first = ibk_span_of(r->first.data + early, r->first.len - early);
    size_t got = early;
    if (got < len)
        got += fread(out + got, 1, len - got, r->file);
    r->at += got;
    return got;
}

static ibk_err refuse(reader *r, ibk_err err, const char *detail) {
    return ibk_fail(r->diag, err, "capture file", (size_t)r->at, "%s", detail);
}

/* Exactly len octets. *end (may be NULL) is set if there is not even one. */
static ibk_err read_exact(reader *r, uint8_t *out, size_t len, bool *end) {
    size_t got = read_some(r, out, len);
    if (got == len)
        return IBK_OK;
    if (ferror(r->file))
        return refuse(r, IBK_ERR_IO, "read error");
    if (got == 0 && end) {
        *end = true;
        return IBK_OK;
    }
    return refuse(r, IBK_ERR_TRUNCATED, "the file ends inside a record");
}

static uint32_t get32(const reader *r, const uint8_t *p) {
    uint32_t big = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    return r->swapped ? __builtin_bswap32(big) : big;
}

static uint16_t get16(const reader *r, const uint8_t *p) {
    return (uint16_t)(r->swapped ? p[1] << 8 | p[0] : p[0] << 8 | p[1]);
}

static void set_time(decode_origin *o, uint64_t ticks, uint64_t unit) {
    o->time_s = ticks / unit;
    o->time_ns = (uint32_t)((unsigned __int128)(ticks % unit) * 1000000000u / unit);
}

static void frame(reader *r, unsigned link_type, ibk_span octets, size_t original) {
    r->origin.frame++;
    r->origin.frame_len = original;
    r->origin.captured = octets.len;
    decode_origin origin = r->origin;
    decode_frame(r->d, r->ip, &origin, link_type, octets);
}

static ibk_err check_link(reader *r, unsigned link_type) {
    if (decode_link_known(link_type))
        return IBK_OK;
    return ibk_fail(r->diag, IBK_ERR_UNSUPPORTED, "capture file", (size_t)r->at, "link type %u", link_type);
}

/* ---- pcap ------------------------------------------------------------------------------------------- */

static ibk_err read_pcap(reader *r) {
    uint8_t head[24], record[16];
    ibk_err err = read_exact(r, head, sizeof head, NULL);
    if (err)
        return err;
    r->swapped = head[0] != 0xA1;
    uint64_t unit = get32(r, head) == PCAP_NANO ? 1000000000u : 1000000u;
    unsigned link_type = get32(r, head + 20) & 0xFFFF;
    if ((err = check_link(r, link_type)))
        return err;
    for (bool end = false;;) {
        if ((err = read_exact(r, record, sizeof record, &end)) || end)
            return err;
        size_t len = get32(r, record + 8);
        if (len > MAX_RECORD)
            return refuse(r, IBK_ERR_LIMIT, "a record longer than any packet");
        if ((err = read_exact(r, r->record, len, NULL)))
            return err;
        uint64_t fraction = get32(r, record + 4);
        set_time(&r->origin, get32(r, record) * unit + (fraction < unit ? fraction : 0), unit);
        frame(r, link_type, ibk_span_of(r->record, len), get32(r, record + 12));
    }
}

/* ---- pcapng (draft-ietf-opsawg-pcapng) ----------------------------------------------------------------- */

/* if_tsresol: a power of ten, or with the top bit of two; microseconds without it. */
static uint64_t resolution(const reader *r, ibk_span options) {
    while (options.len >= 4) {
        unsigned code = get16(r, options.data), len = get16(r, options.data + 2);
        size_t padded = 4 + ((len + 3u) & ~3u);
        if (code == 0 || padded > options.len)
            break;
        if (code == 9 && len == 1) {
            uint8_t value = options.data[4];
            if (value & 0x80)
                return (value & 0x7F) < 64 ? UINT64_C(1) << (value & 0x7F) : 1000000u;
            uint64_t unit = 1;
            for (; value && unit < UINT64_MAX / 10; value--)
                unit *= 10;
            return value ? 1000000u : unit;
        }
        options = ibk_span_of(options.data + padded, options.len - padded);
    }
    return 1000000u;
}

static ibk_err add_interface(reader *r, ibk_span body) {
    if (body.len < 8)
        return refuse(r, IBK_ERR_TRUNCATED, "interface block");
    if (r->interface_count == MAX_INTERFACES)
        return refuse(r, IBK_ERR_LIMIT, "too many interfaces");
    interface *i = &r->interfaces[r->interface_count++];
    i->link_type = get16(r, body.data);
    i->ticks = resolution(r, ibk_span_of(body.data + 8, body.len - 8));
    return check_link(r, i->link_type);
}

static ibk_err add_packet(reader *r, ibk_span body) {
    if (body.len < 20)
        return refuse(r, IBK_ERR_TRUNCATED, "packet block");
    size_t index = get32(r, body.data), len = get32(r, body.data + 12);
    if (index >= r->interface_count || len > body.len - 20)
        return refuse(r, IBK_ERR_BAD_VALUE, "packet block");
    uint64_t ticks = (uint64_t)get32(r, body.data + 4) << 32 | get32(r, body.data + 8);
    set_time(&r->origin, ticks, r->interfaces[index].ticks);
    frame(r, r->interfaces[index].link_type, ibk_span_of(body.data + 20, len), get32(r, body.data + 16));
    return IBK_OK;
}

static ibk_err add_simple(reader *r, ibk_span body) {
    if (body.len < 4 || !r->interface_count)
        return refuse(r, IBK_ERR_BAD_VALUE, "simple packet block");
    size_t original = get32(r, body.data), len = original;
    if (len > body.len - 4)
        len = body.len - 4; /* cut by the interface's snap length */
    set_time(&r->origin, 0, 1);
    frame(r, r->interfaces[0].link_type, ibk_span_of(body.data + 4, len), original);
    return IBK_OK;
}

/* A section's first block tells the byte order, which its own length is written in. */
static ibk_err begin_section(reader *r, const uint8_t head[12]) {
    r->swapped = head[8] != 0x1A;
    r->interface_count = 0;
    return get32(r, head + 8) == PCAPNG_ORDER ? IBK_OK : refuse(r, IBK_ERR_BAD_VALUE, "byte-order magic");
}

static ibk_err read_block(reader *r, bool *end) {
    uint8_t head[12];
    ibk_err err = read_exact(r, head, sizeof head, end);
    if (err || *end)
        return err;
    uint32_t type = get32(r, head);
    if (head[0] == 0x0A && head[1] == 0x0D && head[2] == 0x0D && head[3] == 0x0A) {
        type = BLOCK_SECTION;
        if ((err = begin_section(r, head)))
            return err;
    }
    size_t len = get32(r, head + 4);
    if (len < 12 || len % 4 || len > MAX_RECORD)
        return refuse(r, IBK_ERR_BAD_LENGTH, "length of a block");
    if (len == 12) /* the last length is what was read as the first of the body */
        return IBK_OK;
    memcpy(r->record, head + 8, 4);
    if ((err = read_exact(r, r->record + 4, len - 12, NULL)))
        return err;
    ibk_span body = ibk_span_of(r->record, len - 12); /* without the length that is repeated at the end */
    switch (type) {
    case BLOCK_INTERFACE:
        return add_interface(r, body);
    case BLOCK_PACKET:
        return add_packet(r, body);
    case BLOCK_SIMPLE:
        return add_simple(r, body);
    default:
        return IBK_OK;
    }
}

static ibk_err read_pcapng(reader *r) {
    ibk_err err = IBK_OK;
    for (bool end = false; !err && !end;)
        err = read_block(r, &end);
    return err;
}

ibk_err decode_pcap(decoder *d, const char *name, FILE *file, ibk_span first, ibk_diag *diag) {
    reader *r = calloc(1, sizeof *r);
    uint8_t *record = malloc(MAX_RECORD);
    decode_ip_state *ip = decode_ip_new();
    ibk_err err = IBK_ERR_NO_MEMORY;
    if (r && record && ip) {
        *r = (reader){.file = file,
                      .first = first,
                      .record = record,
                      .diag = diag,
                      .d = d,
                      .ip = ip,
                      .origin = {.input = name, .kind = "pcap"}};
        err = first.data[0] == 0x0A ? read_pcapng(r) : read_pcap(r);
    }
    decode_ip_free(ip);
    free(record);
    free(r);
    return err;
}

/* ---- link layers -------------------------------------------------------------------------------------- */

bool decode_link_known(unsigned link_type) {
    switch (link_type) {
    case LINK_ETHERNET:
    case LINK_PPP:
    case LINK_RAW:
    case 12: /* LINKTYPE_RAW as some systems number it */
    case LINK_SLL:
    case LINK_IPV4:
    case LINK_IPV6:
        return true;
    default:
        return false;
    }
}
