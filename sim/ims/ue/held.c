/* Steps of a session that leave the UE only when its processor has done their work. */
#include "ims/ue/internal.h"

#include <stdlib.h>

struct ue_held {
    ue_leg *leg;
    cpu_job *job; /* NULL: done, or there was nothing to do */
    ibk_step step;
    ibk_buf message; /* the step's */
    ue_step_fn *go_on;
    ue_held *next;
};

static void free_held(ue_held *held) {
    ibk_buf_free(&held->message);
    free(held);
}

/* In the order of the steps: with several cores a later one may be ready first. */
static void go_on(ue_leg *leg) {
    while (leg->held && !leg->held->job) {
        ue_held *held = leg->held;
        leg->held = held->next;
        held->go_on(leg, &held->step);
        free_held(held);
    }
}

static void computed(void *arg, const cpu_job_times *times) {
    ue_held *held = arg;
    (void)times;
    held->job = NULL;
    go_on(held->leg);
}

void ue_leg_after_work(ue_leg *leg, const ibk_step *step, ue_step_fn *go_on_with) {
    ims_host *host = leg->call->u->host;
    const char *what = step->message_type ? ibk_msg_type_name(step->message_type) : "session";
    const char *call = leg->call->view.call_id[0] ? leg->call->view.call_id : leg->call->script->name;
    if (step->kind == IBK_STEP_NEED_KEY || step->kind == IBK_STEP_NEED_PARAMS) {
        ims_host_work(host, what, call, NULL, NULL);
        go_on_with(leg, step);
        return;
    }
    ue_held *held = calloc(1, sizeof *held), **end = &leg->held;
    if (!held || ibk_buf_append_span(&held->message, step->message)) {
        free(held);
        ue_call_give_up(leg->call, IBK_ERR_NO_MEMORY, NULL);
        return;
    }
    *held = (ue_held){.leg = leg, .step = *step, .message = held->message, .go_on = go_on_with};
    held->step.message = ibk_buf_span(&held->message);
    held->job = ims_host_work(host, what, call, computed, held);
    while (*end)
        end = &(*end)->next;
    *end = held;
    if (leg->held == held && !held->job)
        go_on(leg);
}

void ue_leg_drop_held(ue_leg *leg) {
    for (ue_held *held = leg->held, *next; held; held = next) {
        next = held->next;
        cpu_forget(held->job);
        free_held(held);
    }
    leg->held = NULL;
}
