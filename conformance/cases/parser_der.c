/* Parser cases: points on curves (P-3), parameters, private keys and ciphertexts in DER (RFC 5091 §8, P-2).
 */
#include "conformance/cases/parse.h"

#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <string.h>

/* ---- points ---- */

static const struct {
    const char *name;
    int nid;
    size_t len; /* of a coordinate */
} curves[] = {{"P-192", NID_X9_62_prime192v1, 24},
              {"P-224", NID_secp224r1, 28},
              {"P-256", NID_X9_62_prime256v1, 32},
              {"P-384", NID_secp384r1, 48},
              {"P-521", NID_secp521r1, 66}};

typedef enum point_fault {
    WHOLE,
    COMPRESSED,
    INFINITE,
    OFF_CURVE,
    HYBRID,
    CUT,
    LONGER,
    TAG,
    TOO_LARGE,
    POINT_FAULTS
} point_fault;
static const char *const fault_names[POINT_FAULTS] = {"uncompressed", "compressed",  "infinity",
                                                      "off-curve",    "hybrid",      "cut",
                                                      "longer",       "tag-unknown", "coordinate-too-large"};

typedef struct point_case {
    size_t curve;
    point_fault fault;
} point_case;

/* The generator, which is a point like any other. */
static size_t generator(suite_trial *t, int nid, point_conversion_form_t form, uint8_t *out, size_t size) {
    EC_GROUP *group = EC_GROUP_new_by_curve_name(nid);
    size_t n = group ? EC_POINT_point2oct(group, EC_GROUP_get0_generator(group), form, out, size, NULL) : 0;
    EC_GROUP_free(group);
    if (n == 0)
        suite_error(t, "no such curve in libcrypto");
    return n;
}

static size_t bend_point(uint8_t *octets, size_t n, size_t len, point_fault fault) {
    switch (fault) {
    case INFINITE:
        octets[0] = 0;
        return 1;
    case OFF_CURVE:
        octets[n - 1] ^= 1;
        return n;
    case CUT:
        return n - 1;
    case LONGER:
        octets[n] = 0;
        return n + 1;
    case TAG:
        octets[0] = 5;
        return n;
    case TOO_LARGE:
        memset(octets + 1, 0xFF, len);
        return n;
    default:
        return n;
    }
}

static void run_point(suite_trial *t, const void *arg) {
    const point_case *c = arg;
    uint8_t whole[140], octets[140];
    size_t n = generator(t, curves[c->curve].nid, POINT_CONVERSION_UNCOMPRESSED, whole, sizeof whole);
    point_conversion_form_t form = c->fault == COMPRESSED ? POINT_CONVERSION_COMPRESSED
                                   : c->fault == HYBRID   ? POINT_CONVERSION_HYBRID
                                                          : POINT_CONVERSION_UNCOMPRESSED;
    size_t len = generator(t, curves[c->curve].nid, form, octets, sizeof octets);
    len = bend_point(octets, len, curves[c->curve].len, c->fault);
    const char *more = suite_text(t, "'curve': '%s'", curves[c->curve].name);
    if (c->fault <= COMPRESSED)
        parse_taken(t, "point", ibk_span_of(octets, len), more, ibk_span_of(whole, n), "P-3");
    else
        parse_refused(t, "point", ibk_span_of(octets, len), more, "encoding|malformed", "P-3");
}

void cases_parser_points(suite_list *list) {
    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++)
        for (point_fault f = WHOLE; f < POINT_FAULTS; f++) {
            point_case *arg = suite_list_alloc(list, sizeof *arg);
            *arg = (point_case){i, f};
            suite_case c = {suite_list_text(list, "parser/point/%s/%s", curves[i].name, fault_names[f]),
                            f <= COMPRESSED ? "a point is taken" : "what is no point is refused",
                            "P-3 P-21",
                            suite_list_text(list, "roles:parser curves:%s", curves[i].name),
                            run_point,
                            arg};
            suite_add(list, &c);
        }
}

/* ---- DER ---- */

typedef struct element {
    size_t offset, content, len; /* of the tag; of the content */
} element;

/* The element at an offset; lengths of at most two octets, as ours have. */
static element element_at(ibk_span der, size_t offset) {
    element e = {.offset = offset, .content = offset + 2, .len = der.data[offset + 1]};
    size_t more = e.len & 0x7F;
    if (!(e.len & 0x80))
        return e;
    e.len = 0;
    for (size_t i = 0; i < more; i++)
        e.len = e.len << 8 | der.data[e.content + i];
    e.content += more;
    return e;
}

/* The nth element of the outer SEQUENCE. */
static element part(ibk_span der, size_t nth) {
    element e = element_at(der, element_at(der, 0).content);
    while (nth-- > 0)
        e = element_at(der, e.content + e.len);
    return e;
}

typedef enum der_fault {
    DER_WHOLE,
    DER_CUT,
    DER_TRAILING,
    DER_VERSION,
    DER_INDEFINITE,
    DER_TAG,
    DER_LENGTH, /* of the outer SEQUENCE one too large */
    DER_PART,   /* the last octet of a part is another */
    DER_PART_TAG,
    DER_FILE /* a set of parameters of its own: params/NAME.params.der */
} der_fault;

typedef struct der_case {
    const char *what, *name, *title, *ids, *classes;
    der_fault fault;
    size_t part;
    unsigned size;
} der_case;

#define STRICT "encoding|malformed|unsupported"
static const der_case der_cases[] = {
    {"params", "whole-1024", "parameters are taken", "5091-9 5091-7", "", DER_WHOLE, 0, 1024},
    {"params", "whole-2048", "parameters are taken", "5091-9 5091-7", "", DER_WHOLE, 0, 2048},
    {"params", "whole-3072", "parameters are taken", "5091-9 5091-7", "", DER_WHOLE, 0, 3072},
    {"params", "cut", "the last octet is missing", "5091-7", STRICT, DER_CUT, 0, 1024},
    {"params", "trailing", "an octet follows", "5091-7", STRICT, DER_TRAILING, 0, 1024},
    {"params", "version", "another version", "5091-7", STRICT, DER_VERSION, 0, 1024},
    {"params", "indefinite-length", "BER's indefinite length", "5091-7", STRICT, DER_INDEFINITE, 0, 1024},
    {"params", "tag", "no SEQUENCE", "5091-7", STRICT, DER_TAG, 0, 1024},
    {"params", "length", "the outer length is one too large", "5091-7", STRICT, DER_LENGTH, 0, 1024},
    {"params", "curve-oid", "another type of curve", "5091-7 5091-9", STRICT, DER_PART, 1, 1024},
    {"params", "p-not-prime", "another p", "5091-7 5091-8 5091-10", STRICT, DER_PART, 2, 1024},
    {"params", "q-changed", "another q", "5091-7 5091-8 5091-13", STRICT, DER_PART, 3, 1024},
    {"params", "generator-off-curve", "P is not on the curve", "5091-8 5091-13", STRICT, DER_PART, 4, 1024},
    {"params", "public-off-curve", "P_pub is not on the curve", "5091-10 5091-13", STRICT, DER_PART, 5, 1024},
    {"params", "hash-oid", "a hash that does not belong to the size", "5091-9", STRICT, DER_PART, 6, 1024},
    {"params", "p-not-prime-2048", "another p", "5091-7 5091-8", STRICT, DER_PART, 2, 2048},
    {"params", "q-changed-3072", "another q", "5091-7 5091-8", STRICT, DER_PART, 3, 3072},
    {"params", "whole", "parameters that are nobody's in this house", "5091-9 5091-7", "", DER_FILE, 0, 1024},
    {"params", "q-not-prime", "q is composite, and all else right", "5091-8 5091-7", STRICT, DER_FILE, 0,
     1024},
    {"params", "q-of-another-size", "q has the length of another size", "5091-9", STRICT, DER_FILE, 0, 1024},
    {"params", "hash-of-another-size", "the hash of another size", "5091-9 5091-7", STRICT, DER_FILE, 0,
     1024},
    {"params", "generator-of-other-order", "P is on the curve, and not of order q", "5091-8 5091-13", STRICT,
     DER_FILE, 0, 1024},
    {"params", "public-of-other-order", "P_pub is on the curve, and not of order q", "5091-10 5091-13",
     STRICT, DER_FILE, 0, 1024},
    {"params", "secret-one", "P_pub is P: everybody knows the master secret", "5091-10", STRICT, DER_FILE, 0,
     1024},
    {"private-key", "whole-1024", "a private key is taken", "P-10 5091-14", "", DER_WHOLE, 0, 1024},
    {"private-key", "whole-2048", "a private key is taken", "P-10 5091-14", "", DER_WHOLE, 0, 2048},
    {"private-key", "cut", "the last octet is missing", "P-10", STRICT, DER_CUT, 0, 1024},
    {"private-key", "trailing", "an octet follows", "P-10", STRICT, DER_TRAILING, 0, 1024},
    {"private-key", "version", "another version", "P-10", STRICT, DER_VERSION, 0, 1024},
    {"private-key", "off-curve", "a point that is not on the curve", "P-10 5091-14", STRICT, DER_PART, 1,
     1024},
    {"private-key", "tag", "no SEQUENCE", "P-10", STRICT, DER_TAG, 0, 1024},
    {"ciphertext", "whole-1024", "a ciphertext is taken", "P-2", "", DER_WHOLE, 0, 1024},
    {"ciphertext", "whole-2048", "a ciphertext is taken", "P-2", "", DER_WHOLE, 0, 2048},
    {"ciphertext", "cut", "the last octet is missing", "P-2", STRICT, DER_CUT, 0, 1024},
    {"ciphertext", "trailing", "an octet follows", "P-2", STRICT, DER_TRAILING, 0, 1024},
    {"ciphertext", "version", "another version", "P-2", STRICT, DER_VERSION, 0, 1024},
    {"ciphertext", "indefinite-length", "BER's indefinite length", "P-2", STRICT, DER_INDEFINITE, 0, 1024},
    {"ciphertext", "tag", "no SEQUENCE", "P-2", STRICT, DER_TAG, 0, 1024},
    {"ciphertext", "length", "the outer length is one too large", "P-2", STRICT, DER_LENGTH, 0, 1024},
    {"ciphertext", "v-no-octets", "V is no OCTET STRING", "P-2", STRICT, DER_PART_TAG, 2, 1024},
    {"ciphertext", "w-no-octets", "W is no OCTET STRING", "P-2", STRICT, DER_PART_TAG, 3, 1024},
};

static ibk_span sample(suite_trial *t, const der_case *c) {
    if (c->fault == DER_FILE)
        return suite_file(t, suite_text(t, "conformance/cases/params/%s.params.der", c->name));
    if (strcmp(c->what, "params") == 0)
        return suite_params(t, c->size);
    if (strcmp(c->what, "private-key") == 0)
        return suite_private_key(t, c->size, ibk_span_str("sip:alice@home.example20261124"));
    peer_setup setup = {.role = PEER_INITIATOR, .size = c->size, .seed = "der"};
    const suite_message *m = suite_read(t, case_start(t, case_peer(t, &setup)));
    return suite_payload_data(m, suite_message_find(m, SUITE_IBAKE, 0));
}

static void bend_der(suite_trial *t, const der_case *c, ibk_buf *b) {
    ibk_span der = ibk_buf_span(b);
    element outer = element_at(der, 0), at = part(der, c->part);
    switch (c->fault) {
    case DER_CUT:
        suite_sure(t, ibk_buf_resize(b, b->len - 1), "cutting");
        break;
    case DER_TRAILING:
        suite_sure(t, ibk_buf_append(b, "\0", 1), "adding");
        break;
    case DER_VERSION:
        b->data[part(der, 0).content] = 3;
        break;
    case DER_INDEFINITE: /* the length octets of the outer SEQUENCE become one, and 00 00 follows */
        memmove(b->data + 2, b->data + outer.content, outer.len);
        b->data[1] = 0x80;
        suite_sure(t, ibk_buf_resize(b, outer.len + 2), "cutting");
        suite_sure(t, ibk_buf_append(b, "\0\0", 2), "adding");
        break;
    case DER_TAG:
        b->data[0] = 0x31;
        break;
    case DER_LENGTH:
        b->data[outer.content - 1]++;
        break;
    case DER_PART: /* 2: an odd number stays odd */
        b->data[at.content + at.len - 1] ^= 2;
        break;
    case DER_PART_TAG:
        b->data[at.offset] = 0x03;
        break;
    default:
        break;
    }
}

static void run_der(suite_trial *t, const void *arg) {
    const der_case *c = arg;
    ibk_buf *b = suite_buf(t);
    suite_sure(t, ibk_buf_append_span(b, sample(t, c)), "copying");
    const char *id = suite_text(t, "%.*s", (int)strcspn(c->ids, " "), c->ids);
    const char *more = "";
    if (strcmp(c->what, "private-key") == 0)
        more = suite_text(t, "'params': '%s'", suite_base64(t, suite_params(t, c->size)));
    if (!*c->classes) {
        parse_taken(t, c->what, ibk_buf_span(b), more, ibk_buf_span(b), id);
        return;
    }
    bend_der(t, c, b);
    parse_refused(t, c->what, ibk_buf_span(b), more, c->classes, id);
}

void cases_parser_der(suite_list *list) {
    for (size_t i = 0; i < sizeof der_cases / sizeof der_cases[0]; i++) {
        const der_case *d = &der_cases[i];
        suite_case c = {suite_list_text(list, "parser/%s/%s", d->what, d->name), d->title, d->ids,
                        suite_list_text(list, "roles:parser sizes:%u", d->size), run_der,  d};
        suite_add(list, &c);
    }
}
