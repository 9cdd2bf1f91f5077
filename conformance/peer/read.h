/* Taking messages apart, strictly. What breaks a layout is a finding, told by `note`. */
#ifndef CONFORMANCE_PEER_READ_H
#define CONFORMANCE_PEER_READ_H

#include "peer/draft.h"

/* `requirement` NULL: that the message is parsed by the rules (which ID that is depends on the message). */
typedef void px_note(void *user, const char *requirement, const char *text);

/* How ECCPT pads its point: as RFC 6267 §6.1.4 says, or as somebody who errs. */
typedef enum px_padding {
    PX_PADDED = 0,
    PX_UNPADDED,
    PX_PADDED_ALONE /* the point is as long as a multiple of four octets, wherever it stands */
} px_padding;

typedef struct px_reader {
    px_note *note;
    void *user;
    px_padding padding;
} px_reader;
extern const px_reader px_reader_quiet; /* notes nothing */

/* The octets of padding behind a point. */
size_t px_padding_len(px_padding rule, size_t point_len);

/* True: the whole message was taken apart. False: something stopped it (and was noted); the parts before that
 * are in *d. *err is our own trouble. */
bool px_read_message(const px_reader *r, ibk_span message, px_draft *d, ibk_err *err);
/* The content of IBAKE, ESK or KEMAC, which begins with a payload of the type `first`; `end`: the requirement
 * that its last payload breaks by announcing another. */
bool px_read_chain(const px_reader *r, ibk_span octets, uint8_t first, const char *end, px_chain *chain,
                   ibk_err *err);

typedef struct px_eccpt {
    uint8_t curve;
    px_octets point; /* uncompressed */
    ibk_span mki;    /* KV type 1; borrowed from the part */
    bool interval;   /* KV type 2 */
} px_eccpt;
/* False: no valid point (noted). */
bool px_read_eccpt(const px_reader *r, const px_part *part, px_eccpt *out);

#endif
