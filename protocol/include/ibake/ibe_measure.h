/* ibakelab: the operations of ibake/ibe.h as a benchmark wants them: prepared once, run often, and once with
 * every multiplication modulo p counted. Library `ibake_measure`; nothing of it is in libibake. */
#ifndef IBAKE_IBE_MEASURE_H
#define IBAKE_IBE_MEASURE_H

#include <ibake/ibe.h>

#ifdef __cplusplus
extern "C" {
#endif

/* name, option-like word, English */
#define IBK_IBE_OP_LIST(X)                                                                                   \
    X(PAIRING, "pairing", "pairing, both points variable")                                                   \
    X(PAIRING_FIXED, "pairing-fixed", "pairing, first point fixed")                                          \
    X(ENCRYPT, "encrypt", "encrypt, new identity")                                                           \
    X(ENCRYPT_PEER, "encrypt-peer", "encrypt, known peer")                                                   \
    X(DECRYPT, "decrypt", "decrypt")                                                                         \
    X(EXTRACT, "extract", "extract a private key")                                                           \
    X(HASH_TO_POINT, "hash-to-point", "hash to point")                                                       \
    X(KEY_VERIFY, "key-verify", "verify a private key")                                                      \
    X(BASE_MUL, "base-mul", "[l]P by the comb")                                                              \
    X(GT_EXP, "gt-exp", "theta^l")                                                                           \
    X(KEY_PARSE, "key-parse", "read a private key, with its lines")                                          \
    X(PREPARE, "prepare", "tables for encryption")                                                           \
    X(PARSE_KNOWN, "params-known", "read parameters of a known p and q")                                     \
    X(PARSE, "params-parse", "read parameters, primality included")

typedef enum ibk_ibe_op {
#define IBK_IBE_OP_ENUM(name, word, text) IBK_IBE_OP_##name,
    IBK_IBE_OP_LIST(IBK_IBE_OP_ENUM)
#undef IBK_IBE_OP_ENUM
        IBK_IBE_OPS
} ibk_ibe_op;

const char *ibk_ibe_op_word(ibk_ibe_op op);
const char *ibk_ibe_op_text(ibk_ibe_op op);

/* What the field does. A product or square is made of a wide product or square and a reduction; sums of
 * products share one reduction, which is why the parts are counted. */
typedef struct ibk_ibe_counts {
    uint64_t products, squares,
        reductions;     /* multiplications of limbs: the whole cost but for a few per cent */
    uint64_t additions; /* and subtractions, of single and of double length */
} ibk_ibe_counts;

typedef struct ibk_ibe_measure ibk_ibe_measure;

/* Shipped or other parameters with their master secret; everything is prepared here. With `portable` the
 * multiplier in C is used even where a faster one is there. */
ibk_err ibk_ibe_measure_open(ibk_ibe_measure **m, ibk_span params_der, ibk_span master_der, bool portable);
void ibk_ibe_measure_free(ibk_ibe_measure *m);
const char *ibk_ibe_measure_multiplier(const ibk_ibe_measure *m); /* "adx", "portable" */
const ibk_ibe_size *ibk_ibe_measure_size(const ibk_ibe_measure *m);

ibk_err ibk_ibe_measure_run(ibk_ibe_measure *m, ibk_ibe_op op);
ibk_err ibk_ibe_measure_count(ibk_ibe_measure *m, ibk_ibe_op op, ibk_ibe_counts *counts);

/* One kind of field operation, `times` in a row, each on the result of the one before. */
typedef enum ibk_ibe_field_op {
    IBK_IBE_FIELD_MUL, /* product with its reduction */
    IBK_IBE_FIELD_SQR,
    IBK_IBE_FIELD_PRODUCT, /* the wide product alone */
    IBK_IBE_FIELD_SQUARE,
    IBK_IBE_FIELD_REDUCTION,
    IBK_IBE_FIELD_ADD,
    IBK_IBE_FIELD_INV
} ibk_ibe_field_op;
void ibk_ibe_measure_field(ibk_ibe_measure *m, ibk_ibe_field_op op, unsigned long times);

#ifdef __cplusplus
}
#endif
#endif
