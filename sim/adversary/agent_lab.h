/* Test support: an adversary's terminal on a small network, with one private key. Linked into tests only. */
#ifndef SIM_ADVERSARY_AGENT_LAB_H
#define SIM_ADVERSARY_AGENT_LAB_H

#include "adversary/agent.h"
#include "ibake/lab.h"
#include "ims/stage.h"

#define ALICE "sip:alice@home.example"
#define BOB   "sip:bob@away.example"

typedef struct side {
    ims_host *host;
    craft *craft;
    agent *agent;
    const char *key_of; /* whose private key it has; NULL: nobody's */
    ibk_ibe_key *kept[64];
    size_t n_kept;
    unsigned tgks;
} side;

/* `model` NULL: its cryptography takes no time. Asserts that all goes well. */
void side_open(side *s, stage *network, const char *name, const char *key_of, const cpu_model *model);
void side_close(side *s);

int agent_lab_setup(void **state); /* for cmocka_run_group_tests */
int agent_lab_teardown(void **state);

#endif
