/* Parser cases: what stands inside IBAKE, ESK and KEMAC when it has been decrypted (P-4). */
#include "conformance/cases/parse.h"

#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <string.h>

enum { ECCPT = 25, SK = 24, KEY_DATA = 20 };

static void put(suite_trial *t, ibk_buf *b, const void *octets, size_t n) {
    suite_sure(t, ibk_buf_append(b, octets, n), "writing");
}

static void put_u8(suite_trial *t, ibk_buf *b, unsigned value) {
    put(t, b, &(uint8_t){(uint8_t)value}, 1);
}

static void put_u16(suite_trial *t, ibk_buf *b, size_t value) {
    put_u8(t, b, (unsigned)(value >> 8));
    put_u8(t, b, (unsigned)value);
}

static void put_idr(suite_trial *t, ibk_buf *b, unsigned next, unsigned role, const char *id) {
    put_u8(t, b, next);
    put_u8(t, b, role);
    put_u8(t, b, 1); /* URI */
    put_u16(t, b, strlen(id));
    put(t, b, id, strlen(id));
}

/* How an ECCPT is bent. */
typedef struct eccpt {
    unsigned padding; /* value of the padding octets */
    size_t extra;     /* further padding octets */
    bool compressed;
    unsigned curve;     /* 0: P-256 */
    unsigned auth, tgk; /* ignored by who receives it (RFC 6267 §6.1.4) */
    unsigned kv;
} eccpt;

static void put_eccpt(suite_trial *t, ibk_buf *b, unsigned next, const eccpt *e) {
    uint8_t point[80];
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    size_t n = EC_POINT_point2oct(group, EC_GROUP_get0_generator(group),
                                  e->compressed ? POINT_CONVERSION_COMPRESSED : POINT_CONVERSION_UNCOMPRESSED,
                                  point, sizeof point, NULL);
    EC_GROUP_free(group);
    put_u8(t, b, next);
    put_u8(t, b, e->curve ? e->curve : 8);
    put(t, b, point, n);
    for (size_t i = 0; i < (4 - (2 + n) % 4) % 4 + e->extra; i++) /* P-3 */
        put_u8(t, b, e->padding);
    put_u8(t, b, e->auth);
    put_u16(t, b, e->tgk);
    put_u8(t, b, e->kv);
}

typedef struct content {
    const char *what, *name, *title, *ids;
    eccpt bent;
    unsigned last; /* next payload of the last sub-payload */
    bool cut, trailing, no_idr, twice;
    bool taken;
} content;

#define OK .taken = true
static const content contents[] = {
    {"ibake", "whole", "IDRi, ECCPT, IDRr", "P-4 6267-97", OK},
    {"ibake", "compressed", "a compressed point", "P-3", .bent = {.compressed = true}, OK},
    {"ibake", "auth-and-tgk-set", "authentication algorithm and TGK length are not 0", "6267-100",
     .bent = {.auth = 1, .tgk = 16}, OK},
    {"ibake", "padding-not-zero", "the padding of the point is not zero", "P-3 6267-99",
     .bent = {.compressed = true, .padding = 1}},
    {"ibake", "padding-longer", "four octets of padding too many", "P-3 6267-99", .bent = {.extra = 4}},
    {"ibake", "curve-unknown", "a curve that is in no registry", "P-21", .bent = {.curve = 200}},
    {"ibake", "kv-unknown", "an unknown type of key validity", "P-3 6267-100", .bent = {.kv = 9}},
    {"ibake", "cut", "the last octet is missing", "P-4", .cut = true},
    {"ibake", "trailing", "an octet follows", "P-4 6267-97", .trailing = true},
    {"ibake", "next-not-0", "the last sub-payload announces another", "P-4 6267-97", .last = 14},
    {"ibake", "no-idr", "it begins without an IDR", "P-4", .no_idr = true},
    {"esk", "whole", "IDRi and SK", "P-4 6267-101", OK},
    {"esk", "cut", "the last octet is missing", "P-4", .cut = true},
    {"esk", "trailing", "an octet follows", "P-4", .trailing = true},
    {"esk", "next-not-0", "the last sub-payload announces another", "P-4", .last = 14},
    {"kemac", "whole", "IDR and Key data", "P-4 P-10", OK},
    {"kemac", "cut", "the last octet is missing", "P-4", .cut = true},
    {"kemac", "trailing", "an octet follows", "P-4", .trailing = true},
    {"kemac", "next-not-0", "the last sub-payload announces another", "P-4", .last = 14},
};

static void write_ibake(suite_trial *t, const content *c, ibk_buf *b) {
    if (!c->no_idr)
        put_idr(t, b, ECCPT, 1, "sip:alice@home.example");
    put_eccpt(t, b, SUITE_IDR, &c->bent);
    put_idr(t, b, c->last, 2, "sip:bob@home.example");
}

static void write_esk(suite_trial *t, const content *c, ibk_buf *b) {
    static const uint8_t key[16] = {1, 2, 3};
    put_idr(t, b, SK, 1, "sip:alice@home.example");
    put_u8(t, b, c->last);
    put_u8(t, b, 1 << 4); /* SK, no key validity */
    put_u16(t, b, sizeof key);
    put(t, b, key, sizeof key);
}

static void write_kemac(suite_trial *t, const content *c, ibk_buf *b) {
    ibk_span key = suite_private_key(t, 1024, ibk_span_str("sip:alice@home.example20261124"));
    put_u8(t, b, KEY_DATA);
    put_u8(t, b, 1);
    put_u8(t, b, 2); /* byte string: an IBE identity (P-10) */
    put_u16(t, b, 30);
    put(t, b, "sip:alice@home.example20261124", 30);
    put_u8(t, b, c->last);
    put_u8(t, b, 7 << 4); /* K_PR, no key validity */
    put_u16(t, b, key.len);
    put(t, b, key.data, key.len);
}

static void run_content(suite_trial *t, const void *arg) {
    const content *c = arg;
    ibk_buf *b = suite_buf(t);
    if (strcmp(c->what, "ibake") == 0)
        write_ibake(t, c, b);
    else if (strcmp(c->what, "esk") == 0)
        write_esk(t, c, b);
    else
        write_kemac(t, c, b);
    if (c->trailing)
        put_u8(t, b, 0);
    if (c->cut)
        suite_sure(t, ibk_buf_resize(b, b->len - 1), "cutting");
    const char *id = suite_text(t, "%.*s", (int)strcspn(c->ids, " "), c->ids);
    if (!c->taken)
        parse_refused(t, c->what, ibk_buf_span(b), "", "malformed|encoding|unsupported|payload", id);
    else if (c->bent.compressed || c->bent.auth)
        suite_do(t, SUITE_A, id, "parse",
                 suite_json(t, "{'what': '%s', 'octets': '%s'}", c->what, suite_base64(t, ibk_buf_span(b))));
    else
        parse_taken(t, c->what, ibk_buf_span(b), "", ibk_buf_span(b), id);
}

void cases_parser_contents(suite_list *list) {
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        const content *k = &contents[i];
        suite_case c = {suite_list_text(list, "parser/%s-content/%s", k->what, k->name),
                        k->title,
                        k->ids,
                        "roles:parser",
                        run_content,
                        k};
        suite_add(list, &c);
    }
}
