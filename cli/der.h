/* ibakelab: any DER as a tree of its elements with offsets, and what RFC 5091 structure it looks like. */
#ifndef CLI_DER_H
#define CLI_DER_H

#include "cli/tree.h"

typedef enum der_kind {
    DER_OTHER = 0,
    DER_PARAMS,    /* BFPublicParameters */
    DER_MASTER,    /* BFMasterSecret */
    DER_KEY,       /* BFPrivateKeyBlock */
    DER_CIPHERTEXT /* BFCiphertextBlock */
} der_kind;

/* Adds the elements below `parent`; offsets count from `base`. With hide_values only tags and lengths are
 * shown (secrets). Depth is limited to 8, elements to 1,000. Strict DER: IBK_ERR_DER with the offset in
 * `der`. */
ibk_err der_tree(tree *t, tree_node *parent, ibk_span der, size_t base, bool hide_values, ibk_diag *diag);

/* By its shape alone; DER_OTHER also for what is no DER. */
der_kind der_guess(ibk_span der);
const char *der_kind_name(der_kind kind); /* "BFPublicParameters", "DER" */

#endif
