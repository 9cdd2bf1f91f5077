/* Public parameters: life, DER, checks on receipt, tables. */
#include "ibe/der.h"
#include "ibe/objects.h"

#include <stdlib.h>
#include <string.h>

static const ibk_ibe_size SIZES[IBK_IBE_SIZES] = {
    {1024, 512, 160, 80, IBK_IBE_SHA1},      {2048, 1024, 224, 112, IBK_IBE_SHA224},
    {3072, 1536, 256, 128, IBK_IBE_SHA256},  {7680, 3840, 384, 192, IBK_IBE_SHA384},
    {15360, 7680, 512, 256, IBK_IBE_SHA512},
};

const ibk_ibe_size *ibk_ibe_size_at(size_t index) {
    return index < IBK_IBE_SIZES ? &SIZES[index] : NULL;
}

const ibk_ibe_size *ibk_ibe_size_of(unsigned n) {
    for (size_t i = 0; i < IBK_IBE_SIZES; i++)
        if (SIZES[i].n == n)
            return &SIZES[i];
    return NULL;
}

unsigned ibk_ibe_params_n(const ibk_ibe_params *params) {
    return params->size->n;
}

unsigned ibk_ibe_params_p_bits(const ibk_ibe_params *params) {
    return params->group.fp.bits;
}

unsigned ibk_ibe_params_q_bits(const ibk_ibe_params *params) {
    return params->group.fq.bits;
}

unsigned ibk_ibe_params_strength(const ibk_ibe_params *params) {
    return params->size->strength;
}

ibk_ibe_hash ibk_ibe_params_hash(const ibk_ibe_params *params) {
    return params->size->hash;
}

size_t ibk_ibe_params_field_len(const ibk_ibe_params *params) {
    return params->group.fp.octets;
}

/* ---- life ------------------------------------------------------------------------------------ */

ibk_err ibk_params_new(ibk_ibe_params **params, const ibk_ibe_size *size, ibk_span p, ibk_span q) {
    ibk_ibe_params *made = calloc(1, sizeof *made);
    *params = NULL;
    if (made == NULL)
        return IBK_ERR_NO_MEMORY;
    atomic_init(&made->refs, 1);
    atomic_init(&made->tables, NULL);
    made->size = size;
    if (!ibk_group_init(&made->group, p, q, NULL)) {
        free(made);
        return IBK_ERR_BAD_PARAMS;
    }
    *params = made;
    return IBK_OK;
}

ibk_ibe_params *ibk_ibe_params_ref(ibk_ibe_params *params) {
    if (params != NULL)
        atomic_fetch_add(&params->refs, 1);
    return params;
}

/* All sets were allocated without const; an owner more does not change what the set says. */
ibk_ibe_params *ibk_params_share(const ibk_ibe_params *params) {
    return ibk_ibe_params_ref((ibk_ibe_params *)(uintptr_t)params);
}

static void tables_free(ibk_tables *tables) {
    if (tables == NULL)
        return;
    ibk_comb_free(&tables->comb);
    ibk_lines_free(&tables->pub);
    free(tables);
}

void ibk_ibe_params_free(ibk_ibe_params *params) {
    if (params == NULL || atomic_fetch_sub(&params->refs, 1) != 1)
        return;
    tables_free(atomic_load(&params->tables));
    free(params);
}

static ibk_err tables_new(ibk_tables **tables, const ibk_ibe_params *params) {
    const ibk_group *g = &params->group;
    ibk_limb half[IBK_POINT_MAX];
    ibk_tables *made = calloc(1, sizeof *made);
    if (made == NULL)
        return IBK_ERR_NO_MEMORY;
    ibk_err err = ibk_comb_init(&made->comb, params->p, g);
    if (err == IBK_OK)
        err =
            ibk_curve_half(half, params->pub, g) || !ibk_guards(params->without, IBK_DEFENCE_PARAMETERS_CHECK)
                ? ibk_lines_init(&made->pub, half, g)
                : IBK_ERR_BAD_ORDER;
    if (err != IBK_OK) {
        tables_free(made);
        return err;
    }
    *tables = made;
    return IBK_OK;
}

/* Two threads may build at once; the tables are equal, the first to finish publishes, the other discards. */
ibk_err ibk_params_tables(const ibk_ibe_params *params, const ibk_tables **tables) {
    _Atomic(ibk_tables *) *slot = (_Atomic(ibk_tables *) *)(uintptr_t)&params->tables;
    ibk_tables *found = atomic_load_explicit(slot, memory_order_acquire);
    if (found == NULL) {
        ibk_tables *made;
        ibk_err err = tables_new(&made, params);
        if (err != IBK_OK)
            return err;
        if (atomic_compare_exchange_strong(slot, &found, made))
            found = made;
        else
            tables_free(made);
    }
    *tables = found;
    return IBK_OK;
}

ibk_err ibk_ibe_params_prepare(const ibk_ibe_params *params) {
    const ibk_tables *tables;
    return ibk_params_tables(params, &tables);
}

static bool same_group(const ibk_ibe_params *a, const ibk_ibe_params *b) {
    return a->size == b->size && ibk_fp_equal(a->group.fp.p, b->group.fp.p, &a->group.fp) != 0 &&
           ibk_fp_equal(a->group.fq.p, b->group.fq.p, &a->group.fq) != 0;
}

bool ibk_ibe_params_equal(const ibk_ibe_params *a, const ibk_ibe_params *b) {
    size_t octets = 2 * (size_t)a->group.fp.n * sizeof(ibk_limb);
    return a == b ||
           (same_group(a, b) && memcmp(a->p, b->p, octets) == 0 && memcmp(a->pub, b->pub, octets) == 0);
}

/* ---- DER --------------------------------------------------------------------------------------- */

/* type-1 curve 2.16.840.1.114334.1.1.1.1 */
static const uint8_t OID_CURVE[] = {0x60, 0x86, 0x48, 0x01, 0x86, 0xfd, 0x1e, 0x01, 0x01, 0x01, 0x01};

static const struct {
    ibk_ibe_hash hash;
    uint8_t len, oid[9];
} OIDS[] = {
    {IBK_IBE_SHA1, 5, {0x2b, 0x0e, 0x03, 0x02, 0x1a}}, // 1.3.14.3.2.26
    {IBK_IBE_SHA224, 9, {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x04}},
    {IBK_IBE_SHA256, 9, {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01}},
    {IBK_IBE_SHA384, 9, {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02}},
    {IBK_IBE_SHA512, 9, {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03}},
};

static ibk_span hash_oid(ibk_ibe_hash hash) {
    return ibk_span_of(OIDS[hash - IBK_IBE_SHA1].oid, OIDS[hash - IBK_IBE_SHA1].len);
}

static const char NAME[] = "BFPublicParameters";

/* The fields as they stand, and where. */
typedef struct fields {
    ibk_span p, q, point[2][2];
    ibk_ibe_hash hash;
    size_t p_at, q_at, point_at[2], hash_at;
} fields;

static ibk_err read_oids(ibk_der *d, fields *f, bool curve, ibk_diag *diag) {
    ibk_span oid;
    size_t at = ibk_der_offset(d);
    ibk_err err = ibk_der_take(d, &oid, IBK_DER_OID, curve ? "curve" : "hashfcn", diag);
    if (err != IBK_OK)
        return err;
    if (curve)
        return ibk_span_equal(oid, ibk_span_of(OID_CURVE, sizeof OID_CURVE))
                   ? IBK_OK
                   : ibk_fail(diag, IBK_ERR_UNSUPPORTED, NAME, at, "curve: not the type-1 curve");
    f->hash_at = at;
    for (size_t i = 0; i < sizeof OIDS / sizeof *OIDS; i++)
        if (ibk_span_equal(oid, hash_oid(OIDS[i].hash)))
            f->hash = OIDS[i].hash;
    return f->hash != 0 ? IBK_OK
                        : ibk_fail(diag, IBK_ERR_UNSUPPORTED, NAME, at, "hashfcn: unknown hash function");
}

static ibk_err read_fields(fields *f, ibk_span der, ibk_diag *diag) {
    ibk_der d = {0};
    memset(f, 0, sizeof *f);
    ibk_err err = ibk_der_open(&d, der, NAME, diag);
    if (err == IBK_OK)
        err = ibk_der_version(&d, diag);
    if (err == IBK_OK)
        err = read_oids(&d, f, true, diag);
    f->p_at = ibk_der_offset(&d);
    if (err == IBK_OK)
        err = ibk_der_natural(&d, &f->p, IBK_IBE_FIELD_MAX, "p", diag);
    f->q_at = ibk_der_offset(&d);
    if (err == IBK_OK)
        err = ibk_der_natural(&d, &f->q, IBK_IBE_HASH_MAX, "q", diag);
    for (int i = 0; i < 2; i++) {
        f->point_at[i] = ibk_der_offset(&d);
        if (err == IBK_OK)
            err = ibk_der_point(&d, &f->point[i][0], &f->point[i][1], IBK_IBE_FIELD_MAX,
                                i ? "pointPpub" : "pointP", diag);
    }
    if (err == IBK_OK)
        err = read_oids(&d, f, false, diag);
    return err == IBK_OK ? ibk_der_close(&d, diag) : err;
}

static unsigned bits_of(ibk_span magnitude) {
    return magnitude.len == 0
               ? 0
               : (unsigned)magnitude.len * 8 - (unsigned)(__builtin_clz(magnitude.data[0]) - 24);
}

static ibk_err check_size(const ibk_ibe_size **size, const fields *f, ibk_diag *diag) {
    *size = NULL;
    for (size_t i = 0; i < IBK_IBE_SIZES; i++)
        if (SIZES[i].p_bits == bits_of(f->p))
            *size = &SIZES[i];
    if (*size == NULL)
        return ibk_fail(diag, IBK_ERR_BAD_PARAMS, NAME, f->p_at,
                        "p: %u bits is none of RFC 5091's five sizes", bits_of(f->p));
    if (bits_of(f->q) != (*size)->q_bits)
        return ibk_fail(diag, IBK_ERR_BAD_PARAMS, NAME, f->q_at, "q: %u bits, %u belong to this p",
                        bits_of(f->q), (*size)->q_bits);
    if (f->hash != (*size)->hash)
        return ibk_fail(diag, IBK_ERR_BAD_PARAMS, NAME, f->hash_at, "hashfcn: %s, %s belongs to this p",
                        ibk_ibe_hash_name(f->hash), ibk_ibe_hash_name((*size)->hash));
    return IBK_OK;
}

static ibk_err read_point(ibk_limb *point, const ibk_span xy[2], size_t at, const char *field,
                          const ibk_group *g, ibk_diag *diag) {
    if (!ibk_fp_from(point, xy[0].data, xy[0].len, &g->fp) ||
        !ibk_fp_from(point + g->fp.n, xy[1].data, xy[1].len, &g->fp))
        return ibk_fail(diag, IBK_ERR_BAD_VALUE, NAME, at, "%s: a coordinate is not below p", field);
    return IBK_OK;
}

static ibk_err check_point(const ibk_limb *point, size_t at, const char *field, const ibk_group *g,
                           ibk_diag *diag) {
    ibk_limb half[IBK_POINT_MAX];
    if (!ibk_curve_on(point, g))
        return ibk_fail(diag, IBK_ERR_NOT_ON_CURVE, NAME, at, "%s: not on y^2 = x^3 + 1", field);
    if (!ibk_curve_half(half, point, g))
        return ibk_fail(diag, IBK_ERR_BAD_ORDER, NAME, at, "%s: not of order q", field);
    return IBK_OK;
}

/* What is left to check of a set whose coordinates have been read. */
static ibk_err check_set(const ibk_ibe_params *made, const fields *f, const ibk_ibe_params *known,
                         ibk_diag *diag) {
    ibk_err err = check_point(made->p, f->point_at[0], "pointP", &made->group, diag);
    if (err == IBK_OK)
        err = check_point(made->pub, f->point_at[1], "pointPpub", &made->group, diag);
    size_t octets = 2 * (size_t)made->group.fp.n * sizeof(ibk_limb);
    if (err == IBK_OK && memcmp(made->p, made->pub, octets) == 0) // RFC 5091 §5.1.2 step 5: s > 1
        err = ibk_fail(diag, IBK_ERR_BAD_PARAMS, NAME, f->point_at[1], "pointPpub: is pointP: s = 1");
    if (err == IBK_OK && (known == NULL || !same_group(made, known))) {
        err = ibk_group_is_prime(&made->group);
        if (err != IBK_OK)
            ibk_fail(diag, err, NAME, f->p_at, "p or q is not prime");
    }
    return err;
}

ibk_err ibk_ibe_params_parse(ibk_ibe_params **params, ibk_span der, const ibk_ibe_params *known,
                             ibk_diag *diag) {
    return ibk_ibe_params_parse_without(params, der, known, 0, diag);
}

ibk_err ibk_ibe_params_parse_without(ibk_ibe_params **params, ibk_span der, const ibk_ibe_params *known,
                                     uint32_t without, ibk_diag *diag) {
    fields f;
    const ibk_ibe_size *size = NULL;
    ibk_ibe_params *made = NULL;
    bool checks = ibk_guards(without, IBK_DEFENCE_PARAMETERS_CHECK);
    *params = NULL;
    ibk_err err = read_fields(&f, der, diag);
    if (err == IBK_OK && checks)
        err = check_size(&size, &f, diag);
    if (err != IBK_OK)
        return err;
    if (!checks)
        size = &SIZES[f.hash - IBK_IBE_SHA1]; // only the hash counts: the lengths are those of p and q
    err = ibk_params_new(&made, size, f.p, f.q);
    if (err != IBK_OK)
        return ibk_fail(diag, err, NAME, f.p_at, "p = 12 r q - 1 with q = 2^a +- 2^b +- 1 does not hold");
    made->without = without;
    err = read_point(made->p, f.point[0], f.point_at[0], "pointP", &made->group, diag);
    if (err == IBK_OK)
        err = read_point(made->pub, f.point[1], f.point_at[1], "pointPpub", &made->group, diag);
    if (err == IBK_OK && checks)
        err = check_set(made, &f, known, diag);
    if (err != IBK_OK) {
        ibk_ibe_params_free(made);
        return err;
    }
    *params = made;
    return IBK_OK;
}

static ibk_err put_integer(ibk_buf *out, const ibk_fp *f) {
    uint8_t octets[IBK_IBE_FIELD_MAX];
    ibk_limbs_to_octets(octets, f->octets, f->p, f->n);
    return ibk_der_put_natural(out, ibk_span_of(octets, f->octets));
}

static ibk_err put_point(ibk_buf *out, const ibk_limb *point, const ibk_group *g) {
    uint8_t octets[2 * IBK_IBE_FIELD_MAX];
    size_t len = g->fp.octets;
    ibk_curve_to_octets(octets, point, g);
    return ibk_der_put_point(out, ibk_span_of(octets, len), ibk_span_of(octets + len, len));
}

ibk_err ibk_ibe_params_encode(const ibk_ibe_params *params, ibk_buf *out) {
    const ibk_group *g = &params->group;
    size_t from = out->len;
    ibk_err err = ibk_der_put_version(out);
    if (err == IBK_OK)
        err = ibk_der_put(out, IBK_DER_OID, ibk_span_of(OID_CURVE, sizeof OID_CURVE));
    if (err == IBK_OK)
        err = put_integer(out, &g->fp);
    if (err == IBK_OK)
        err = put_integer(out, &g->fq);
    if (err == IBK_OK)
        err = put_point(out, params->p, g);
    if (err == IBK_OK)
        err = put_point(out, params->pub, g);
    if (err == IBK_OK)
        err = ibk_der_put(out, IBK_DER_OID, hash_oid(params->size->hash));
    return err == IBK_OK ? ibk_der_wrap(out, from) : err;
}
