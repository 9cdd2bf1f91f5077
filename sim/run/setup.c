#include "run/setup.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum ev_kind { EV_SENT = 1, EV_RECEIVED, EV_JOB, EV_KEYS_AWAITED, EV_KEYS_THERE } ev_kind;

typedef struct ev {
    ev_kind kind;
    uint64_t at_ns;
    const char *node, *peer;           /* interned, as the next one */
    const char *message;               /* label and CSeq: tells messages between two nodes apart */
    bool ringing, tcp, again;          /* SENT: a 180; over TCP; a retransmission */
    n3_addr address;                   /* SENT: of the peer */
    uint64_t octets;                   /* SENT */
    uint64_t submitted_ns, started_ns; /* JOB */
} ev;

/* What is known of one name: a Call-ID, or a call of the scenario as long as it has no Call-ID. */
typedef struct story {
    char *name;
    uint64_t placed_ns;
    ev *list;
    size_t count, cap;
    bool closed, known;
    setup_account account;
    struct story *next;
} story;

typedef struct interval {
    uint64_t from_ns, to_ns;
} interval;

typedef struct word {
    char *text;
    bool user;         /* the name of a user, and so of a UE; then also: */
    const char *asked; /* the KMS that has its latest request; NULL: it was answered */
    uint64_t asked_ns;
    interval *served; /* each from a request to its answer, as the KMS sees them; none overlaps another */
    size_t served_count, served_cap;
    struct word *next;
} word;

struct setup {
    const scn_scenario *scenario;
    n3_sim *sim;
    const hops *hops;
    void *stories, *words;
    story *first_story;
    word *first_word;
    bool failed; /* out of memory: nothing is told any more */
};

/* ---- names
 * ------------------------------------------------------------------------------------------------ */

static int by_name(const void *a, const void *b) {
    return strcmp(((const story *)a)->name, ((const story *)b)->name);
}

static int by_text(const void *a, const void *b) {
    return strcmp(((const word *)a)->text, ((const word *)b)->text);
}

static const char *intern(setup *s, const char *text) {
    word key = {.text = (char *)text};
    word **found = tfind(&key, &s->words, by_text);
    if (found)
        return (*found)->text;
    word *w = calloc(1, sizeof *w);
    if (w && (w->text = strdup(text)) && tsearch(w, &s->words, by_text)) {
        w->next = s->first_word;
        s->first_word = w;
        w->user = scn_find_user(s->scenario, text) != NULL;
        return w->text;
    }
    if (w)
        free(w->text);
    free(w);
    s->failed = true;
    return "";
}

static const char *intern_span(setup *s, ibk_span text) {
    char copy[300];
    snprintf(copy, sizeof copy, "%.*s", (int)text.len, (const char *)text.data);
    return intern(s, copy);
}

static story *find_story(const setup *s, const char *name) {
    story key = {.name = (char *)name};
    story **found = tfind(&key, (void *const *)&s->stories, by_name);
    return found ? *found : NULL;
}

static story *story_of(setup *s, ibk_span name) {
    char copy[300];
    snprintf(copy, sizeof copy, "%.*s", (int)name.len, (const char *)name.data);
    story *found = find_story(s, copy);
    if (found)
        return found;
    story *made = calloc(1, sizeof *made);
    if (made && (made->name = strdup(copy)) && tsearch(made, &s->stories, by_name)) {
        made->next = s->first_story;
        s->first_story = made;
        return made;
    }
    if (made)
        free(made->name);
    free(made);
    s->failed = true;
    return NULL;
}

static void close_story(story *t) {
    free(t->list);
    t->list = NULL;
    t->count = t->cap = 0;
    t->closed = true;
}

static void add(setup *s, story *t, const ev *e) {
    if (!IBK_ROOM(t->list, t->count, t->cap)) {
        s->failed = true;
        return;
    }
    t->list[t->count++] = *e;
}

/* ---- the account
 * -------------------------------------------------------------------------------------------- */

uint64_t setup_crypto(const setup_account *a) {
    uint64_t sum = 0;
    for (size_t i = 0; i < a->node_count; i++)
        sum += a->nodes[i].computing_ns + a->nodes[i].queued_ns;
    return sum;
}

uint64_t setup_total(const setup_account *a) {
    return a->ringing_ns + a->radio_ns + a->core_ns + a->resent_ns + a->keys_ns + a->kms_ns +
           a->signalling_ns + setup_crypto(a);
}

static setup_node *node_of(setup_account *a, const char *name) {
    for (size_t i = 0; i < a->node_count; i++)
        if (strcmp(a->nodes[i].name, name) == 0)
            return &a->nodes[i];
    if (a->node_count == SETUP_NODES)
        return &a->nodes[SETUP_NODES - 1];
    a->nodes[a->node_count].name = name;
    return &a->nodes[a->node_count++];
}

typedef struct walk {
    setup *s;
    story *t, *before; /* of the Call-ID; of the scenario's name (may be NULL) */
    setup_account *account;
} walk;

static word *word_of(const setup *s, const char *text) {
    word key = {.text = (char *)text};
    word **found = tfind(&key, (void *const *)&s->words, by_text);
    return found ? *found : NULL;
}

static bool is_user(const walk *w, const char *node) {
    const word *found = word_of(w->s, node);
    return found && found->user;
}

/* A node waits for keys or parameters: what a KMS did for it meanwhile is told apart. */
static void account_keys(const walk *w, const char *node, uint64_t from, uint64_t to) {
    const word *ue = word_of(w->s, node);
    uint64_t kms = 0;
    for (size_t i = 0; ue && i < ue->served_count; i++) {
        uint64_t begin = ue->served[i].from_ns > from ? ue->served[i].from_ns : from;
        uint64_t end = ue->served[i].to_ns < to ? ue->served[i].to_ns : to;
        kms += begin < end ? end - begin : 0;
    }
    w->account->kms_ns += kms;
    w->account->keys_ns += to - from - kms;
}

/* What is between `from` and `to` at a node, but no cryptography: a UE that has sent its 180 rings; one whose
 * exchange waits for keys waits for keys. */
static void account_rest(const walk *w, const char *node, uint64_t from, uint64_t to) {
    const story *const stories[] = {w->before, w->t};
    uint64_t awaited = UINT64_MAX;
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; stories[k] && i < stories[k]->count; i++) {
            const ev *e = &stories[k]->list[i];
            if (e->node != node || e->at_ns > to)
                continue;
            if (e->kind == EV_KEYS_AWAITED) {
                awaited = e->at_ns;
            } else if (e->kind == EV_KEYS_THERE && awaited < e->at_ns && e->at_ns > from) {
                uint64_t begin = awaited > from ? awaited : from;
                w->account->signalling_ns += begin - from;
                account_keys(w, node, begin, e->at_ns);
                from = e->at_ns;
            } else if (e->kind == EV_SENT && e->ringing && is_user(w, node)) {
                uint64_t begin = e->at_ns > from ? e->at_ns : from;
                w->account->signalling_ns += begin - from;
                w->account->ringing_ns += to - begin;
                return;
            }
        }
    w->account->signalling_ns += to - from;
}

/* Takes the jobs of one story out of [*from, to); they are in the order in which they ended. */
static void account_jobs(const walk *w, const story *t, const char *node, uint64_t *from, uint64_t to) {
    for (size_t i = 0; t && i < t->count; i++) {
        const ev *e = &t->list[i];
        if (e->kind != EV_JOB || e->node != node || e->at_ns <= *from || e->submitted_ns >= to || *from >= to)
            continue;
        uint64_t submitted = e->submitted_ns > *from ? e->submitted_ns : *from;
        uint64_t started = e->started_ns > submitted ? e->started_ns : submitted;
        uint64_t ended = e->at_ns < to ? e->at_ns : to;
        started = started < ended ? started : ended;
        account_rest(w, node, *from, submitted);
        setup_node *n = node_of(w->account, node);
        n->queued_ns += started - submitted;
        n->computing_ns += ended - started;
        *from = ended;
    }
}

static void account_node(const walk *w, const char *node, uint64_t from, uint64_t to) {
    account_jobs(w, w->before, node, &from, to);
    account_jobs(w, w->t, node, &from, to);
    account_rest(w, node, from, to);
}

/* ---- the walk
 * ----------------------------------------------------------------------------------------------- */

#define NOTHING SIZE_MAX

static size_t last_received(const story *t, size_t before, const char *node, uint64_t until,
                            const char *message) {
    for (size_t i = before; i-- > 0;) {
        const ev *e = &t->list[i];
        if (e->kind == EV_RECEIVED && e->node == node && e->at_ns <= until &&
            (!message || e->message == message))
            return i;
    }
    return NOTHING;
}

static bool was_passed_on(const story *t, size_t from, size_t to, const ev *sent) {
    for (size_t i = from; i < to; i++) {
        const ev *e = &t->list[i];
        if (e->kind == EV_SENT && e->node == sent->node && e->message == sent->message &&
            e->at_ns < sent->at_ns)
            return true;
    }
    return false;
}

/* The message that made `node` do what it did at `at_ns`, as event number `index`: the one whose work a job
 * did that ended then; at a function of the core, the same message as it came in; else what came last. */
static size_t cause_of(const walk *w, const char *node, uint64_t at_ns, size_t index) {
    const story *t = w->t;
    for (size_t i = index; i-- > 0;) {
        const ev *e = &t->list[i];
        if (e->kind == EV_JOB && e->node == node && e->at_ns == at_ns)
            return last_received(t, i, node, e->submitted_ns, NULL);
    }
    if (index < t->count && !is_user(w, node)) {
        const ev *sent = &t->list[index];
        size_t same = last_received(t, index, node, at_ns, sent->message);
        if (same != NOTHING && !was_passed_on(t, same, index, sent))
            return same;
    }
    return last_received(t, index, node, at_ns, NULL);
}

static bool passed(const walk *w, const ev *sent, uint64_t until_ns, hops_passage *passage) {
    hops_message m = {.from = n3_node_find(w->s->sim, sent->node),
                      .to = sent->address,
                      .tcp = sent->tcp,
                      .octets = sent->octets,
                      .sent_ns = sent->at_ns,
                      .until_ns = until_ns};
    return hops_passed(w->s->hops, &m, passage);
}

static bool is_copy(const ev *sent, const ev *received) {
    return sent->kind == EV_SENT && sent->node == received->peer && sent->peer == received->node &&
           sent->message == received->message;
}

/* The copy that arrived: the last one that could. */
static size_t copy_of(const walk *w, size_t received, hops_passage *passage) {
    const ev *r = &w->t->list[received];
    for (size_t i = received; i-- > 0;)
        if (is_copy(&w->t->list[i], r) && passed(w, &w->t->list[i], r->at_ns, passage))
            return i;
    for (size_t i = received; i-- > 0;) /* its packets were not seen */
        if (is_copy(&w->t->list[i], r)) {
            *passage = (hops_passage){.passed_ns = r->at_ns};
            return i;
        }
    return NOTHING;
}

/* The first copy of what was sent as event number `copy`. */
static size_t first_copy(const walk *w, size_t copy, const ev *received) {
    const ev *list = w->t->list;
    for (size_t i = copy; i-- > 0 && list[copy].again;)
        if (is_copy(&list[i], received))
            copy = i;
    return copy;
}

static void account_link(const walk *w, const ev *sent, const ev *received, const hops_passage *p) {
    bool up = is_user(w, sent->node), down = is_user(w, received->node);
    uint64_t first = p->passed_ns - p->resent_ns - sent->at_ns, rest = received->at_ns - p->passed_ns;
    *(up ? &w->account->radio_ns : &w->account->core_ns) += first;
    *(down ? &w->account->radio_ns : &w->account->core_ns) += rest;
    w->account->resent_ns += p->resent_ns;
}

static void walk_back(const walk *w, const char *caller, uint64_t established_ns) {
    const story *t = w->t;
    const char *node = caller;
    uint64_t at = established_ns, placed = w->before ? w->before->placed_ns : t->placed_ns;
    size_t index = t->count;
    for (;;) {
        size_t cause = cause_of(w, node, at, index), copy = NOTHING;
        hops_passage passage = {0};
        if (cause != NOTHING)
            copy = copy_of(w, cause, &passage);
        if (copy == NOTHING) {
            account_node(w, node, placed, at);
            return;
        }
        const ev *received = &t->list[cause], *sent = &t->list[copy];
        account_node(w, node, received->at_ns, at);
        account_link(w, sent, received, &passage);
        index = first_copy(w, copy, received);
        w->account->resent_ns += sent->at_ns - t->list[index].at_ns;
        node = sent->node;
        at = t->list[index].at_ns;
    }
}

/* ---- events
 * ------------------------------------------------------------------------------------------------- */

static uint64_t number_of(const trace_event *event, const char *key) {
    const trace_field *field = trace_event_field(event, key);
    return field && field->type == TRACE_UINT ? field->u : 0;
}

static bool starts_with(ibk_span text, const char *start) {
    return text.len >= strlen(start) && memcmp(text.data, start, strlen(start)) == 0;
}

static bool ends_with(ibk_span text, const char *end) {
    size_t len = strlen(end);
    return text.len >= len && memcmp(text.data + text.len - len, end, len) == 0;
}

static void take_message(setup *s, story *t, const trace_event *event) {
    bool sent = strcmp(event->event, "sent") == 0;
    ibk_span label = trace_event_text(event, "label"), cseq = trace_event_text(event, "cseq");
    char message[300], address[N3_ADDR_TEXT];
    if ((!sent && strcmp(event->event, "received") != 0) || ends_with(cseq, " REGISTER"))
        return;
    snprintf(message, sizeof message, "%.*s|%.*s", (int)label.len, (const char *)label.data, (int)cseq.len,
             (const char *)cseq.data);
    ev e = {.kind = sent ? EV_SENT : EV_RECEIVED,
            .at_ns = event->time_ns,
            .node = intern(s, event->node),
            .peer = intern_span(s, trace_event_text(event, "peer")),
            .message = intern(s, message),
            .ringing = starts_with(label, "180"),
            .tcp = starts_with(trace_event_text(event, "transport"), "tcp"),
            .again = trace_event_flag(event, "retransmission"),
            .octets = number_of(event, "octets")};
    ibk_span at = trace_event_text(event, "address");
    snprintf(address, sizeof address, "%.*s", (int)at.len, (const char *)at.data);
    if (sent && at.len)
        n3_addr_parse(&e.address, address);
    add(s, t, &e);
}

static void take_state(setup *s, story *t, const trace_event *event) {
    ibk_span role = trace_event_text(event, "role"), name = trace_event_text(event, "scenario_call");
    bool caller = starts_with(role, "caller");
    if (strcmp(event->event, "waits-for-keys") == 0 || strcmp(event->event, "has-keys") == 0) {
        ev e = {.kind = event->event[0] == 'w' ? EV_KEYS_AWAITED : EV_KEYS_THERE,
                .at_ns = event->time_ns,
                .node = intern(s, event->node)};
        add(s, t, &e);
    } else if (caller && strcmp(event->event, "established") == 0) {
        walk w = {.s = s, .t = t, .before = name.len ? story_of(s, name) : NULL, .account = &t->account};
        const char *node = intern(s, event->node);
        if (!s->failed && s->sim)
            walk_back(&w, node, event->time_ns);
        t->known = !s->failed && s->sim;
        close_story(t);
        if (w.before)
            close_story(w.before);
    } else if (caller && strcmp(event->event, "ended") == 0) {
        close_story(t);
    }
}

static void add_served(setup *s, word *ue, uint64_t to_ns) {
    if (!IBK_ROOM(ue->served, ue->served_count, ue->served_cap)) {
        s->failed = true;
        return;
    }
    ue->served[ue->served_count++] = (interval){ue->asked_ns, to_ns};
}

/* HTTP is spoken with KMSs alone: how long one of them keeps a UE's request. What takes no time is left out.
 */
static void take_http(setup *s, const trace_event *event) {
    const char *kms = intern(s, event->node);
    word *ue = word_of(s, intern_span(s, trace_event_text(event, "peer")));
    if (!ue || !ue->user || (word_of(s, kms) && word_of(s, kms)->user))
        return;
    if (strcmp(event->event, "received") == 0) {
        ue->asked = kms;
        ue->asked_ns = event->time_ns;
    } else if (ue->asked == kms) {
        ue->asked = NULL;
        if (event->time_ns > ue->asked_ns)
            add_served(s, ue, event->time_ns);
    }
}

void setup_event(void *user, const trace_event *event) {
    setup *s = user;
    ibk_span call = trace_event_text(event, "call");
    if (s->failed)
        return;
    if (event->kind == TRACE_HTTP) {
        take_http(s, event);
        return;
    }
    if (event->kind == TRACE_STATE && strcmp(event->event, "call") == 0)
        call = trace_event_text(event, "scenario_call");
    if (call.len == 0 && event->kind == TRACE_STATE) /* before it has a Call-ID */
        call = trace_event_text(event, "scenario_call");
    story *t = call.len ? story_of(s, call) : NULL;
    if (!t || t->closed)
        return;
    if (event->kind == TRACE_SIP) {
        take_message(s, t, event);
    } else if (event->kind == TRACE_CPU) {
        uint64_t submitted = number_of(event, "submitted_ns");
        ev e = {.kind = EV_JOB,
                .at_ns = event->time_ns,
                .node = intern(s, event->node),
                .submitted_ns = submitted,
                .started_ns = submitted + number_of(event, "wait_ns")};
        add(s, t, &e);
    } else if (strcmp(event->event, "call") == 0) {
        t->placed_ns = event->time_ns;
    } else {
        take_state(s, t, event);
    }
}

/* ---- life
 * --------------------------------------------------------------------------------------------------- */

setup *setup_new(const scn_scenario *scenario) {
    setup *s = calloc(1, sizeof *s);
    if (s)
        s->scenario = scenario;
    return s;
}

void setup_attach(setup *s, n3_sim *sim, const hops *hops_) {
    s->sim = sim;
    s->hops = hops_;
}

void setup_free(setup *s) {
    if (!s)
        return;
    for (story *t = s->first_story, *next; t; t = next) {
        next = t->next;
        tdelete(t, &s->stories, by_name);
        free(t->list);
        free(t->name);
        free(t);
    }
    for (word *w = s->first_word, *next; w; w = next) {
        next = w->next;
        tdelete(w, &s->words, by_text);
        free(w->served);
        free(w->text);
        free(w);
    }
    free(s);
}

const setup_account *setup_of(const setup *s, const char *call_id) {
    const story *t = call_id ? find_story(s, call_id) : NULL;
    return t && t->known && !s->failed ? &t->account : NULL;
}
