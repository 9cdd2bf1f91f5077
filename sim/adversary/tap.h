/* A tap: someone who sits on a link and sees whole messages, not packets. An active one may drop, replace and
 * delay each message, and add messages of its own; both ends go on as if the other had sent what they get.
 *
 * UDP: a datagram is a message. Fragments are put together (RFC 791, RFC 8200 §4.5); an active tap holds them
 * until the datagram is complete. What is too long for the smallest link is sent in fragments.
 *
 * TCP: SIP is cut at Content-Length (RFC 3261 §18.3), HTTP/1.1 as RFC 9112 says. An active tap splits such a
 * connection in two without either end seeing it: it acknowledges what it takes, and sends on in the other's
 * name, with retransmissions and congestion control of its own (RFC 9293, 5681, 6298); SACK and time stamps
 * are taken out of the SYNs. A message goes on when it is complete, so that one of several segments passes a
 * thin link later than without a tap. Each message goes out when it is due: one that is delayed is overtaken
 * by later ones, as with UDP. A FIN goes out behind everything that is held; a reset when what came before it
 * has been acknowledged.
 *
 * A direction of a connection that is not SIP or HTTP after all, or passes their limits, goes on octet by
 * octet without being shown. Connections that were open when the tap came, those beyond TAP_MAX_STREAMS,
 * those of which only one direction passes here, and TCP in IP fragments are packets (TAP_PACKET).
 *
 * The tap sits at the sending end of the link. What an active tap sends itself (TCP, reassembled datagrams,
 * insertions) waits until the wire is free, and is not subject to the link's own loss; datagrams that pass,
 * are delayed or replaced one for one are. A tap needs no randomness: the same run gives the same octets. */
#ifndef SIM_ADVERSARY_TAP_H
#define SIM_ADVERSARY_TAP_H

#include "ns3shim/n3.h"

#include <ibake/base.h>

#define TAP_MAX_STREAMS   4096                  /* TCP connections that are followed at a time */
#define TAP_STREAM_WINDOW ((size_t)2 << 20)     /* octets of one direction that the tap takes ahead */
#define TAP_STREAM_QUEUE  ((size_t)8 << 20)     /* octets that may wait for one receiver */
#define TAP_LANE_QUEUE    ((size_t)64 << 20)    /* octets of packets that may wait for one direction */
#define TAP_MAX_ASSEMBLED 256                   /* datagrams whose fragments are collected at a time */
#define TAP_ASSEMBLY_NS   UINT64_C(30000000000) /* until what is incomplete is given up */

typedef enum tap_kind {
    TAP_SIP = 1, /* UDP or TCP, either port 5060 */
    TAP_HTTP,    /* TCP, either port 80 or 8080: the KMS without TLS (P-18) */
    TAP_MEDIA,   /* any other UDP datagram: RTP, RTCP, … */
    TAP_PACKET   /* anything else, a whole IP packet: may only pass, be dropped or be delayed */
} tap_kind;

#define TAP_KINDS (TAP_PACKET + 1)

/* Borrowed until the handler returns. */
typedef struct tap_message {
    tap_kind kind;
    n3_link *link;
    n3_direction direction;
    bool tcp;
    n3_endpoint from, to; /* ports 0 where a packet (TAP_PACKET) has none */
    ibk_span octets;
    uint64_t now_ns;
} tap_message;

typedef enum tap_do { TAP_PASS = 0, TAP_DROP, TAP_REPLACE } tap_do;

typedef struct tap_verdict {
    tap_do what;
    uint64_t delay_ns; /* at most N3_MAX_LINK_DELAY; more counts as that */
    ibk_span octets;   /* TAP_REPLACE; borrowed until the handler returns */
} tap_verdict;

/* Fills `verdict`, which comes in as TAP_PASS without delay. May call tap_send() and tap_send_udp(), inject
 * and schedule; must not free the tap, nor make a node send within the call (schedule that). A replacement
 * that cannot be (a TAP_PACKET, a datagram of more than N3_UDP_MAX octets, more than TAP_STREAM_QUEUE) is
 * counted as refused, and the original passes. */
typedef void tap_fn(void *user, const tap_message *message, tap_verdict *verdict);

typedef struct tap tap;

/* Takes the hook of `link`. `active` false: packets are seen and never touched or delayed, verdicts do not
 * count, and the run is octet by octet the one without a tap. `seen` may be NULL. IBK_ERR_USAGE,
 * IBK_ERR_NO_MEMORY. */
ibk_err tap_new(tap **out, n3_sim *sim, n3_link *link, bool active, tap_fn *seen, void *user);
/* Before n3_sim_free(), and not from within the handler. Gives the hook back; connections that an active tap
 * has split die of it. NULL is fine. */
void tap_free(tap *t);

/* A further message to the receiver of `like`, delay_ns from now: in the same TCP connection and direction,
 * or as a UDP datagram with the same endpoints. `reverse`: to the sender of `like` instead, in its peer's
 * name. `like` may be a copy, and older; its octets are not looked at. It is not shown to the handler. What
 * is sent without delay from within the handler goes out before the message that is being shown.
 * IBK_ERR_USAGE: a TAP_PACKET, or nothing to send over TCP; IBK_ERR_STATE: a passive tap, or the connection
 * is not one that is followed, is at its end in this direction, or was given up; IBK_ERR_LIMIT: too long, or
 * too much waits; IBK_ERR_NO_MEMORY. */
ibk_err tap_send(tap *t, const tap_message *like, bool reverse, uint64_t delay_ns, ibk_span octets);
/* A datagram out of nothing, on the link in `direction`. Errors as above. */
ibk_err tap_send_udp(tap *t, n3_direction direction, const n3_endpoint *from, const n3_endpoint *to,
                     uint64_t delay_ns, ibk_span octets);

typedef struct tap_stats {
    uint64_t messages[TAP_KINDS];        /* shown, by kind */
    uint64_t dropped, replaced, delayed; /* by verdicts; a delayed replacement counts twice */
    uint64_t refused;                    /* verdicts that cannot be */
    uint64_t sent;                       /* by tap_send() and tap_send_udp() */
    uint64_t streams;                    /* TCP connections that were followed */
    uint64_t given_up;                   /* directions of them that were no SIP or HTTP, or beyond limits */
    uint64_t resent;                     /* TCP segments that the tap sent again */
    uint64_t incomplete;                 /* datagrams given up for a missing or a contradicting fragment */
    uint64_t over_limit; /* connections, fragments and packets for which there was no room or memory */
} tap_stats;

tap_stats tap_get_stats(const tap *t);

#endif
