/* Deviations: small entries of tables (knobs_*.c), each an operation on a message and its arguments. */
#ifndef CONFORMANCE_PEER_KNOB_H
#define CONFORMANCE_PEER_KNOB_H

#include "peer/internal.h"

typedef enum px_stage {
    PX_AT_CONTENT,   /* the description of the right message: IBAKE and KEMAC are open, there is no MAC */
    PX_AT_SEALED,    /* encrypted, without MAC */
    PX_AT_PROTECTED, /* with MAC or signature, which a change now makes wrong, or which is the change */
    PX_AT_OCTETS     /* the octets of the message */
} px_stage;

/* Where a knob turns: in the message itself (inside 0), or in the content of IBAKE, ESK or KEMAC. */
typedef struct px_place {
    uint8_t inside, type;
    int nth; /* of its type; -1: the last */
} px_place;

/* Bends the draft (or, at PX_AT_OCTETS, the octets); false: there is nothing to bend. */
typedef bool px_bender(peer *p, px_draft *d, const px_knob *knob, px_octets *octets);

struct px_knob {
    const char *name, *text;
    px_stage stage;
    px_bender *bend;
    px_place place;
    int at, value;  /* what they mean is up to the bender */
    uint32_t kinds; /* PX_OF(kind) | … */
    const char
        *rules; /* requirements, separated by spaces; "@hdr" and the like stand for those of the message */
    peer_outcome outcome;
    const char *unnoticed;
};

#define PX_OF(kind) (1U << (kind))
#define PX_EXCHANGE                                                                                          \
    (PX_OF(PX_I1) | PX_OF(PX_R1) | PX_OF(PX_I2) | PX_OF(PX_R2) | PX_OF(PX_R1D) | PX_OF(PX_I2D) |             \
     PX_OF(PX_R2D))
#define PX_UPDATES  (PX_OF(PX_U1) | PX_OF(PX_U2))
#define PX_REQUESTS (PX_OF(PX_QPSK) | PX_OF(PX_QPKE))
#define PX_ALL      (PX_EXCHANGE | PX_UPDATES | PX_REQUESTS | PX_OF(PX_RESP))
#define PX_SEALED                                                                                            \
    (PX_OF(PX_I1) | PX_OF(PX_R1) | PX_OF(PX_I2) | PX_OF(PX_R1D) | PX_OF(PX_I2D) | PX_OF(PX_R2D) | PX_UPDATES)
#define PX_WITH_V (PX_OF(PX_R2) | PX_OF(PX_R2D) | PX_OF(PX_U2) | PX_OF(PX_QPSK) | PX_OF(PX_RESP))
#define PX_ANSWERS                                                                                           \
    (PX_OF(PX_R1) | PX_OF(PX_R1D) | PX_OF(PX_I2) | PX_OF(PX_I2D) | PX_OF(PX_R2) | PX_OF(PX_R2D) |            \
     PX_OF(PX_U2) | PX_OF(PX_RESP))

/* For entries of a table: where, and what a receiver makes of it. */
#define PX_NOWHERE                                                                                           \
    { 0, 0, 0 }
#define PX_PLACE(inside, type, nth)                                                                          \
    { inside, type, nth }
#define PX_REFUSE             PEER_REFUSE, NULL
#define PX_REFUSE_UNSEEN(why) PEER_REFUSE, why
#define PX_TAKE               PEER_TAKE, NULL
#define PX_TAKE_UNSEEN(why)   PEER_TAKE, why
#define PX_EITHER             PEER_EITHER, NULL
#define PX_EITHER_UNSEEN(why) PEER_EITHER, why

typedef struct px_table {
    const px_knob *knobs;
    size_t n;
} px_table;
extern const px_table px_knobs_header, px_knobs_outer, px_knobs_ibake, px_knobs_mac, px_knobs_key,
    px_knobs_sdp;

/* Bends how the keys of V are derived or what V or SIGN cover, and nothing else of a draft; the same of
 * KEMAC's encryption. */
bool px_knob_of_keys(const px_knob *knob);
bool px_knob_of_kemac(const px_knob *knob);
bool px_knob_of_padding(const px_knob *knob); /* of all points */
bool px_knob_of_choice(const px_knob *knob);  /* another algorithm, which the sender may choose */
/* The requirement that is the own one of a knob of these two kinds: the last of its rules. */
const char *px_knob_rule(const px_knob *knob, px_kind kind);
/* What there has to be for the knob to bend anything; the default where it needs nothing. */
uint8_t px_knob_prf(const px_knob *knob);
uint8_t px_knob_encryption(const px_knob *knob);
uint8_t px_knob_timestamp(const px_knob *knob);

void px_bend(peer *p, px_draft *d, px_stage stage);
void px_bend_octets(peer *p, px_draft *d, px_octets *octets);
/* "r-message-1/t-changed", with or without "deviation/". */
bool px_knob_find(const char *name, const px_knob **knob, px_kind *kind);

/* ---- benders: bend.c ---- */

px_part *px_at_place(px_draft *d, px_place place, px_chain **chain, size_t *at);

px_bender px_bend_header;   /* octet `at` of the header, XOR value */
px_bender px_bend_csb;      /* CSB ID and all that follows from it */
px_bender px_bend_drop;     /* the payload is not there */
px_bender px_bend_twice;    /* … is there twice */
px_bender px_bend_first;    /* … is the first */
px_bender px_bend_swap;     /* the payload and the value-th behind it have changed places */
px_bender px_bend_octet;    /* octet `at` (negative: from the end) of the body, XOR value */
px_bender px_bend_set;      /* octet `at` of the body becomes value */
px_bender px_bend_next;     /* its next payload field is value */
px_bender px_bend_grow;     /* value zeros behind the body's octet `at` (negative: from the end) */
px_bender px_bend_cut;      /* value octets at `at` are missing */
px_bender px_bend_add;      /* a payload of the type `at` with value as its octets stands before the place */
px_bender px_bend_length16; /* a length of 16 bits at `at` is greater by value */
px_bender px_bend_tail;     /* octets: value zeros behind the message (negative: cut) */
px_bender px_bend_wire;     /* octets: octet `at` (negative: from the end), XOR value */

#endif
