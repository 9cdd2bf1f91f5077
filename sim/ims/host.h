/* A node of the simulated IMS: its place in the network, its clocks, its randomness, its SIP stack. Every
 * network function and UE stands on one. */
#ifndef IMS_HOST_H
#define IMS_HOST_H

#include "cpu/cpu.h"
#include "ims/names.h"
#include "ims/sip/net.h"
#include "ims/sip/stack.h"
#include "ns3shim/n3.h"
#include "random/random.h"
#include "trace/keylog.h"
#include "trace/trace.h"

#include <ibake.h>

struct ims_host;

/* What all nodes of one run share; owned by the run. */
typedef struct ims_world {
    n3_sim *sim;
    trace *trace;
    keylog_writer *keylog; /* NULL: no key log is kept */
    /* Sees what every host's protocol code tells its key log, whether one is kept or not; NULL: nobody. What
     * it sees are secrets: whoever keeps them has to wipe them. */
    void (*watch_keys)(void *user, const struct ims_host *host, const ibk_keylog_record *record);
    void *watch_keys_user;
    ims_names *names;
    uint64_t seed;
    int64_t start_utc_ns; /* true UTC at virtual time 0 */
    char untimed[160];    /* the first operation for which a node's CPU model has no time, in words; "" */
} ims_world;

typedef struct ims_host_config {
    ims_world *world;
    n3_node *node;
    const char *name;        /* in the event log, and the FQDN of a network function; must outlive the host */
    sip_addr addr;           /* its address; the port is set to 5060 */
    int64_t clock_offset_ns; /* its wall clock minus the true one */
    bool quiet;              /* no SIP stack: a host for other protocols */
    const cpu_model *cpu;    /* of its processor; NULL: `instant` */
    unsigned cores;          /* 0: 1 */
    size_t path_mtu; /* octets; requests over path_mtu - 200 go by TCP (RFC 3261 §18.1.1); 0: 1,500 */
} ims_host_config;

typedef struct ims_host {
    ims_world *world;
    n3_node *node;
    const char *name;
    sip_addr addr;
    int64_t clock_offset_ns;
    sip_stack *stack; /* NULL if quiet */
    sip_net *net;
    sim_random *sip_random;
    sim_random *tls_random;                /* what TLS draws on this node; made when first used */
    sim_random *draws[IBK_DRAW_BLIND + 1]; /* a stream for each label, made when first used */
    cpu *cpu;                              /* NULL: cryptography takes no time here */
} ims_host;

/* `core` is copied; it is unused if quiet. */
ibk_err ims_host_new(ims_host **out, const ims_host_config *config, const sip_core *core);
void ims_host_free(ims_host *host);

uint64_t ims_host_now(const ims_host *host);  /* virtual ns */
ibk_time ims_host_time(const ims_host *host); /* timer clock and this host's wall clock */

/* One-shot timers; 0 is "none". `fire` runs once, unless cancelled. */
typedef uint64_t ims_timer;
ims_timer ims_host_timer(ims_host *host, uint64_t delay_ns, void (*fire)(void *arg), void *arg);
void ims_host_cancel(ims_host *host, ims_timer *timer); /* sets it to 0 */

/* The stream of this host's TLS connections; NULL: out of memory. Owned by the host. */
sim_random *ims_host_tls_random(ims_host *host);

/* What the protocol code asks of this host: labelled random streams, the event log, the key log; the costly
 * operations that it reports are charged to the processor. */
ibk_env ims_host_env(ims_host *host);

/* The same for an operation that the simulator carries out itself. */
void ims_host_charge(ims_host *host, ibk_work what, unsigned size);

/* Hands what was charged since the last call to the processor, as one job. NULL: there was nothing to do (the
 * caller goes on at once), or no memory for it. Else `done` (may be NULL) runs when the job is over, unless
 * it is forgotten before. `what` (static) and `call` (a Call-ID or NULL) name it in the event log. */
cpu_job *ims_host_work(ims_host *host, const char *what, const char *call, cpu_done *done, void *arg);

#endif
