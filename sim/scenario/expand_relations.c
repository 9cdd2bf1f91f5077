/* What users are to each other: devices of one user, diversions. */
#include "scenario/names.h"

typedef struct relations {
    scn_ctx *ctx;
    scn_scenario *s;
    raw_user *raw; /* of the list */
    scn_index users;
} relations;

static scn_user *user_of(const relations *r, const raw_head *head, const char *key, const char *path,
                         const char *template, size_t number) {
    const char *name = scn_put_number(r->ctx->arena, template, number);
    const scn_named *found = scn_index_find(&r->users, name);
    if (found != NULL)
        return &r->s->users[found->index];
    scn_error *e = scn_report(r->ctx, scn_where_of(head, key), "%s: there is no user '%s'", path,
                              scn_show(r->ctx, name));
    const char *nearest = scn_index_nearest(&r->users, name);
    scn_hint(e, nearest == NULL ? "the first user is '%s'" : "did you mean '%s'?",
             nearest == NULL ? r->s->users[0].name : nearest);
    return NULL;
}

/* Which member of its group a user is, from 1. */
static size_t number_of(const relations *r, const scn_user *user) {
    return (size_t)(user - r->s->users) - r->raw[user->entry].first + 1;
}

static void relate_device(relations *r, scn_user *user) {
    raw_user *raw = &r->raw[user->entry];
    const char *path = scn_printf(r->ctx->arena, "users[%zu].contact-of", user->entry);
    const scn_where *where = scn_where_of(&raw->head, "contact-of");
    const scn_user *owner = user_of(r, &raw->head, "contact-of", path, raw->contact_of, number_of(r, user));
    if (owner == NULL)
        return;
    user->contact_of = owner;
    if (owner == user)
        scn_hint(scn_report(r->ctx, where, "%s: '%s' is a device of itself", path, user->name),
                 "name the user whose device it is, or leave the key out");
    else if (r->raw[owner->entry].contact_of != NULL)
        scn_hint(scn_report(r->ctx, where, "%s: '%s' is a device itself", path, owner->name),
                 "name the user whose device it is");
    else if (owner->domain != user->domain)
        scn_hint(scn_report(r->ctx, where, "%s: '%s' and '%s' have different home networks", path, user->name,
                            owner->name),
                 "a device registers with the S-CSCF of its user");
}

static void relate_target(relations *r, scn_user *user) {
    raw_user *raw = &r->raw[user->entry];
    const char *path = scn_printf(r->ctx->arena, "users[%zu].divert.to", user->entry);
    scn_user *to = user_of(r, &raw->divert.head, "to", path, raw->divert.to, number_of(r, user));
    if (to == NULL)
        return;
    user->divert.to = to;
    if (raw->contact_of != NULL)
        scn_hint(scn_report(r->ctx, scn_where_of(&raw->head, "divert"),
                            "users[%zu]: a device has no calls of its own to divert", user->entry),
                 "the key 'divert' belongs to the user whose device it is");
    else if (to == user || r->raw[to->entry].contact_of != NULL)
        scn_hint(scn_report(r->ctx, scn_where_of(&raw->divert.head, "to"),
                            "%s: '%s' cannot be called instead", path, to->name),
                 "name another user, not a device");
    if (!scn_written(&r->raw[to->entry].head, "answers-for-others"))
        to->answers_for_others = true;
}

/* The computed default of `answers-for-others`: one value for all members of a group, which the resolved
 * configuration can show. */
static void settle_answers(relations *r) {
    const scn_section *section = scn_field_of(&scn_root_section, "users")->section;
    for (size_t i = 0; i < r->s->user_count; i++)
        r->raw[r->s->users[i].entry].user.answers_for_others |= r->s->users[i].answers_for_others;
    for (size_t i = 0; i < r->s->user_count; i++) {
        raw_user *entry = &r->raw[r->s->users[i].entry];
        r->s->users[i].answers_for_others = entry->user.answers_for_others;
        scn_give(section, &entry->head, "answers-for-others");
    }
}

void scn_expand_relations(scn_ctx *ctx, scn_scenario *out, raw_scenario *raw) {
    relations r = {.ctx = ctx, .s = out, .raw = raw->users.items};
    size_t before = ctx->errors->count;
    if (!scn_index_new(ctx, &r.users, out->user_count))
        return;
    for (size_t i = 0; i < out->user_count; i++)
        r.users.list[r.users.count++] = (scn_named){.name = out->users[i].name, .index = i};
    scn_index_sort(&r.users);
    for (size_t i = 0; i < out->user_count && ctx->errors->count == before; i++) {
        scn_user *user = &out->users[i];
        if (!scn_written(&r.raw[user->entry].head, "answers-for-others"))
            user->answers_for_others |= user->mailbox;
        if (r.raw[user->entry].contact_of != NULL)
            relate_device(&r, user);
        if (r.raw[user->entry].divert.to != NULL)
            relate_target(&r, user);
    }
    settle_answers(&r);
}
