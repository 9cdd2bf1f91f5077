/* For the tests of this room: real MIKEY messages (cli/testdata) in SIP, SDP and HTTP around them. */
#ifndef SIM_ADVERSARY_SAMPLE_H
#define SIM_ADVERSARY_SAMPLE_H

#include "adversary/seen.h"

/* The octets of cli/testdata/NAME.hex; fails the test if it cannot be read. */
ibk_buf sample_mikey(const char *name);

/* An INVITE (status 0) or an answer to it whose SDP carries the MIKEY message `name`, NULL: none. */
ibk_buf sample_sip(unsigned status, const char *name);
ibk_buf sample_http(const char *name);

/* A message as a tap shows it, and taken apart; both borrow from `octets`. */
typedef struct sample {
    tap_message message;
    seen seen;
} sample;

void sample_see(sample *out, tap_kind kind, ibk_span octets);

#endif
