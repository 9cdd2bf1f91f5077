/* Changes of a MIKEY message that know its payloads, as data of four octets: what the mutator does to
 * messages, and what the records of a sequence (docs/fuzzing.md) say. An edit never fails: where it finds no
 * place it does nothing. */
#ifndef FUZZ_OCTETS_EDIT_H
#define FUZZ_OCTETS_EDIT_H

#include "octets/walk.h"

enum edit_op {
    EDIT_OCTET = 0, /* xor c at offset a << 8 | b */
    EDIT_DELETE,    /* payload a */
    EDIT_DUPLICATE, /* payload a, again before payload b */
    EDIT_SWAP,      /* payloads a and b */
    EDIT_SPLICE,    /* payload a of the donor, before payload b */
    EDIT_INSERT,    /* a new payload of the a-th type, filled with c, before payload b */
    EDIT_EDGE,      /* octets from b of payload a become the number edge[c] */
    EDIT_RESIZE,    /* body of payload a becomes b octets, filled with c; its length field says so */
    EDIT_LENGTH,    /* the length field of payload a lies: edge[c] */
    EDIT_NEXT,      /* what follows payload a is said to be b; a 255: the header says so */
    EDIT_CUT,       /* the message ends a << 8 | b octets before its end, or c more of them follow */
    EDIT_TIME,      /* T becomes now, and the a-th offset of a table of times */
    EDIT_MAC,       /* the MAC of V is computed again; nothing inside of other payloads */
    EDIT_VARIETY, /* the number in payload a on which its layout hangs becomes b, as V's MAC algorithm or T's
                     type; what the number is about is cut to fit, or filled with c */
    EDIT_SESSION, /* crypto session a of the header's map: 0 taken out, 1 there once more, another one by c, 2
                     its (first) policy is c; b modulo 3. #CS says so */
    EDIT_OPS
};

#define EDIT_INSIDE 0x80 /* in op: inside the decrypted content of IBAKE, which is encrypted again */
#define EDIT_ESK    0x40 /* with EDIT_INSIDE: of ESK */
#define EDIT_KEMAC  0x20 /* with EDIT_INSIDE: of KEMAC */

typedef struct edit {
    uint8_t op, a, b, c;
} edit;

/* What an edit may use. Any function may be NULL, and say no. Buffers are appended to. */
typedef struct edit_keys {
    void *user;
    /* Opens the content of a payload of that type; `whose` is handed back to `seal`. */
    bool (*open)(void *user, ibk_span message, uint8_t type, ibk_span cipher, ibk_buf *plain, ibk_buf *whose);
    bool (*seal)(void *user, ibk_span message, uint8_t type, ibk_span whose, ibk_span plain, ibk_buf *cipher);
    /* Writes as many octets of MAC as the message's V has. */
    bool (*mac)(void *user, ibk_span message, uint8_t *mac, size_t len);
    ibk_span donor;
    int64_t utc_ns;
} edit_keys;

void edit_apply(ibk_buf *message, edit e, const edit_keys *keys);

/* The same for content, the first payload of which has the type `first`. */
void edit_content(ibk_buf *content, uint8_t first, edit e, const edit_keys *keys);

#endif
