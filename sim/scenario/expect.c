/* Expectations: from the sections of `expect:` to one flat list that a run can go through. */
#include "scenario/names.h"
#include <stdlib.h>
#include <string.h>

static scn_expect_how how_of(scn_expect_kind kind) {
    static const scn_expect_how how[] = {
#define KIND(name, how_) [SCN_EXPECT_##name] = SCN_##how_,
        SCN_EXPECT_LIST(KIND)
#undef KIND
    };
    return how[kind];
}

/* The members that a section of `expect:` speaks of. */
typedef struct members {
    scn_expect_set set;
    size_t first, count;
    const char *title; /* "calls", "call first" */
    const char *path;  /* "expect.call.first" */
} members;

static void check_bound(scn_ctx *ctx, const members *m, const scn_field *field, const scn_where *where,
                        const scn_bound *bound) {
    if (field->type != SCN_T_COUNT_BOUND)
        return;
    bool least = bound->op == SCN_EXACTLY || bound->op == SCN_AT_LEAST;
    bool never = (least && bound->value > m->count) || (bound->op == SCN_ABOVE && bound->value >= m->count);
    bool always = (bound->op == SCN_AT_MOST && bound->value >= m->count) ||
                  (bound->op == SCN_BELOW && bound->value > m->count);
    if (never || always)
        scn_hint(scn_report(ctx, where, "%s.%s can %s hold", m->path, field->key, never ? "never" : "only"),
                 "there %s %zu such %s%s", m->count == 1 ? "is" : "are", m->count,
                 m->set == SCN_SET_CALLS ? "call" : "user", m->count == 1 ? "" : "s");
}

/* ANSWERED_BY and so on: the user's place. */
static void resolve_user(scn_ctx *ctx, const scn_scenario *s, const members *m, const scn_field *field,
                         const scn_where *where, scn_bound *bound) {
    scn_nearest nearest = {.word = bound->user};
    for (size_t i = 0; i < s->user_count; i++) {
        if (strcmp(s->users[i].name, bound->user) == 0) {
            bound->value = i + 1;
            return;
        }
        scn_nearest_try(&nearest, s->users[i].name);
    }
    scn_hint(scn_report(ctx, where, "%s.%s: there is no user '%s'", m->path, field->key,
                        scn_show(ctx, bound->user)),
             nearest.best == NULL ? "the first user is '%s'" : "did you mean '%s'?",
             nearest.best == NULL ? s->users[0].name : nearest.best);
}

static void add(scn_ctx *ctx, scn_scenario *s, raw_expect *raw, const scn_section *section,
                const members *m) {
    const scn_node *node = raw->head.node;
    if (node != NULL && node->count == 0)
        scn_hint(scn_report(ctx, &node->where, "%s states nothing", m->path),
                 "leave it out, or expect something");
    for (size_t i = 0; i < section->count && !ctx->arena->failed; i++) {
        const scn_field *field = &section->fields[i];
        if (!(raw->head.given & UINT64_C(1) << i))
            continue;
        scn_bound *bound = &raw->bounds[field->expect];
        const scn_where *where = scn_where_of(&raw->head, field->key);
        if (field->type == SCN_T_USER)
            resolve_user(ctx, s, m, field, where, bound);
        check_bound(ctx, m, field, where, bound);
        s->expectations =
            scn_grow(ctx->arena, s->expectations, s->expectation_count, sizeof *s->expectations);
        if (s->expectations == NULL)
            return;
        s->expectations[s->expectation_count++] = (scn_expectation){
            .kind = field->expect,
            .how = how_of(field->expect),
            .set = m->set,
            .first = m->first,
            .count = m->count,
            .bound = *bound,
            .text = scn_printf(ctx->arena, "%s: %s %s", m->title, field->key,
                               scn_value_text(ctx->arena, field, (const char *)raw + field->offset)),
            .where = *where,
        };
    }
}

/* ---- by name
 * ---------------------------------------------------------------------------------------------------- */

static bool find_call(const scn_scenario *s, const raw_scenario *raw, const char *name, members *m) {
    const raw_call *entries = raw->calls.items;
    for (size_t i = 0; i < raw->calls.count; i++) {
        if (strcmp(entries[i].call.name, name) == 0) {
            m->first = entries[i].first;
            m->count = entries[i].count;
            return true;
        }
    }
    for (size_t i = 0; i < s->call_count; i++) {
        if (strcmp(s->calls[i].name, name) == 0) {
            m->first = i;
            m->count = 1;
            return true;
        }
    }
    return false;
}

bool scn_users_named(const scn_scenario *s, const raw_scenario *raw, const char *name, size_t *first,
                     size_t *count) {
    const raw_user *entries = raw->users.items;
    for (size_t i = 0; i < raw->users.count; i++) {
        if (strcmp(entries[i].user.name, name) == 0) {
            *first = entries[i].first;
            *count = entries[i].count;
            return true;
        }
    }
    for (size_t i = 0; i < s->user_count; i++) {
        if (strcmp(s->users[i].name, name) == 0) {
            *first = i;
            *count = 1;
            return true;
        }
    }
    return false;
}

static bool find_domain(const scn_scenario *s, const char *name, members *m) {
    const scn_domain *domain = scn_find_domain(s, name);
    if (domain == NULL)
        return false;
    m->first = (size_t)(domain - s->domains);
    m->count = 1;
    return true;
}

static const scn_where *where_of_name(const raw_head *head, const char *name) {
    for (size_t i = 0; head->node != NULL && i < head->node->count; i++) {
        if (strcmp(head->node->keys[i].text, name) == 0)
            return &head->node->keys[i].where;
    }
    return scn_where_of(head, name);
}

static const char *word_of(scn_expect_set set) {
    return set == SCN_SET_CALLS         ? "call"
           : set == SCN_SET_USERS       ? "user"
           : set == SCN_SET_ADVERSARIES ? "adversary"
                                        : "domain";
}

static const char *name_at(const scn_scenario *s, scn_expect_set set, size_t i) {
    switch (set) {
    case SCN_SET_CALLS:
        return i < s->call_count ? s->calls[i].name : NULL;
    case SCN_SET_USERS:
        return i < s->user_count ? s->users[i].name : NULL;
    case SCN_SET_ADVERSARIES:
        return i < s->adversary_count ? s->adversaries[i].name : NULL;
    default:
        return i < s->domain_count ? s->domains[i].name : NULL;
    }
}

static void unknown_name(scn_ctx *ctx, const scn_scenario *s, const raw_head *head, const char *name,
                         scn_expect_set set) {
    scn_nearest nearest = {.word = name};
    for (size_t i = 0; name_at(s, set, i) != NULL; i++)
        scn_nearest_try(&nearest, name_at(s, set, i));
    scn_error *e = scn_report(ctx, where_of_name(head, name), "there is no %s '%s' to expect anything of",
                              word_of(set), scn_show(ctx, name));
    if (nearest.best != NULL)
        scn_hint(e, "did you mean '%s'?", nearest.best);
    else if (name_at(s, set, 0) != NULL)
        scn_hint(e, "the first %s is '%s'", word_of(set), name_at(s, set, 0));
}

static bool find_adversary(const scn_scenario *s, const char *name, members *m) {
    const scn_adversary *adversary = scn_find_adversary(s, name);
    m->first = adversary == NULL ? 0 : (size_t)(adversary - s->adversaries);
    m->count = 1;
    return adversary != NULL;
}

static bool find_named(const scn_scenario *s, const raw_scenario *raw, const char *name, members *m) {
    switch (m->set) {
    case SCN_SET_CALLS:
        return find_call(s, raw, name, m);
    case SCN_SET_USERS:
        return scn_users_named(s, raw, name, &m->first, &m->count);
    case SCN_SET_ADVERSARIES:
        return find_adversary(s, name, m);
    default:
        return find_domain(s, name, m);
    }
}

static void add_named(scn_ctx *ctx, scn_scenario *s, const raw_scenario *raw, raw_expect_named *named,
                      const scn_section *section, scn_expect_set set) {
    raw_expect *list = named->others.items;
    const char *word = set == SCN_SET_KMS ? "kms" : word_of(set);
    if (named->head.node != NULL && named->head.node->count == 0)
        scn_report(ctx, &named->head.node->where, "expect.%s names no %s", word, word_of(set));
    for (size_t i = 0; i < named->others.count; i++) {
        const char *name = list[i].name;
        members m = {.set = set};
        if (!find_named(s, raw, name, &m)) {
            unknown_name(ctx, s, &named->head, name, set);
            continue;
        }
        m.title = scn_printf(ctx->arena, "%s %s", word, name);
        m.path = scn_printf(ctx->arena, "expect.%s.%s", word, name);
        add(ctx, s, &list[i], section, &m);
    }
}

/* ---- all
 * ---------------------------------------------------------------------------------------------------------
 */

static int by_place(const void *left, const void *right) {
    const scn_where *a = &((const scn_expectation *)left)->where,
                    *b = &((const scn_expectation *)right)->where;
    unsigned la = a->line - 1, lb = b->line - 1; /* 0, a --set, comes last */
    if (la != lb)
        return la < lb ? -1 : 1;
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    const scn_expectation *x = left, *y = right;
    return x->kind != y->kind ? (x->kind < y->kind ? -1 : 1) : (x->first > y->first) - (x->first < y->first);
}

void scn_expand_expectations(scn_ctx *ctx, scn_scenario *out, raw_scenario *raw) {
    const scn_section *expect = scn_field_of(&scn_root_section, "expect")->section;
    const scn_section *calls = scn_field_of(expect, "calls")->section,
                      *users = scn_field_of(expect, "users")->section;
    const scn_section *network = scn_field_of(expect, "network")->section;
    raw_expects *e = &raw->expect;
    const members all_calls = {SCN_SET_CALLS, 0, out->call_count, "calls", "expect.calls"};
    const members all_users = {SCN_SET_USERS, 0, out->user_count, "users", "expect.users"};
    const members security = {SCN_SET_SECURITY, 0, 1, "security", "expect.security"};
    const members whole = {SCN_SET_NETWORK, 0, 1, "network", "expect.network"};
    if (e->calls.head.node != NULL && out->call_count == 0)
        scn_hint(scn_report(ctx, &e->calls.head.node->where, "expect.calls: this scenario has no calls"),
                 "an expectation that nothing is held against would always hold");
    else
        add(ctx, out, &e->calls, calls, &all_calls);
    add_named(ctx, out, raw, &e->call, calls, SCN_SET_CALLS);
    add(ctx, out, &e->users, users, &all_users);
    add_named(ctx, out, raw, &e->user, users, SCN_SET_USERS);
    add_named(ctx, out, raw, &e->kms, scn_field_of(expect, "kms")->section->other, SCN_SET_KMS);
    add_named(ctx, out, raw, &e->adversary, scn_field_of(expect, "adversary")->section->other,
              SCN_SET_ADVERSARIES);
    add(ctx, out, &e->security, scn_field_of(expect, "security")->section, &security);
    scn_expand_knowledge(ctx, out, raw);
    add(ctx, out, &e->network, network, &whole);
    if (e->head.node != NULL && e->head.node->count == 0)
        scn_hint(scn_report(ctx, &e->head.node->where, "this scenario expects nothing"),
                 "e.g. 'calls: {established: all}'");
    if (!ctx->arena->failed && out->expectation_count > 1)
        qsort(out->expectations, out->expectation_count, sizeof *out->expectations, by_place);
}
