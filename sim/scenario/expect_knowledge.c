/* Expectations of what parties know: `expect: knowledge`. */
#include "scenario/names.h"

#include <string.h>

#define NOTHING SCN_THING_BIT(SCN_THINGS)

/* One entry, and its place for reports. */
typedef struct entry {
    scn_ctx *ctx;
    const scn_scenario *s;
    const raw_knowledge *raw;
    const char *path;
} entry;

static const scn_section *section_of(void) {
    const scn_section *expect = scn_field_of(&scn_root_section, "expect")->section;
    return scn_field_of(expect, "knowledge")->section;
}

/* ---- who -------------------------------------------------------------------------------------------------
 */

static const char *core_node(const entry *e, const char *name) {
    for (size_t i = 0; i < e->s->domain_count; i++) {
        for (unsigned node = 0; node < SCN_CORE_NODES; node++) {
            const char *full =
                scn_printf(e->ctx->arena, "%s.%s", scn_core_node_name(node), e->s->domains[i].name);
            if (full != NULL && strcmp(full, name) == 0)
                return full;
        }
    }
    return NULL;
}

static void unknown_party(const entry *e) {
    scn_nearest nearest = {.word = e->raw->who};
    for (size_t i = 0; i < e->s->adversary_count; i++)
        scn_nearest_try(&nearest, e->s->adversaries[i].name);
    for (size_t i = 0; i < e->s->user_count; i++)
        scn_nearest_try(&nearest, e->s->users[i].name);
    scn_error *report = scn_report(e->ctx, scn_where_of(&e->raw->head, "who"), "%s: there is no party '%s'",
                                   e->path, scn_show(e->ctx, e->raw->who));
    if (nearest.best != NULL)
        scn_hint(report, "did you mean '%s'?", nearest.best);
    else
        scn_hint(report, "parties are adversaries, users and nodes of cores such as 'kms.%s'",
                 e->s->domains[0].name);
}

static bool find_party(const entry *e, const raw_scenario *raw, scn_expectation *out) {
    const char *who = e->raw->who;
    if (who == NULL) {
        scn_hint(scn_report(e->ctx, &e->raw->head.node->where, "%s lacks the key 'who'", e->path),
                 "e.g. 'who: %s'", e->s->users[0].name);
        return false;
    }
    out->count = 1;
    const scn_adversary *adversary = scn_find_adversary(e->s, who);
    if (adversary != NULL) {
        out->knowledge.who = adversary->name;
        return true;
    }
    if (scn_users_named(e->s, raw, who, &out->first, &out->count))
        return true;
    out->knowledge.who = core_node(e, who);
    if (out->knowledge.who == NULL)
        unknown_party(e);
    return out->knowledge.who != NULL;
}

/* ---- of which call
 * -----------------------------------------------------------------------------------------
 */

static bool find_call(const entry *e, scn_expectation *out) {
    scn_nearest nearest = {.word = e->raw->call};
    if (e->raw->call == NULL)
        return true;
    for (size_t i = 0; i < e->s->call_count; i++) {
        out->knowledge.call = &e->s->calls[i];
        if (strcmp(e->s->calls[i].name, e->raw->call) == 0)
            return true;
        scn_nearest_try(&nearest, e->s->calls[i].name);
    }
    scn_error *report = scn_report(e->ctx, scn_where_of(&e->raw->head, "call"), "%s: there is no call '%s'",
                                   e->path, scn_show(e->ctx, e->raw->call));
    if (nearest.best != NULL)
        scn_hint(report, "did you mean '%s'?", nearest.best);
    return false;
}

/* ---- what ------------------------------------------------------------------------------------------------
 */

static bool check_words(const entry *e, const char *key, uint64_t set) {
    const scn_where *where = scn_where_of(&e->raw->head, key);
    if ((set & NOTHING) && set != NOTHING) {
        scn_report(e->ctx, where, "%s.%s: 'nothing' excludes the other words", e->path, key);
        return false;
    }
    if (e->raw->call == NULL || (set & ~(SCN_THING_OF_CALLS | NOTHING)) == 0)
        return true;
    scn_hint(scn_report(e->ctx, where, "%s.%s: private keys, master secrets and PSKs are of no call", e->path,
                        key),
             "leave 'call' out, or make an entry of its own of them");
    return false;
}

static bool check_things(const entry *e) {
    const raw_knowledge *raw = e->raw;
    bool learns = scn_written(&raw->head, "learns"), lacks = scn_written(&raw->head, "does-not-learn");
    if (!learns && !lacks) {
        scn_hint(scn_report(e->ctx, &raw->head.node->where, "%s states nothing", e->path),
                 "expect something with 'learns' or 'does-not-learn'");
        return false;
    }
    if (raw->lacks & NOTHING) {
        scn_hint(scn_report(e->ctx, scn_where_of(&raw->head, "does-not-learn"),
                            "%s.does-not-learn: 'nothing' says nothing here", e->path),
                 "did you mean 'learns: nothing'?");
        return false;
    }
    if (raw->learns & raw->lacks) {
        scn_report(e->ctx, scn_where_of(&raw->head, "does-not-learn"),
                   "%s: the same word in 'learns' and 'does-not-learn'", e->path);
        return false;
    }
    return (!learns || check_words(e, "learns", raw->learns)) &&
           (!lacks || check_words(e, "does-not-learn", raw->lacks));
}

/* "xP, yP" */
static const char *words_of(const entry *e, const char *key, const uint64_t *set) {
    const char *list = scn_value_text(e->ctx->arena, scn_field_of(section_of(), key), set); /* in brackets */
    size_t len = strlen(list);
    return len < 2 ? list : scn_printf(e->ctx->arena, "%.*s", (int)len - 2, list + 1);
}

/* "knowledge: mallory learns xP, yP and not session-key, of call first" */
static const char *text_of(const entry *e) {
    scn_arena *arena = e->ctx->arena;
    const raw_knowledge *raw = e->raw;
    bool learns = scn_written(&raw->head, "learns");
    const char *text = scn_printf(arena, "knowledge: %s", raw->who);
    if (learns)
        text = scn_printf(arena, "%s learns %s", text, words_of(e, "learns", &raw->learns));
    if (scn_written(&raw->head, "does-not-learn"))
        text = scn_printf(arena, "%s %s %s", text, learns ? "and not" : "does not learn",
                          words_of(e, "does-not-learn", &raw->lacks));
    return raw->call != NULL ? scn_printf(arena, "%s, of call %s", text, raw->call) : text;
}

/* ---- all -------------------------------------------------------------------------------------------------
 */

static void add(const entry *e, scn_scenario *s, const raw_scenario *raw) {
    scn_expectation added = {.kind = SCN_EXPECT_KNOWLEDGE, .how = SCN_IS, .set = SCN_SET_PARTIES};
    added.where = *scn_where_of(&e->raw->head, "who");
    added.knowledge.learns = e->raw->learns;
    added.knowledge.does_not = e->raw->lacks;
    if (!find_party(e, raw, &added) || !find_call(e, &added) || !check_things(e))
        return;
    added.text = text_of(e);
    s->expectations = scn_grow(e->ctx->arena, s->expectations, s->expectation_count, sizeof *s->expectations);
    if (s->expectations != NULL)
        s->expectations[s->expectation_count++] = added;
}

void scn_expand_knowledge(scn_ctx *ctx, scn_scenario *out, raw_scenario *raw) {
    const raw_list *list = &raw->expect.knowledge;
    const raw_knowledge *entries = list->items;
    if (scn_written(&raw->expect.head, "knowledge") && list->count == 0)
        scn_hint(
            scn_report(ctx, scn_where_of(&raw->expect.head, "knowledge"), "expect.knowledge names nobody"),
            "leave it out, or expect something");
    for (size_t i = 0; i < list->count && !ctx->arena->failed; i++) {
        const entry e = {ctx, out, &entries[i], scn_printf(ctx->arena, "expect.knowledge[%zu]", i)};
        add(&e, out, raw);
    }
}
