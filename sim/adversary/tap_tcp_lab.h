/* Test support: TCP connections from a to b over r, and an adversary on one of the links who does with each
 * message what it says. */
#ifndef SIM_ADVERSARY_TAP_TCP_LAB_H
#define SIM_ADVERSARY_TAP_TCP_LAB_H

#include "adversary/tap.h"
#include "ns3shim/n3_test.h"

#define LOSS_5_PERCENT 50000000u
#define SHORT_BODY     10 /* octets: of replacements */
#define LONG_BODY      30000

typedef struct end {
    n3_tcp *tcp;
    n3_sim *sim;
    ibk_buf got;
    bool peer_closed, ended, stays_open;
    size_t got_at_close;
    n3_tcp_end why;
    uint64_t last_ns;
} end;

enum { CONNECTIONS = 20 };

typedef struct tap_tcp_lab {
    world w;
    tap *t;
    n3_listener *listener;
    n3_endpoint server_at;
    end client[CONNECTIONS], server[CONNECTIONS];
    size_t clients, servers;
    size_t shown[TAP_KINDS], shown_octets;
    bool drop_packets;
    uint64_t delay_ns;
    tap_message last;
} tap_tcp_lab;

extern tap_tcp_lab lab;

void scene_open(world_config config, uint16_t port); /* b listens there */
void tap_on(n3_link *link, bool active);
void lab_accept(void *user, n3_tcp *tcp); /* of a listener: the next server */
end *connect_client(void);
void run_for(uint64_t ns);
tap_stats scene_close(void);
/* After a failure too: there is one simulation at a time. */
int close_scene(void **state);
void check_got(const end *e, const ibk_buf *want);

/* Appends a SIP message: what the adversary does with it, which one it is, and a body. What it can do: pass,
 * drop, shorter, longer, delay (20 s), insert (one before), reverse (answer it, and drop it). */
void put_sip(ibk_buf *out, const char *what, unsigned number, size_t body);
/* One of everything, and what comes of it; `back`: what the other end gets. */
void make_mixture(ibk_buf *sent, ibk_buf *arrives, ibk_buf *back);
/* The adversary. */
void seen(void *user, const tap_message *message, tap_verdict *verdict);

#endif
