/* Raw calls and repeated calls to calls. */
#include "scenario/names.h"
#include <string.h>

typedef struct calls {
    scn_ctx *ctx;
    scn_scenario *s;
    raw_call *raw; /* of the list */
    scn_index users;
} calls;

static const scn_user *user_of(calls *c, raw_call *call, size_t entry, const char *key, const char *template,
                               size_t number) {
    const char *name = scn_put_number(c->ctx->arena, template, number);
    const scn_named *found = scn_index_find(&c->users, name);
    if (found != NULL)
        return &c->s->users[found->index];
    scn_error *e = scn_report(c->ctx, scn_where_of(&call->head, key), "calls[%zu].%s: there is no user '%s'",
                              entry, key, scn_show(c->ctx, name));
    const char *nearest = scn_index_nearest(&c->users, name);
    if (nearest != NULL)
        scn_hint(e, "did you mean '%s'?", nearest);
    else if (c->users.count > 0)
        scn_hint(e, "the first user is '%s'", c->s->users[0].name);
    return NULL;
}

static bool check_pair(calls *c, raw_call *call, size_t entry, const scn_user *from, const scn_user *to) {
    const scn_where *where = scn_where_of(&call->head, "to");
    if (from == to) {
        scn_hint(scn_report(c->ctx, where, "calls[%zu]: '%s' calls itself", entry, from->name),
                 "caller and callee are two users");
        return false;
    }
    if (to->contact_of != NULL) {
        scn_hint(scn_report(c->ctx, where, "calls[%zu]: '%s' is a device of '%s'", entry, to->name,
                            to->contact_of->name),
                 "call '%s': its S-CSCF finds the device", to->contact_of->name);
        return false;
    }
    return true;
}

/* A call that cannot end before the run does would fail for no reason of its own. */
static bool check_times(calls *c, raw_call *raw, size_t entry, const scn_call *call) {
    if (call->at_ns < call->from->on_ns) {
        scn_error *e = scn_report(c->ctx, scn_where_of(&raw->head, "at"),
                                  "calls[%zu] begins before '%s' is switched on", entry, call->from->name);
        scn_hint(e, "see the keys 'on' and 'every' of the user");
        return false;
    }
    if (call->at_ns + call->ring_ns + call->duration_ns <= c->s->time_limit_ns)
        return true;
    char limit[SCN_NUMBER_MAX];
    scn_number_write(limit, (int64_t)c->s->time_limit_ns, &scn_time_quantity);
    scn_error *e = scn_report(c->ctx, scn_where_of(&raw->head, "at"),
                              "calls[%zu] would last beyond the end of the run", entry);
    scn_hint(e, "time-limit is %s; the last call rings and talks beyond it", limit);
    return false;
}

static void check_group(calls *c, const raw_call *call) {
    scn_check_number(c->ctx, &call->head, "name", call->call.name);
    scn_check_number(c->ctx, &call->head, "from", call->from);
    scn_check_number(c->ctx, &call->head, "to", call->to);
    scn_check_number(c->ctx, &call->head, "called-as", call->call.called_as);
    if (call->group == 1 && call->every_ns != 0)
        scn_hint(
            scn_report(c->ctx, scn_where_of(&call->head, "every"), "'every' has no effect on a single call"),
            "it belongs to repeated calls, with 'count'");
}

/* The identity of the callee that is called. */
static const char *identity_of(calls *c, const raw_call *raw, size_t entry, const scn_user *to,
                               size_t number) {
    if (raw->call.called_as == NULL)
        return to->identity;
    const char *wanted = scn_put_number(c->ctx->arena, raw->call.called_as, number);
    if (scn_has_identity(to, wanted))
        return wanted;
    scn_error *e = scn_report(c->ctx, scn_where_of(&raw->head, "called-as"),
                              "calls[%zu].called-as: '%s' has no identity '%s'", entry, to->name, wanted);
    scn_hint(e, to->identity_count ? "e.g. '%s'" : "its only one is '%s'",
             to->identity_count ? to->identities[0] : to->identity);
    return NULL;
}

/* A name is for one set of keys (RFC 3711 §3.2.1). */
static bool check_mki(calls *c, const raw_call *raw, size_t entry, size_t index) {
    const raw_action *list = raw->actions.items, *a = &list[index];
    const scn_where *where = scn_where_of(&a->head, "mki");
    const char *mki = a->action.mki;
    if (mki == NULL)
        return true;
    if (a->action.what != SCN_DO_REKEY) {
        scn_hint(
            scn_report(c->ctx, where, "calls[%zu].actions[%zu] makes no new keys to be named", entry, index),
            "'mki' belongs to 'do: rekey'");
        return false;
    }
    bool again = a->count > 1;
    for (size_t i = 0; i < index; i++)
        again = again || (list[i].action.mki != NULL && strcmp(list[i].action.mki, mki) == 0);
    if (again)
        scn_hint(scn_report(c->ctx, where, "calls[%zu].actions[%zu]: '%s' would name several keys", entry,
                            index, scn_show(c->ctx, mki)),
                 "every rekeying of a call needs an MKI of its own, or none");
    return !again;
}

/* An action that comes after the BYE would never be seen to fail. */
static bool expand_actions(calls *c, raw_call *raw, size_t entry) {
    const raw_action *written = raw->actions.items;
    size_t total = 0;
    for (size_t i = 0; i < raw->actions.count; i++)
        total += written[i].count;
    if (total == 0)
        return true;
    scn_action *actions = scn_alloc_array(c->ctx->arena, total, sizeof *actions);
    if (!actions)
        return false;
    raw->call.actions = actions;
    for (size_t i = 0; i < raw->actions.count; i++) {
        const raw_action *a = &written[i];
        if (!check_mki(c, raw, entry, i))
            return false;
        if (a->action.at_ns + (a->count - 1) * a->every_ns >= raw->call.duration_ns) {
            scn_hint(scn_report(c->ctx, scn_where_of(&a->head, "at"),
                                "calls[%zu].actions[%zu] comes after the end of the call", entry, i),
                     "the call's duration counts from the ACK, as the times of its actions do");
            return false;
        }
        for (size_t n = 0; n < a->count; n++) {
            actions[raw->call.action_count] = a->action;
            actions[raw->call.action_count++].at_ns += n * a->every_ns;
        }
    }
    return true;
}

static bool add_call(calls *c, raw_call *raw, size_t entry, size_t number) {
    scn_arena *arena = c->ctx->arena;
    scn_call call = raw->call;
    call.from = user_of(c, raw, entry, "from", raw->from, number);
    call.to = call.from == NULL ? NULL : user_of(c, raw, entry, "to", raw->to, number);
    if (call.to == NULL || !check_pair(c, raw, entry, call.from, call.to))
        return false;
    call.called_as = identity_of(c, raw, entry, call.to, number);
    if (call.called_as == NULL)
        return false;
    bool plain = raw->group > 1 && !scn_has_number(call.name);
    call.name =
        plain ? scn_printf(arena, "%s-%zu", call.name, number) : scn_put_number(arena, call.name, number);
    call.at_ns += (number - 1) * raw->every_ns;
    call.cancel = scn_written(&raw->head, "cancel-after");
    call.media = raw->media.media;
    call.vanishes = raw->vanish.head.node != NULL;
    call.vanisher = raw->vanish.who;
    call.vanish_ns = raw->vanish.after_ns;
    call.entry = entry;
    if (!check_times(c, raw, entry, &call))
        return false;
    c->s->calls[c->s->call_count++] = call;
    return true;
}

static void expand_entry(calls *c, raw_call *call, size_t entry) {
    const scn_section *section = scn_field_of(&scn_root_section, "calls")->section;
    if (call->call.name == NULL) {
        call->call.name = scn_printf(c->ctx->arena, "call-%zu", entry + 1);
        scn_give(section, &call->head, "name");
    }
    check_group(c, call);
    call->first = c->s->call_count;
    call->count = call->group;
    if (!expand_actions(c, call, entry))
        return;
    for (size_t n = 1; n <= call->group && !c->ctx->arena->failed; n++) {
        if (!add_call(c, call, entry, n))
            return; /* one report for an entry */
    }
}

static void check_unique(calls *c) {
    scn_index index;
    if (!scn_index_new(c->ctx, &index, c->s->call_count))
        return;
    for (size_t i = 0; i < c->s->call_count; i++)
        index.list[index.count++] =
            (scn_named){c->s->calls[i].name, i, scn_where_of(&c->raw[c->s->calls[i].entry].head, "name")};
    scn_index_sort(&index);
    scn_index_unique(c->ctx, &index, "names of calls");
}

void scn_expand_calls(scn_ctx *ctx, scn_scenario *out, raw_scenario *raw) {
    calls c = {.ctx = ctx, .s = out, .raw = raw->calls.items};
    size_t total = 0;
    for (size_t i = 0; i < raw->calls.count; i++)
        total += c.raw[i].group;
    if (total > SCN_MAX_CALLS) {
        scn_report(ctx, scn_where_of(&raw->head, "calls"),
                   "%zu calls are more than the %d that a scenario may have", total, SCN_MAX_CALLS);
        return;
    }
    out->calls = scn_alloc_array(ctx->arena, total, sizeof *out->calls);
    if (out->calls == NULL || !scn_index_new(ctx, &c.users, out->user_count))
        return;
    for (size_t i = 0; i < out->user_count; i++)
        c.users.list[c.users.count++] = (scn_named){.name = out->users[i].name, .index = i};
    scn_index_sort(&c.users);
    for (size_t i = 0; i < raw->calls.count; i++)
        expand_entry(&c, &c.raw[i], i);
    check_unique(&c);
}
