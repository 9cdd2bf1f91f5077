/* Edits of a MIKEY message on its octets: one field becomes another value, payloads go or come. Nothing else
 * changes but the length field of what was edited and the next-payload fields of the chain: MACs stay as they
 * were, and it is the receiver's to notice.
 *
 * Each appends the octets of the new MIKEY message to `out`; edit_put_mikey() puts them back into SIP or
 * HTTP. IBK_ERR_MISSING_PAYLOAD: the message has no such part, or cannot be read; IBK_ERR_LIMIT: the value is
 * longer than its length field can say; IBK_ERR_UNSUPPORTED: a T that cannot be shifted; IBK_ERR_NO_MEMORY.
 * `out` is then as it was. */
#ifndef SIM_ADVERSARY_EDIT_MIKEY_H
#define SIM_ADVERSARY_EDIT_MIKEY_H

#include "adversary/seen.h"
#include "random/random.h"

/* `random` is drawn from for SCN_EDIT_RANDOM alone, which never gives what was there. */
ibk_err edit_field(ibk_buf *out, const seen *s, scn_mikey_field field, const scn_edit_value *value,
                   sim_random *random);

/* The instance-th (from 1) payload of a type. */
ibk_err edit_remove_payload(ibk_buf *out, const seen *s, uint8_t payload, uint32_t instance);

/* A payload of a type; `octets` are what follows its next-payload field. It comes before the first payload of
 * type *before, or, if `before` is NULL, at the end, yet before V and SIGN. */
ibk_err edit_add_payload(ibk_buf *out, const seen *s, uint8_t payload, ibk_span octets,
                         const uint8_t *before);

/* IDRi and IDRr exchange their types and data. */
ibk_err edit_swap_identities(ibk_buf *out, const seen *s);

/* IDRi or IDRr becomes this identity: type URI, or NAI if it has no scheme. */
ibk_err edit_identity(ibk_buf *out, const seen *s, scn_mikey_field field, ibk_span identity);

#endif
