/* Where the payloads of a MIKEY message lie, read from the tables of RFC 3830 §6, RFC 6043 §6 and RFC 6267
 * §6.1 by code that shares nothing with protocol/mikey: the mutator and the edits of a sequence work on it,
 * and the judge (world/judge.h) holds libibake's reading against it. It knows layouts alone and judges no
 * value. */
#ifndef FUZZ_OCTETS_WALK_H
#define FUZZ_OCTETS_WALK_H

#include <ibake/base.h>

#define WALK_MAX  64       /* payloads; what follows counts as not walked */
#define WALK_NONE SIZE_MAX /* no such field */

/* One payload. Offsets count from the start of the octets that were walked. */
typedef struct walk_piece {
    uint8_t type;
    size_t at, len;
    size_t next_at; /* the octet that names the payload after it; SIGN has none */
    size_t len_at;  /* its (first) length field, of len_width octets; WALK_NONE */
    size_t len_width;
    size_t body_at, body_len; /* what that length field is about; without one: all behind the next payload */
} walk_piece;

typedef struct walk {
    walk_piece items[WALK_MAX];
    size_t count;
    size_t head_len; /* of HDR with its map; 0 for content */
    bool whole;      /* the chain ends in Last (or SIGN) exactly where the octets end */
} walk;

enum {
    WALK_HDR_NEXT = 2,
    WALK_HDR_CSB = 4,
    WALK_HDR_CS = 8,
    WALK_HDR_MAP = 9,
    WALK_HDR_MIN = 10
}; /* offsets in HDR, its least length */

/* False: not even a whole header. Else `out` holds the payloads as far as they can be told apart. */
bool walk_message(walk *out, ibk_span message);
/* Where the nth crypto session of a map that was walked lies; an Empty map's have no octets. False: there are
 * not as many. */
bool walk_session(ibk_span message, size_t nth, size_t *at, size_t *len);
/* The decrypted content of IBAKE, ESK or KEMAC, whose first payload has the type `first`. */
void walk_content(walk *out, uint8_t first, ibk_span content);

/* The number in a payload that says how long what follows it is: V's and KEMAC's MAC algorithm, the type of T
 * and TR, CHASH's function, DH's group. */
typedef struct walk_choice {
    size_t at;  /* of the number, one octet */
    size_t len; /* of what follows */
} walk_choice;

bool walk_choice_of(walk_choice *out, ibk_span all, const walk_piece *piece); /* false: it has none */
size_t walk_choice_len(uint8_t type, uint8_t number); /* what would follow in a payload of that type */

/* The octets of a piece, and of its body. */
ibk_span walk_octets(ibk_span all, const walk_piece *piece);
ibk_span walk_body(ibk_span all, const walk_piece *piece);
const walk_piece *walk_find(const walk *w, uint8_t type, size_t nth); /* or NULL */
size_t walk_count(const walk *w, uint8_t type);

#endif
