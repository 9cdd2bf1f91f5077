/* ibakelab: how a payload kind plugs into the chain: one file a kind, reading, writing and describing in it.
 */
#ifndef MIKEY_PAYLOAD_H
#define MIKEY_PAYLOAD_H

#include "mikey/describe.h"
#include "wire/reader.h"
#include "wire/writer.h"

#include <ibake/mikey.h>

/* Where a payload type may stand. */
enum ibk_place { IBK_PLACE_OUTER = 1, IBK_PLACE_IN_IBAKE = 2, IBK_PLACE_IN_ESK = 4, IBK_PLACE_IN_KEMAC = 8 };

typedef struct ibk_payload_ops {
    uint8_t type;
    const char *name;
    unsigned places; /* of enum ibk_place */
    bool closes;     /* V, SIGN: nothing may follow */
    /* Reads all of the payload, its next-payload field included. On failure the cursor is at the field to
     * blame (ibk_rd_refuse); IBK_ERR_TRUNCATED needs no reason. */
    ibk_err (*parse)(ibk_rd *rd, ibk_payload *out, uint8_t *next);
    void (*write)(ibk_wr *wr, const ibk_payload *payload, uint8_t next);
    void (*describe)(ibk_desc *d);
} ibk_payload_ops;

extern const ibk_payload_ops ibk_ops_kemac, ibk_ops_pke, ibk_ops_dh, ibk_ops_sign, ibk_ops_t, ibk_ops_id,
    ibk_ops_cert, ibk_ops_chash, ibk_ops_v, ibk_ops_sp, ibk_ops_rand, ibk_ops_err, ibk_ops_tr, ibk_ops_idr,
    ibk_ops_randr, ibk_ops_key_data, ibk_ops_ext, ibk_ops_ibake, ibk_ops_esk, ibk_ops_sk, ibk_ops_eccpt;

const ibk_payload_ops *ibk_payload_ops_of(uint8_t type); /* NULL: a type whose layout is not known */

/* Reads payloads into chain, the first of type `first`, until one says that it is the last. `place` is where
 * they stand. On failure the chain is freed. */
ibk_err ibk_chain_read(ibk_chain *chain, ibk_rd *rd, uint8_t first, unsigned place, ibk_diag *diag);
void ibk_chain_put(ibk_wr *wr, const ibk_chain *chain);
/* Type of the first payload, IBK_PL_LAST for an empty chain. */
uint8_t ibk_chain_first(const ibk_chain *chain);

/* HDR; `next` is the type of the first payload. */
ibk_err ibk_hdr_read(ibk_hdr *hdr, uint8_t *next, ibk_rd *rd);
void ibk_hdr_write(ibk_wr *wr, const ibk_hdr *hdr, uint8_t next);

/* Parts that several payloads share. */
bool ibk_kv_read(ibk_rd *rd, ibk_kv *kv); /* kv->type is set by the caller */
bool ibk_kv_known(uint8_t kv_type);
void ibk_kv_write(ibk_wr *wr, const ibk_kv *kv);
void ibk_kv_describe(ibk_desc *d, uint8_t kv_type);
/* Four reserved bits, the KV type, the KV data. */
ibk_err ibk_reserved_kv_read(ibk_rd *rd, uint8_t *reserved, ibk_kv *kv);
void ibk_reserved_kv_describe(ibk_desc *d);
ibk_err ibk_t_read(ibk_rd *rd, ibk_t *t); /* type and value */
void ibk_t_write(ibk_wr *wr, const ibk_t *t);
/* Two values in one octet; a value that does not fit is IBK_ERR_USAGE. */
void ibk_wr_nibbles(ibk_wr *wr, uint8_t high, uint8_t low);

#endif
