/* n3: a C interface to ns-3, the network simulator. Hosts, point-to-point links, IPv4 and IPv6, UDP, TCP,
 * timers, captures, and a hook on every link.
 *
 *     n3_sim *sim;
 *     n3_sim_new(&sim, &(n3_sim_config){.seed = 1, .families = N3_IPV4});
 *     n3_node_new(&a, sim, "a"); n3_node_new(&b, sim, "b");
 *     n3_link_new(&link, a, b, &(n3_link_config){.ab.delay_ns = 5000000, .ba.delay_ns = 5000000});
 *     n3_routes_build(sim);
 *     …sockets, timers…
 *     while (n3_run_until(sim, next) == N3_OK && !n3_idle(sim)) next += slice;
 *     n3_sim_free(sim);
 *
 * Virtual time is in nanoseconds from 0; sizes are octets; rates are bits a second; probabilities are parts
 * in 10^9. ns-3 keeps global state, so a process has one simulation at a time (one after another is fine),
 * and all calls come from one thread.
 *
 * Errors. Functions that can fail return n3_status; n3_last_error() then tells the reason in words. Nothing
 * here terminates the process or lets a C++ exception out. Every argument is checked. Callbacks must not
 * throw nor longjmp.
 *
 * Ownership. Nodes and links live as long as the simulation. Sockets, listeners and captures belong to the
 * caller, who frees them, before or after n3_sim_free(): after it, only freeing them is of use (everything
 * else answers N3_ERR_CLOSED). An owner may close and free a handle inside any callback, its own included.
 * No callback comes after a handle was freed, and none during n3_sim_free().
 *
 * Determinism. The same calls with the same seed and run number give the same events in the same order and
 * byte-identical captures, in any process and for any repetition inside one.
 */
#ifndef NS3SHIM_N3_H
#define NS3SHIM_N3_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#define N3_ENUM : unsigned /* any value that C passes is a value of the type, to be checked */
#else
#define N3_ENUM
#endif

typedef struct n3_sim n3_sim;
typedef struct n3_node n3_node;
typedef struct n3_link n3_link;
typedef struct n3_udp n3_udp;
typedef struct n3_tcp n3_tcp;
typedef struct n3_listener n3_listener;
typedef struct n3_capture n3_capture;

/* ---- errors ------------------------------------------------------------------------------------------ */

typedef enum n3_status N3_ENUM {
    N3_OK = 0,
    N3_ERR_ARGUMENT,    /* NULL, out of range, wrong family, malformed text */
    N3_ERR_STATE,       /* not now: second simulation, run inside a run, sending after closing */
    N3_ERR_CLOSED,      /* the connection has ended, or the simulation of this handle is gone */
    N3_ERR_LIMIT,       /* queue full, datagram too long, too many nodes or links */
    N3_ERR_ADDRESS,     /* the node does not own this address, or the address is in use or not usable */
    N3_ERR_UNREACHABLE, /* the node has no route to this address */
    N3_ERR_IO,          /* a capture could not be written */
    N3_ERR_MEMORY,
    N3_ERR_INTERNAL /* ns-3 refused something that it should not refuse */
} n3_status;

const char *n3_status_name(n3_status status); /* "argument"; never NULL */

/* Why the last failing call of this thread failed, "" if none did. Valid until the next failing call. */
const char *n3_last_error(void);

/* "ns-3.37", for reports. */
const char *n3_version(void);

/* ---- addresses --------------------------------------------------------------------------------------- */

typedef enum n3_family N3_ENUM {
    N3_NONE = 0,
    N3_IPV4 = 1,
    N3_IPV6 = 2
} n3_family; /* also bits of n3_sim_config.families */

typedef struct n3_addr {
    uint8_t family;     /* enum n3_family; N3_NONE is "no address", the zero state */
    uint8_t octets[16]; /* network order; IPv4 in the first 4, the rest zero */
} n3_addr;

typedef struct n3_endpoint {
    n3_addr addr;
    uint16_t port; /* host order */
} n3_endpoint;

#define N3_ADDR_TEXT     46 /* room for any address and the terminator */
#define N3_ENDPOINT_TEXT 56

/* "10.0.0.1", "fd00::1" (RFC 4291 forms, no zone, no brackets). */
n3_status n3_addr_parse(n3_addr *out, const char *text);
/* "10.0.0.1:5060", "[fd00::1]:5060"; a port is mandatory. */
n3_status n3_endpoint_parse(n3_endpoint *out, const char *text);
/* RFC 5952 form; "none" for N3_NONE. Return `out`. */
char *n3_addr_format(char out[N3_ADDR_TEXT], const n3_addr *addr);
char *n3_endpoint_format(char out[N3_ENDPOINT_TEXT], const n3_endpoint *endpoint);
bool n3_addr_equal(const n3_addr *a, const n3_addr *b);
bool n3_endpoint_equal(const n3_endpoint *a, const n3_endpoint *b);
/* The unspecified address of a family, 0.0.0.0 or ::, for binding. */
n3_addr n3_addr_any(n3_family family);

/* ---- the simulation ---------------------------------------------------------------------------------- */

#define N3_TIME_MAX ((uint64_t)1 << 62) /* about 146 years */

typedef struct n3_sim_config {
    uint64_t seed;        /* 0 counts as 1 */
    uint64_t run;         /* independent repetition under one seed */
    unsigned families;    /* N3_IPV4, N3_IPV6 or both, of every node; 0: N3_IPV4 */
    int64_t start_utc_ns; /* wall-clock time at virtual time 0, for the time stamps of captures; >= 0 */
} n3_sim_config;

/* `config` may be NULL (seed 1, IPv4). N3_ERR_STATE while another simulation lives. */
n3_status n3_sim_new(n3_sim **out, const n3_sim_config *config);
/* Ends the simulation and frees its nodes and links, drops all pending events, flushes captures. NULL is
 * fine. Must not be called inside a callback (N3_ERR_STATE, and nothing happens). */
n3_status n3_sim_free(n3_sim *sim);

uint64_t n3_now(const n3_sim *sim);    /* 0 for NULL */
uint64_t n3_events(const n3_sim *sim); /* events executed so far */
/* When the next event comes (one that ns-3 has cancelled counts too); UINT64_MAX: none is scheduled. Between
 * two runs; nothing can change before that moment. */
uint64_t n3_next_event(const n3_sim *sim);

/* Plays all events up to and including `time_ns`; the clock then stands at `time_ns`, unless n3_stop() was
 * called. Slicing a run into several calls changes nothing in it. `time_ns` must not lie in the past. */
n3_status n3_run_until(n3_sim *sim, uint64_t time_ns);
/* Plays until nothing is scheduled any more, or until n3_stop(). Timers inside ns-3 count, those that it has
 * cancelled too: the clock may end some seconds after the last packet. */
n3_status n3_run(n3_sim *sim);
/* From a callback: the run returns after the current event. The next run goes on from there. */
void n3_stop(n3_sim *sim);
bool n3_stopped(const n3_sim *sim); /* the last run ended by n3_stop() */
/* Nothing was scheduled when the last run ended; false before the first run. */
bool n3_idle(const n3_sim *sim);

/* ---- timers ------------------------------------------------------------------------------------------ */

typedef uint64_t n3_timer; /* 0: none. Never used twice in one simulation */
typedef void (*n3_timer_fn)(void *user);

/* Calls fn(user) once, `delay_ns` from now; timers of one instant fire in the order of scheduling. `out` may
 * be NULL. */
n3_status n3_schedule(n3_sim *sim, n3_timer *out, uint64_t delay_ns, n3_timer_fn fn, void *user);
/* Fine for timers that fired, were cancelled, or are 0. True: it was pending. */
bool n3_cancel(n3_sim *sim, n3_timer timer);
bool n3_pending(const n3_sim *sim, n3_timer timer);
uint64_t n3_timer_due(const n3_sim *sim, n3_timer timer); /* virtual time; UINT64_MAX if not pending */

/* ---- nodes ------------------------------------------------------------------------------------------- */

#define N3_MAX_NODES 100000
#define N3_MAX_LINKS 1000000
#define N3_NAME_MAX  127

/* `name` (1..N3_NAME_MAX octets, unique) is copied. Every node forwards packets that are not for itself. */
n3_status n3_node_new(n3_node **out, n3_sim *sim, const char *name);
const char *n3_node_name(const n3_node *node); /* "" for NULL */
n3_node *n3_node_find(n3_sim *sim, const char *name);
n3_sim *n3_node_sim(const n3_node *node);

/* Gives the node an address of its own that is bound to no link (a service or loopback address). Others reach
 * it by n3_routes_build() or n3_route_add(). */
n3_status n3_node_add_address(n3_node *node, const n3_addr *addr);
/* The plan: node k (1, 2, … in order of creation) gets 10.128.0.0 + k and fd01::k. `out` may be NULL. */
n3_status n3_node_add_planned_address(n3_node *node, n3_addr *out, n3_family family);

/* The address to be known by: the first service address of the family, else that on the first link. */
n3_status n3_node_address(const n3_node *node, n3_addr *out, n3_family family);
bool n3_node_owns(const n3_node *node, const n3_addr *addr);
/* The node that owns this address, or NULL. */
n3_node *n3_node_by_address(n3_sim *sim, const n3_addr *addr);

/* ---- links ------------------------------------------------------------------------------------------- */

#define N3_LOSS_ALWAYS    1000000000u
#define N3_DEFAULT_RATE   1000000000u /* bit/s */
#define N3_DEFAULT_QUEUE  100         /* packets */
#define N3_DEFAULT_MTU    1500
#define N3_MTU_MIN        68 /* RFC 791; with IPv6 1,280, RFC 8200 */
#define N3_MTU_MAX        65535
#define N3_MAX_LINK_DELAY 3600000000000u /* ns */

typedef enum n3_direction N3_ENUM {
    N3_AB = 0, /* from the link's first node to its second */
    N3_BA = 1
} n3_direction;

/* One direction of a link. */
typedef struct n3_path {
    uint64_t delay_ns;      /* propagation, at most N3_MAX_LINK_DELAY */
    uint64_t rate_bps;      /* 0: N3_DEFAULT_RATE */
    uint32_t loss_ppb;      /* frames lost, of 10^9; at most N3_LOSS_ALWAYS */
    uint32_t queue_packets; /* the sender's queue; 0: N3_DEFAULT_QUEUE. Drop-tail */
} n3_path;

typedef struct n3_link_config {
    n3_path ab, ba;
    uint32_t mtu;       /* octets of an IP packet; 0: N3_DEFAULT_MTU */
    const char *name;   /* copied; NULL: "a-b" of the node names */
    n3_addr a[2], b[2]; /* addresses of the ends, [0] IPv4, [1] IPv6; N3_NONE: from the plan (both ends) */
    uint8_t prefix[2];  /* prefix lengths of chosen addresses; 0: 30 and 64 */
} n3_link_config;

/* Joins two different nodes. `config` may be NULL. The plan: link k (0, 1, … in order of creation) is
 * 10.0.0.0 + 4k /30 with .1 and .2, and fd00:0:(k >> 16):(k & ffff)::/64 with ::1 and ::2. Chosen addresses
 * must be unicast, of one prefix, unused so far, and not 2001:db8::/32, which ns-3's routers drop. */
n3_status n3_link_new(n3_link **out, n3_node *a, n3_node *b, const n3_link_config *config);
const char *n3_link_name(const n3_link *link);
n3_node *n3_link_sender(const n3_link *link, n3_direction direction);
/* Address of the sending end of `direction`. */
n3_status n3_link_address(const n3_link *link, n3_addr *out, n3_direction direction, n3_family family);
/* What the direction is like, defaults filled in. */
n3_status n3_link_get_path(const n3_link *link, n3_path *out, n3_direction direction);
/* The smallest MTU of all links so far: what passes everywhere without being fragmented; 0 for NULL. */
uint32_t n3_least_mtu(const n3_sim *sim);
/* Changes the loss from now on; also a way to cut a link. */
n3_status n3_link_set_loss(n3_link *link, n3_direction direction, uint32_t loss_ppb);

typedef struct n3_link_stats {
    uint64_t sent_packets, sent_octets; /* put on the wire by the sender, IP octets; fragments count singly */
    uint64_t delivered_packets, delivered_octets; /* handed to the receiver's IP layer */
    uint64_t lost_packets;                        /* by the loss probability */
    uint64_t queue_dropped;                       /* never sent: queue full */
    uint64_t hook_dropped, hook_delayed, hook_replaced;
    uint64_t hook_rejected; /* replacements that were no IP packet; the frame was dropped */
    uint64_t injected;
} n3_link_stats;

n3_status n3_link_get_stats(const n3_link *link, n3_link_stats *out, n3_direction direction);

/* ---- routes ------------------------------------------------------------------------------------------ */

/* All routing is static; the longest prefix wins, a later route replaces an earlier one of the same prefix.
 * Networks of attached links need no route. */
n3_status n3_route_add(n3_node *node, const n3_addr *network, unsigned prefix_len, n3_link *via);
n3_status n3_route_default(n3_node *node, n3_link *via); /* for each family of the simulation */

/* Lays routes for the whole network as it stands, on the path of fewest links (ties: the link made first):
 * a node with one link gets a default route, any other a route to every network and service address. May be
 * called again after the network grew. Routes added by hand afterwards win. */
n3_status n3_routes_build(n3_sim *sim);

/* ---- UDP --------------------------------------------------------------------------------------------- */

#define N3_UDP_MAX 65487 /* payload octets, both families; longer than the MTU is fragmented */

/* `data` is borrowed for the call. `to` is the address that the datagram was sent to. */
typedef void (*n3_udp_fn)(void *user, const n3_endpoint *from, const n3_endpoint *to, const uint8_t *data,
                          size_t len);

/* `local`: an address of the node or n3_addr_any(); port 0: one is chosen. `received` may be NULL. */
n3_status n3_udp_new(n3_udp **out, n3_node *node, const n3_endpoint *local, n3_udp_fn received, void *user);
/* The data is copied. N3_OK says that the datagram was sent, not that it arrives. */
n3_status n3_udp_send(n3_udp *udp, const n3_endpoint *to, const void *data, size_t len);
n3_status n3_udp_local(const n3_udp *udp, n3_endpoint *out); /* with the port that was chosen */
void n3_udp_free(n3_udp *udp);

/* ---- TCP --------------------------------------------------------------------------------------------- */

#define N3_TCP_CONNECT_TIMEOUT 8000000000u  /* ns */
#define N3_TCP_CLOSE_TIMEOUT   60000000000u /* ns */
#define N3_TCP_QUEUE           1048576      /* octets */
#define N3_TCP_QUEUE_MAX       1073741824

typedef enum n3_tcp_end N3_ENUM {
    N3_TCP_END_CLOSED = 1,  /* both sides closed in order */
    N3_TCP_END_RESET,       /* the peer reset it */
    N3_TCP_END_REFUSED,     /* nobody listens there; one round trip after connecting */
    N3_TCP_END_TIMED_OUT,   /* no answer before the connect timer ran out, or retransmissions exhausted */
    N3_TCP_END_UNREACHABLE, /* no route */
    N3_TCP_END_ABORTED      /* state after n3_tcp_abort(); never passed to `ended` */
} n3_tcp_end;

const char *n3_tcp_end_name(n3_tcp_end end); /* "refused" */

/* Any may be NULL. */
typedef struct n3_tcp_handlers {
    void (*connected)(void *user, n3_tcp *tcp);                                 /* connecting side only */
    void (*received)(void *user, n3_tcp *tcp, const uint8_t *data, size_t len); /* data borrowed */
    void (*drained)(void *user, n3_tcp *tcp);     /* everything queued was handed to TCP */
    void (*peer_closed)(void *user, n3_tcp *tcp); /* the peer closed first; close too when you are done */
    /* Last callback of a connection, once, unless the owner aborted or freed it before. */
    void (*ended)(void *user, n3_tcp *tcp, n3_tcp_end why);
} n3_tcp_handlers;

typedef struct n3_tcp_config {
    n3_tcp_handlers handlers; /* copied */
    void *user;
    uint64_t connect_timeout_ns; /* 0: N3_TCP_CONNECT_TIMEOUT */
    size_t max_queue;            /* octets waiting to be sent, 0: N3_TCP_QUEUE */
} n3_tcp_config;

/* Starts connecting; the outcome comes through `connected` or `ended`, never inside this call. `local` may be
 * NULL; its port may be 0. Sending may begin at once. */
n3_status n3_tcp_connect(n3_tcp **out, n3_node *node, const n3_endpoint *local, const n3_endpoint *remote,
                         const n3_tcp_config *config);

/* A connection came in and now belongs to the owner of the listener, who calls n3_tcp_configure() on it
 * within this callback. To refuse it: n3_tcp_free(). */
typedef void (*n3_accept_fn)(void *user, n3_tcp *tcp);

n3_status n3_listen(n3_listener **out, n3_node *node, const n3_endpoint *local, n3_accept_fn accepted,
                    void *user);
n3_status n3_listener_local(const n3_listener *listener, n3_endpoint *out);
/* Connections that were accepted live on. */
void n3_listener_free(n3_listener *listener);

/* Sets or changes handlers, user and queue limit (the connect timer stays as it is). */
n3_status n3_tcp_configure(n3_tcp *tcp, const n3_tcp_config *config);
/* Queues a copy; all or nothing. N3_ERR_LIMIT: it would exceed max_queue; N3_ERR_STATE: after
 * n3_tcp_close(); N3_ERR_CLOSED: the connection has ended. */
n3_status n3_tcp_send(n3_tcp *tcp, const void *data, size_t len);
size_t n3_tcp_queued(const n3_tcp *tcp); /* octets not yet handed to TCP */
/* No more sending; the FIN goes out when the queue is empty. Receiving goes on until the peer closes, or was
 * silent for N3_TCP_CLOSE_TIMEOUT, which ends the connection as timed out. */
n3_status n3_tcp_close(n3_tcp *tcp);
/* Drops the queue, sends a reset. No callback follows. */
void n3_tcp_abort(n3_tcp *tcp);
/* Aborts unless the connection has ended or close() was called (then it finishes in the background). */
void n3_tcp_free(n3_tcp *tcp);
bool n3_tcp_connected(const n3_tcp *tcp);   /* established and not ended */
n3_tcp_end n3_tcp_ended(const n3_tcp *tcp); /* 0: it has not */
n3_status n3_tcp_local(const n3_tcp *tcp, n3_endpoint *out);
n3_status n3_tcp_remote(const n3_tcp *tcp, n3_endpoint *out);

/* ---- captures ---------------------------------------------------------------------------------------- */

typedef enum n3_capture_mode N3_ENUM {
    N3_CAPTURE_EVERY = 0, /* each transmission on each of the links */
    N3_CAPTURE_ONCE       /* a packet that is forwarded over several of the links: on the first one only */
} n3_capture_mode;

/* Writes what is sent on the links that are added to it to one pcap file (nanosecond time stamps, little
 * endian, link type PPP), in order of virtual time. A frame is recorded when its sender puts its first octet
 * on the wire, so frames that the link loses or a hook drops are in the file, and frames that find the queue
 * full are not. A replacement made by a hook and an injected packet are recorded as packets of their own.
 * Time stamps are start_utc_ns + virtual time. */
n3_status n3_capture_new(n3_capture **out, n3_sim *sim, const char *path, n3_capture_mode mode);
n3_status n3_capture_add(n3_capture *capture, n3_link *link); /* N3_ERR_STATE if it was added before */
/* Only packets for which wanted() is true; it sees the IP packet and must not change the simulation. */
typedef bool (*n3_capture_fn)(void *user, const n3_link *link, n3_direction direction, const uint8_t *packet,
                              size_t len);
n3_status n3_capture_filter(n3_capture *capture, n3_capture_fn wanted, void *user);
uint64_t n3_capture_packets(const n3_capture *capture);
/* Writes what is buffered, closes the file, frees. N3_ERR_IO if anything could not be written at any time. */
n3_status n3_capture_free(n3_capture *capture);

/* ---- the hook: someone on the wire ------------------------------------------------------------------- */

typedef enum n3_action N3_ENUM {
    N3_PASS = 0,
    N3_DROP,
    N3_DELAY,  /* pass it on delay_ns later than the link would */
    N3_REPLACE /* send `packet` in its stead; delay_ns counts too */
} n3_action;

typedef struct n3_verdict {
    n3_action action;
    uint64_t delay_ns;     /* at most N3_MAX_LINK_DELAY */
    const uint8_t *packet; /* N3_REPLACE: an IP packet, borrowed until the hook returns */
    size_t len;
} n3_verdict;

/* Sees every IP packet (header included) that one end sends, before loss strikes. Fills `verdict`, which
 * comes in as N3_PASS. May send, inject and schedule. Replaced and injected packets do not pass it again. */
typedef void (*n3_hook_fn)(void *user, n3_link *link, n3_direction direction, const uint8_t *packet,
                           size_t len, n3_verdict *verdict);

/* `hook` NULL takes it away. One hook a link. */
n3_status n3_link_set_hook(n3_link *link, n3_hook_fn hook, void *user);

/* Sends an IP packet towards the receiver of `direction`, from the wire: it arrives after the link's delay
 * and transmission time, does not queue behind the sender's packets, and is neither lost nor shown to the
 * hook. As with replacements, lengths and checksums (IPv4 header; UDP, TCP and ICMPv6 of unfragmented
 * packets) are made right, so the caller may leave them zero. */
n3_status n3_link_inject(n3_link *link, n3_direction direction, const void *packet, size_t len);

/* Builds an unfragmented IP packet (hop limit 64) with a UDP datagram. *len: in room, out size. */
n3_status n3_packet_udp(uint8_t *out, size_t *len, const n3_endpoint *from, const n3_endpoint *to,
                        const void *data, size_t data_len);
/* Makes lengths and checksums of an IP packet right. */
n3_status n3_packet_fix(uint8_t *packet, size_t len);

#undef N3_ENUM
#ifdef __cplusplus
}
#endif

#endif
