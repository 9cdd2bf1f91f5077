/* Test support: an IMS core over the simulated network, and UEs whose requests are made by hand. */
#ifndef IMS_CORE_CORE_STAGE_H
#define IMS_CORE_CORE_STAGE_H

#include "ims/core/cscf.h"
#include "ims/stage.h"

#define HOME "home.example"
enum { ALICE, BOB, MALLORY, CAROL, PHONES };

/* A UE's SIP stack and what it saw. */
typedef struct phone {
    ims_host *host;
    int status;        /* of the last final response */
    sip_msg *response; /* that response */
    int provisional;   /* status of the last provisional response but 100 */
    sip_msg *informed; /* that response */
    int requests;      /* that arrived */
    int answer;        /* status with which requests are answered; 180: they ring until a CANCEL */
    sip_msg *request;  /* the last one that arrived */
    int cancels;       /* that arrived */
    sip_cause cause;   /* with which the last client transaction ended */
    uint32_t cseq;
} phone;

typedef struct core {
    stage stage;
    pcscf *p;
    icscf *i;
    scscf *s;
    hss *h;
    phone phone[PHONES];
} core;

/* alice ("open sesame"), bob ("tell nobody") and carol ("never mind", with services while unregistered) are
 * subscribers, mallory's private identity is one of bob's ("what else"). Each UE answers 486. */
int core_set_up(void **state);
int core_set_up_sequential(void **state); /* with an S-CSCF that forks sequentially, 5 s a contact */
int core_tear_down(void **state);

const char *core_phone_name(int who);
sip_msg *core_request(core *c, int who, const char *method, const char *uri, const char *to);
/* Sends it, plays 40 s (longer than every time-out), and returns the final status; 0: none. */
int core_send(core *c, int who, sip_msg *request);
sip_msg *core_new_register(core *c, int who, const char *impu, unsigned expires);
int core_ask_for_challenge(core *c, int who, unsigned expires, const char *impi);
int core_answer_challenge(core *c, int who, unsigned expires, const char *impi, const char *password);
/* Registers with its own private identity, under its own public identity. */
void core_register(core *c, int who, unsigned expires, const char *password);
/* mallory's UE as a device of bob's, with a q-value (NULL: none). */
void core_register_device(core *c, unsigned expires, const char *q);
int core_invite(core *c, int who, const char *called);

#endif
