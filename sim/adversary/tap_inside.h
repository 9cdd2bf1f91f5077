/* Inside of the tap, from the wire upwards:
 *
 *   tap_lane.c    packets that the tap sends, one after the other      tap_frag.c     fragments put together
 *   tap_udp.c     datagrams: shown, changed, made                      tap_frames.c   messages out of a
 * stream tap_tcp.c     connections: which are followed, SYNs, the table     tap_intake.c   octets in order
 *   tap_flow.c    what one end sends: taken, shown, queued             tap_output.c   sent to the other end
 *   tap.c         the hook, the verdicts */
#ifndef SIM_ADVERSARY_TAP_INSIDE_H
#define SIM_ADVERSARY_TAP_INSIDE_H

#include "adversary/tap.h"
#include "ns3shim/ip.h"

#define TAP_PACKET_MAX 65535

/* ---- lanes --------------------------------------------------------------------------------------- */

typedef struct lane_packet lane_packet;

/* One direction of the link, for what the tap sends. */
typedef struct tap_lane {
    tap *tap;
    n3_direction direction;
    uint64_t rate_bps;
    uint64_t free_ns; /* when the wire will have carried what was put on it last */
    lane_packet *first;
    size_t octets;
    uint64_t waiting_ns; /* transmission time of what waits */
    n3_timer timer;
} tap_lane;

void lane_open(tap_lane *lane, tap *t, n3_direction direction);
void lane_close(tap_lane *lane);
/* The sender's own packet goes on the wire now. */
void lane_occupy(tap_lane *lane, size_t len);
/* Sends a copy, delay_ns from now or when the wire is free. IBK_ERR_LIMIT, IBK_ERR_NO_MEMORY (both counted).
 */
ibk_err lane_send(tap_lane *lane, uint64_t delay_ns, const uint8_t *packet, size_t len);
/* How long a packet that is sent now will take to be on the wire. */
uint64_t lane_backlog(const tap_lane *lane);

/* ---- datagrams ----------------------------------------------------------------------------------- */

typedef struct frag_part {
    struct frag_part *next; /* in order of arrival */
    size_t offset, len;     /* of the payload */
    size_t packet_len;
    uint8_t packet[];
} frag_part;

/* The fragments of one datagram. */
typedef struct assembly {
    struct assembly *next;
    n3_direction direction;
    n3_addr from, to;
    uint32_t id;
    uint64_t since_ns;
    frag_part *first, **last;
    size_t have, total; /* octets; total 0: the last fragment has not come */
} assembly;

typedef struct tap_frags {
    assembly *first; /* in order of arrival */
    size_t count;
} tap_frags;

typedef enum frag_result {
    FRAG_HELD,
    FRAG_WHOLE,   /* *whole is complete and belongs to the caller */
    FRAG_NO_ROOM, /* too many, or out of memory: nothing was kept */
    FRAG_SPOILED  /* it contradicts what came before; the datagram is given up */
} frag_result;

frag_result frags_add(tap *t, n3_direction direction, const n3_ip *ip, const uint8_t *packet, size_t len,
                      assembly **whole);
/* Appends UDP header and data. */
ibk_err assembly_join(const assembly *whole, ibk_buf *out);
void assembly_free(assembly *whole);
void frags_free(tap_frags *frags);

/* A packet with UDP. */
void tap_udp_packet(tap *t, n3_direction direction, const n3_ip *ip, const uint8_t *packet, size_t len,
                    n3_verdict *verdict);

/* ---- messages out of a stream -------------------------------------------------------------------- */

typedef enum frames_kind {
    FRAMES_SIP,
    FRAMES_REQUESTS, /* HTTP */
    FRAMES_RESPONSES
} frames_kind;

typedef enum frames_result {
    FRAMES_NONE,    /* needs more octets */
    FRAMES_MESSAGE, /* a whole one */
    FRAMES_FILLER,  /* CRLFs between SIP messages (RFC 3261 §7.5, RFC 5626 §4.4.1) */
    FRAMES_RAW,     /* octets of a stream that was given up */
    FRAMES_ERROR    /* out of memory */
} frames_result;

typedef struct tap_frames tap_frames;

tap_frames *frames_new(frames_kind kind); /* NULL: out of memory */
void frames_free(tap_frames *f);
/* At most FRAMES_PUSH octets at a time, and frames_next() to the end in between. */
#define FRAMES_PUSH ((size_t)16 << 10)
ibk_err frames_push(tap_frames *f, ibk_span octets);
/* The next piece; every octet that was pushed comes out once. `out` is borrowed until the next call. */
frames_result frames_next(tap_frames *f, ibk_span *out);
/* The stream has ended, or cannot be followed: what is left and what comes is raw. */
void frames_give_up(tap_frames *f);
bool frames_given_up(const tap_frames *f);
size_t frames_held(const tap_frames *f); /* octets */

/* ---- octets in order ----------------------------------------------------------------------------- */

typedef struct early early;

typedef struct tap_intake {
    uint32_t next; /* sequence number of the octet that comes next */
    early *ahead;  /* what came too early, in order */
    size_t ahead_octets;
    bool fin_known; /* a FIN came, */
    uint32_t fin;   /* with this sequence number */
    bool ended;     /* and all before it: `next` is behind it */
} tap_intake;

/* Takes a segment; appends to `fresh` what is in order now. IBK_ERR_LIMIT: more than `room` octets ahead (it
 * was not kept); IBK_ERR_NO_MEMORY. */
ibk_err intake_add(tap_intake *in, const n3_segment *segment, size_t room, ibk_buf *fresh);
void intake_free(tap_intake *in);

static inline bool seq_before(uint32_t a, uint32_t b) { /* RFC 9293 §3.4 */
    return (int32_t)(a - b) < 0;
}

/* ---- connections --------------------------------------------------------------------------------- */

typedef struct tap_conn tap_conn;

typedef struct held held;

/* What goes to one end of a connection, in the other's name. */
typedef struct tap_output {
    tap_conn *conn;
    unsigned to; /* the end */
    held *held;  /* by due time */
    size_t held_octets;
    n3_timer held_timer;
    ibk_buf ready; /* from `acked` on: sequence number `una` */
    size_t acked;
    uint32_t una, nxt, high; /* RFC 9293 §3.3.1; `high` is the highest `nxt` there was */
    uint32_t window;
    bool fin_wanted, fin_acked, reset_wanted;
    size_t mss, cwnd, ssthresh; /* RFC 5681 */
    unsigned dup_acks;
    bool recovering;
    uint32_t recover;           /* RFC 6582 */
    uint64_t srtt, rttvar, rto; /* ns, RFC 6298 */
    bool timing;
    uint32_t timed;
    uint64_t timed_ns;
    unsigned retries;
    n3_timer timer;
} tap_output;

/* One direction: what an end sends, and what the other gets instead. */
typedef struct tap_half {
    tap_intake in;
    tap_frames *frames;
    tap_output out;
    bool end_seen; /* the FIN was passed to `out` */
    bool counted;  /* as given up */
} tap_half;

typedef enum conn_state {
    CONN_SYN,    /* of the initiator */
    CONN_ACCEPT, /* SYN and ACK of the responder */
    CONN_OPEN,
    CONN_CLOSED /* both FINs were acknowledged: only repeated ones are answered */
} conn_state;

struct tap_conn {
    tap_conn *prev, *next; /* in order of creation */
    tap *tap;
    n3_endpoint end[2];     /* initiator, responder */
    n3_direction direction; /* of the initiator's packets */
    tap_kind kind;
    conn_state state;
    bool dead, syn_again;
    uint64_t heard_ns, syn_ns, accept_ns;
    uint8_t header[2][40]; /* IP header of each end's packets, without options */
    uint32_t isn[2];
    bool scales[2];
    uint8_t shift[2];  /* RFC 7323 §2 */
    uint16_t mss[2];   /* that the end announced; 0: it did not */
    bool told_full[2]; /* the end was told a window that is nearly closed */
    tap_half half[2];  /* [i]: what end i sends */
};

/* A packet with TCP. False: it belongs to no connection that is followed. */
bool tap_tcp_packet(tap *t, n3_direction direction, const n3_segment *segment, const uint8_t *packet,
                    size_t len, n3_verdict *verdict);
tap_conn *tap_tcp_find(const tap *t, const n3_endpoint *from, const n3_endpoint *to);
void tap_tcp_free(tap *t);
n3_direction conn_direction(const tap_conn *c, unsigned from); /* of what this end sends */
/* Sends a segment to an end, in the other's name. */
void conn_send(tap_conn *c, unsigned to, uint32_t seq, uint8_t flags, ibk_span data);
void conn_ack(tap_conn *c, unsigned to);
/* Frees a connection that died during the event. */
void conn_settle(tap_conn *c);
/* Resets both ends, and forgets the connection at the end of the event. */
void conn_abort(tap_conn *c);
/* Forgets it if both directions have ended. */
void conn_check_closed(tap_conn *c);

/* A segment of an open connection. */
void flow_segment(tap_conn *c, unsigned from, const n3_segment *segment);
/* Room for octets that this end sends. */
size_t flow_room(const tap_conn *c, unsigned from);
/* The other end has taken octets. */
void flow_room_again(tap_conn *c, unsigned from);

void output_open(tap_output *o, tap_conn *c, unsigned to, uint32_t isn, uint32_t window, uint64_t rtt_ns);
void output_free(tap_output *o);
/* Queues a copy, due delay_ns from now; `in_turn`: not before what was queued earlier. IBK_ERR_LIMIT,
 * IBK_ERR_NO_MEMORY. */
ibk_err output_put(tap_output *o, uint64_t delay_ns, bool in_turn, ibk_span octets);
/* The end of what there is to send: a FIN or a reset, behind everything. */
void output_finish(tap_output *o, bool reset);
/* What the end says: an acknowledgement and a window. `pure`: without octets or FIN. */
void output_ack(tap_output *o, uint32_t ack, uint32_t window, bool pure);
void output_pump(tap_output *o);
size_t output_waiting(const tap_output *o); /* octets */
bool output_closed(const tap_output *o);    /* a FIN was sent, or nothing may come any more */

/* ---- the tap ------------------------------------------------------------------------------------- */

struct tap {
    n3_sim *sim;
    n3_link *link;
    bool active;
    tap_fn *seen;
    void *user;
    unsigned busy; /* depth of handler calls */
    tap_lane lane[2];
    tap_frags frags;
    tap_conn *first, *last;
    void *tree; /* connections by their ends */
    size_t count;
    uint32_t next_id; /* of packets that the tap makes; counts down, to be far from the sender's */
    tap_stats stats;
    uint8_t scratch[TAP_PACKET_MAX];
};

/* Shows a message; the verdict is valid, and TAP_PASS if the tap is passive. */
tap_verdict tap_show(tap *t, tap_message *message);
tap_kind tap_kind_of_ports(bool tcp, uint16_t a, uint16_t b); /* TAP_PACKET: TCP that is not followed */

#endif
