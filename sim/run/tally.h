/* Counts what no single node sees: retransmissions and diversions of a call over all nodes, and media that a
 * listener on the core could read. */
#ifndef SIM_RUN_TALLY_H
#define SIM_RUN_TALLY_H

#include "ims/media/source.h"
#include "ns3shim/n3.h"
#include "scenario/model.h"
#include "trace/trace.h"

typedef struct tally tally;

tally *tally_new(const scn_scenario *scenario); /* NULL: out of memory, or a sound file cannot be read */
void tally_free(tally *t);

/* A sink of the event log (SIP and STATE): counts SIP messages that were sent again, and diversions. */
void tally_event(void *t, const trace_event *event);
uint64_t tally_retransmissions(const tally *t, const char *call_id); /* NULL: all of them */
/* Diversions of a call, and the user whose S-CSCF carried out the last one; NULL: none. */
uint64_t tally_diversions(const tally *t, const char *call_id, const scn_user **by);

/* Looks at an IP packet on the core: is it RTP whose payload is, in clear, what a party of this scenario
 * says? */
bool tally_packet(tally *t, const uint8_t *packet, size_t len);
uint64_t tally_plaintext(const tally *t);
/* Is this RTP packet, in clear, what a party of this scenario says? */
bool tally_is_speech(const tally *t, ibk_span packet);

#endif
