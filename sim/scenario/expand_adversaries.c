/* Raw adversaries to adversaries: names, seats, holdings, a rogue KMS. Their rules: expand_rules.c. */
#include "scenario/expand_adversaries.h"
#include <string.h>

static const char *const core_nodes[SCN_CORE_NODES] = {"pcscf", "icscf", "scscf", "hss", "kms"};

const char *scn_core_node_name(unsigned node) {
    return node < SCN_CORE_NODES ? core_nodes[node] : NULL;
}

const char *scn_attack_name(scn_attack attack) {
    static const char *const names[] = {
#define ATTACK_NAME(name, text) [SCN_ATTACK_##name] = text,
        SCN_ATTACK_LIST(ATTACK_NAME)
#undef ATTACK_NAME
    };
    return attack > SCN_ATTACK_NONE && attack < SCN_ATTACKS ? names[attack] : "none";
}

const scn_adversary *scn_find_adversary(const scn_scenario *s, const char *name) {
    for (size_t i = 0; i < s->adversary_count; i++) {
        if (strcmp(s->adversaries[i].name, name) == 0)
            return &s->adversaries[i];
    }
    return NULL;
}

/* ---- finding by name --------------------------------------------------------------------------------------
 */

scn_error *scn_spot_report(const scn_spot *spot, const char *text, const char *problem) {
    scn_ctx *ctx = spot->cast->ctx;
    return scn_report(ctx, scn_where_of(spot->head, spot->key), "%s.%s: '%s' %s", spot->path, spot->key,
                      scn_show(ctx, text), problem);
}

static void unknown(const scn_spot *spot, const char *what, const char *name, const char *nearest,
                    const char *first) {
    scn_ctx *ctx = spot->cast->ctx;
    scn_error *e = scn_report(ctx, scn_where_of(spot->head, spot->key), "%s.%s: there is no %s '%s'",
                              spot->path, spot->key, what, scn_show(ctx, name));
    if (nearest != NULL)
        scn_hint(e, "did you mean '%s'?", nearest);
    else if (first != NULL)
        scn_hint(e, "the first %s is '%s'", what, first);
}

const scn_user *scn_spot_user(const scn_spot *spot, const char *name) {
    const scn_scenario *s = spot->cast->s;
    const scn_named *found = scn_index_find(&spot->cast->users, name);
    if (found != NULL)
        return &s->users[found->index];
    unknown(spot, "user", name, scn_index_nearest(&spot->cast->users, name), s->users[0].name);
    return NULL;
}

const scn_call *scn_spot_call(const scn_spot *spot, const char *name) {
    const scn_scenario *s = spot->cast->s;
    const scn_named *found = scn_index_find(&spot->cast->calls, name);
    if (found != NULL)
        return &s->calls[found->index];
    unknown(spot, "call", name, scn_index_nearest(&spot->cast->calls, name),
            s->call_count > 0 ? s->calls[0].name : NULL);
    return NULL;
}

/* `shown` is what the file has: the domain's name, or that of a node in it, which ends in it. */
static const scn_domain *find_domain(const scn_spot *spot, const char *name, const char *what,
                                     const char *shown) {
    const scn_scenario *s = spot->cast->s;
    scn_nearest nearest = {.word = name};
    for (size_t i = 0; i < s->domain_count; i++) {
        if (strcmp(s->domains[i].name, name) == 0)
            return &s->domains[i];
        scn_nearest_try(&nearest, s->domains[i].name);
    }
    int prefix = (int)(strlen(shown) - strlen(name));
    const char *best = nearest.best == NULL
                           ? NULL
                           : scn_printf(spot->cast->ctx->arena, "%.*s%s", prefix, shown, nearest.best);
    unknown(spot, what, shown, best, NULL);
    return NULL;
}

const scn_domain *scn_spot_domain(const scn_spot *spot, const char *name) {
    return find_domain(spot, name, "domain", name);
}

/* "pcscf.home.example" to PCSCF and "home.example"; NULL: it does not begin with the name of a function. */
static const char *split_core_node(const char *name, scn_core_node *core) {
    for (unsigned i = 0; i < SCN_CORE_NODES; i++) {
        size_t len = strlen(core_nodes[i]);
        if (strncmp(name, core_nodes[i], len) == 0 && name[len] == '.') {
            *core = (scn_core_node)i;
            return name + len + 1;
        }
    }
    return NULL;
}

const scn_domain *scn_spot_core_node(const scn_spot *spot, scn_core_node *core, const char *name) {
    const char *domain = split_core_node(name, core);
    if (domain != NULL)
        return find_domain(spot, domain, "node", name);
    scn_hint(scn_spot_report(spot, name, "is no node of a core"),
             "expected pcscf., icscf., scscf., hss. or kms. and the name of a domain");
    return NULL;
}

const char *scn_spot_anybody(const scn_spot *spot, const char *name) {
    scn_core_node core;
    scn_cast *cast = spot->cast;
    if (scn_index_find(&cast->users, name) != NULL || scn_index_find(&cast->adversaries, name) != NULL)
        return name;
    if (split_core_node(name, &core) != NULL)
        return scn_spot_core_node(spot, &core, name) == NULL ? NULL : name;
    const char *nearest = scn_index_nearest(&cast->users, name);
    if (nearest == NULL)
        nearest = scn_index_nearest(&cast->adversaries, name);
    unknown(spot, "node or user", name, nearest, cast->s->users[0].name);
    return NULL;
}

const scn_user *scn_spot_user_or_identity(const scn_spot *spot, const char *text, const char **identity) {
    const scn_user *user = strchr(text, ':') != NULL ? scn_find_identity(spot->cast->s, text) : NULL;
    *identity = text;
    if (user != NULL)
        return user;
    user = scn_spot_user(spot, text);
    *identity = user == NULL ? NULL : user->identity;
    return user;
}

const char *scn_spot_identity(const scn_spot *spot, const char *text) {
    if (strpbrk(text, ":@") != NULL)
        return text; /* it need not be anybody's */
    const scn_user *user = scn_spot_user(spot, text);
    return user == NULL ? NULL : user->identity;
}

/* ---- seats ------------------------------------------------------------------------------------------------
 */

/* Which of these keys is written? Exactly one must be. */
static const char *one_of(scn_cast *cast, const raw_head *head, const char *path, const char *const *keys) {
    const char *found = NULL, *list = "";
    for (size_t i = 0; keys[i] != NULL; i++) {
        list = scn_printf(cast->ctx->arena, "%s%s%s", list, i == 0 ? "" : ", ", keys[i]);
        if (!scn_written(head, keys[i]))
            continue;
        if (found != NULL) {
            scn_hint(scn_report(cast->ctx, scn_where_of(head, keys[i]),
                                "%s: '%s' and '%s' exclude each other", path, found, keys[i]),
                     "make two entries of it");
            return NULL;
        }
        found = keys[i];
    }
    if (found == NULL)
        scn_hint(scn_report(cast->ctx, &head->node->where, "%s says nothing", path), "one key of these: %s",
                 list);
    return found;
}

static bool expand_seat(scn_cast *cast, scn_seat *out, const raw_seat *raw, const char *path) {
    static const char *const keys[] = {"link", "node", "ue", NULL};
    const char *key = one_of(cast, &raw->head, path, keys);
    if (key == NULL)
        return false;
    const scn_spot spot = {cast, &raw->head, path, key};
    uint64_t until_ns = scn_written(&raw->head, "until") ? raw->until_ns : UINT64_MAX;
    if (until_ns < raw->from_ns)
        scn_hint(
            scn_report(cast->ctx, scn_where_of(&raw->head, "until"), "%s: 'until' comes before 'from'", path),
            "nothing passes it in no time");
    *out = (scn_seat){.from_ns = raw->from_ns, .until_ns = until_ns};
    if (raw->node != NULL) {
        out->kind = SCN_SEAT_NODE;
        out->node = raw->node;
        out->domain = scn_spot_core_node(&spot, &out->core, raw->node);
        return out->domain != NULL;
    }
    const scn_user *user = scn_spot_user(&spot, raw->ue != NULL ? raw->ue : raw->link);
    if (user == NULL)
        return false;
    out->kind = raw->ue != NULL ? SCN_SEAT_UE : SCN_SEAT_LINK;
    out->node = user->name;
    out->user = user;
    out->domain = user->domain;
    return true;
}

static void expand_seats(scn_cast *cast, scn_adversary *a, const raw_list *list, const char *path) {
    const raw_seat *raw = list->items;
    scn_seat *seats = scn_alloc_array(cast->ctx->arena, list->count, sizeof *seats);
    for (size_t i = 0; i < list->count && seats != NULL; i++) {
        const char *place = scn_printf(cast->ctx->arena, "%s.at[%zu]", path, i);
        if (!expand_seat(cast, &seats[i], &raw[i], place))
            return;
        for (size_t k = 0; k < i; k++) {
            if (strcmp(seats[k].node, seats[i].node) == 0)
                scn_hint(scn_report(cast->ctx, &raw[i].head.node->where, "%s: it sits there already", place),
                         "a seat in a UE or node comes with its link");
        }
    }
    a->seats = seats;
    a->seat_count = list->count;
}

/* ---- holdings ---------------------------------------------------------------------------------------------
 */

static bool expand_holding(scn_cast *cast, scn_holding *out, const raw_holding *raw, const char *path) {
    static const char *const keys[] = {"private-key", "master-secret", "psk",         "generator",
                                       "memory",      "session-keys",  "session-key", NULL};
    const char *key = one_of(cast, &raw->head, path, keys);
    if (key == NULL)
        return false;
    const scn_spot spot = {cast, &raw->head, path, key};
    const char *const users[] = {raw->psk, raw->generator, raw->memory, raw->session_keys};
    static const scn_holding_kind kinds[] = {SCN_HOLDS_PSK, SCN_HOLDS_GENERATOR, SCN_HOLDS_MEMORY,
                                             SCN_HOLDS_SESSION_KEYS};
    *out = (scn_holding){.from_ns = raw->from_ns, .date_utc_ns = cast->s->start_utc_ns};
    if (scn_written(&raw->head, "date"))
        out->date_utc_ns = raw->date_utc_ns;
    if (raw->private_key != NULL) {
        out->kind = SCN_HOLDS_PRIVATE_KEY;
        out->user = scn_spot_user_or_identity(&spot, raw->private_key, &out->identity);
        return out->user != NULL;
    }
    if (scn_written(&raw->head, "date")) {
        scn_hint(scn_report(cast->ctx, scn_where_of(&raw->head, "date"),
                            "%s: 'date' belongs to 'private-key'", path),
                 "'from' says when it has it");
        return false;
    }
    if (raw->master_secret != NULL) {
        out->kind = SCN_HOLDS_MASTER_SECRET;
        out->domain = scn_spot_domain(&spot, raw->master_secret);
        return out->domain != NULL;
    }
    if (raw->session_key != NULL) {
        out->kind = SCN_HOLDS_SESSION_KEY;
        out->call = scn_spot_call(&spot, raw->session_key);
        return out->call != NULL;
    }
    for (size_t i = 0; i < sizeof users / sizeof users[0]; i++) {
        if (users[i] == NULL)
            continue;
        out->kind = kinds[i];
        out->user = scn_spot_user(&spot, users[i]);
    }
    return out->user != NULL;
}

static void expand_holdings(scn_cast *cast, scn_adversary *a, const raw_list *list, const char *path) {
    const raw_holding *raw = list->items;
    scn_holding *holdings = scn_alloc_array(cast->ctx->arena, list->count, sizeof *holdings);
    for (size_t i = 0; i < list->count && holdings != NULL; i++) {
        if (!expand_holding(cast, &holdings[i], &raw[i],
                            scn_printf(cast->ctx->arena, "%s.holds[%zu]", path, i)))
            return;
    }
    a->holdings = holdings;
    a->holding_count = list->count;
}

/* ---- a rogue KMS ------------------------------------------------------------------------------------------
 */

static void expand_kms(scn_cast *cast, scn_adversary *a, raw_rogue_kms *raw, const char *path) {
    if (raw->head.node == NULL)
        return;
    scn_rogue_kms *kms = scn_alloc(cast->ctx->arena, sizeof *kms);
    const scn_spot spot = {cast, &raw->head, scn_printf(cast->ctx->arena, "%s.kms", path), "impersonates"};
    bool set = scn_written(&raw->head, "parameters");
    bool public = scn_written(&raw->head, "parameters-file"), master = scn_written(&raw->head, "master-file");
    if (set && (public || master))
        scn_hint(scn_report(cast->ctx, scn_where_of(&raw->head, "parameters"),
                            "%s: 'parameters' and parameter files exclude each other", spot.path),
                 "keep 'parameters', or 'parameters-file' with 'master-file'");
    else if (public != master)
        scn_hint(scn_report(cast->ctx, scn_where_of(&raw->head, public ? "parameters-file" : "master-file"),
                            "%s: '%s' needs '%s' beside it", spot.path,
                            public ? "parameters-file" : "master-file",
                            public ? "master-file" : "parameters-file"),
                 "`ibakelab kms init` writes both");
    else if (!set && !public)
        raw->kms.parameters = 1024;
    if (public && raw->kms.degenerate != SCN_SOUND)
        scn_hint(scn_report(cast->ctx, scn_where_of(&raw->head, "degenerate"),
                            "%s: 'degenerate' and parameter files exclude each other", spot.path),
                 "it spoils a ready-made set");
    if (kms == NULL)
        return;
    *kms = raw->kms;
    kms->impersonates = scn_spot_domain(&spot, raw->impersonates);
    a->kms = kms;
}

/* ---- all --------------------------------------------------------------------------------------------------
 */

static void expand_rules(scn_cast *cast, scn_adversary *a, const raw_list *list, const char *path) {
    const raw_rule *raw = list->items;
    scn_rule *rules = scn_alloc_array(cast->ctx->arena, list->count, sizeof *rules);
    bool ok = rules != NULL;
    for (size_t i = 0; i < list->count && rules != NULL; i++) {
        const char *place = scn_printf(cast->ctx->arena, "%s.rules[%zu]", path, i);
        ok &= scn_expand_rule(cast, &rules[i], &raw[i], place);
        bool clock = rules[i].on == SCN_ON_TIME || rules[i].on == SCN_ON_STATE;
        if (ok && rules[i].after_ns > cast->s->time_limit_ns)
            scn_hint(scn_report(cast->ctx, scn_where_of(&raw[i].head, "after"),
                                "%s begins after the end of the run", place),
                     "the key 'time-limit' sets the end");
        if (ok && a->seat_count == 0 && !clock)
            scn_hint(scn_report(cast->ctx, scn_where_of(&raw[i].head, "on"),
                                "%s: '%s' sits nowhere and sees no message", place, a->name),
                     "give it a seat under 'at', or let the rule begin with 'on: time' or 'on: state'");
    }
    if (!ok)
        return;
    a->rules = rules;
    a->rule_count = list->count;
}

/* One hook sits on a link (sim/ns3shim/n3.h). */
static void check_shared_seats(scn_cast *cast, const scn_adversary *a, const raw_list *list,
                               const char *path) {
    const raw_seat *raw = list->items;
    const scn_scenario *s = cast->s;
    for (size_t i = 0; i < a->seat_count; i++) {
        for (size_t k = 0; &s->adversaries[k] < a; k++) {
            const scn_adversary *other = &s->adversaries[k];
            for (size_t m = 0; m < other->seat_count; m++) {
                if (strcmp(other->seats[m].node, a->seats[i].node) != 0)
                    continue;
                scn_hint(scn_report(cast->ctx, &raw[i].head.node->where,
                                    "%s.at[%zu]: '%s' sits there already", path, i, other->name),
                         "a link has room for one adversary");
            }
        }
    }
}

/* What a rule replays or substitutes must be recorded by a rule of the same adversary. */
static void check_recordings(scn_cast *cast, const scn_adversary *a, const raw_list *list, const char *path) {
    const raw_rule *raw = list->items;
    for (size_t i = 0; i < a->rule_count; i++) {
        const char *what = a->rules[i].what;
        scn_nearest nearest = {.word = what};
        bool found = what == NULL;
        for (size_t k = 0; k < a->rule_count && !found; k++) {
            if (a->rules[k].act != SCN_ATTACK_RECORD || a->rules[k].as == NULL)
                continue;
            found = strcmp(a->rules[k].as, what) == 0;
            scn_nearest_try(&nearest, a->rules[k].as);
        }
        if (found)
            continue;
        scn_error *e = scn_report(cast->ctx, scn_where_of(&raw[i].head, "what"),
                                  "%s.rules[%zu].what: no rule records '%s'", path, i, what);
        if (nearest.best != NULL)
            scn_hint(e, "did you mean '%s'?", nearest.best);
        else
            scn_hint(e, "a rule with 'do: record, as: %s' does", what);
    }
}

static void expand_adversary(scn_cast *cast, scn_adversary *out, raw_adversary *raw, size_t entry) {
    const char *path = scn_printf(cast->ctx->arena, "adversaries[%zu]", entry);
    const scn_spot spot = {cast, &raw->head, path, "attached-to"};
    *out = (scn_adversary){.name = raw->name,
                           .entry = entry,
                           .attached_to = &cast->s->domains[0],
                           .cpu = raw->cpu.model,
                           .cores = raw->cores};
    if (scn_index_find(&cast->users, raw->name) != NULL) {
        const scn_spot name = {cast, &raw->head, path, "name"};
        scn_hint(scn_spot_report(&name, raw->name, "is the name of a user"),
                 "a user whom it has taken over is a seat: 'at: [{ue: %s}]'", raw->name);
    }
    if (raw->attached_to != NULL) {
        out->attached_to = scn_spot_domain(&spot, raw->attached_to);
    } else {
        raw->attached_to = out->attached_to->name;
        scn_give(scn_field_of(&scn_root_section, "adversaries")->section, &raw->head, "attached-to");
    }
    expand_seats(cast, out, &raw->seats, path);
    check_shared_seats(cast, out, &raw->seats, path);
    expand_holdings(cast, out, &raw->holdings, path);
    expand_kms(cast, out, &raw->kms, path);
    expand_rules(cast, out, &raw->rules, path);
    check_recordings(cast, out, &raw->rules, path);
    if (raw->seats.count + raw->holdings.count + raw->rules.count == 0 && raw->kms.head.node == NULL)
        scn_hint(
            scn_report(cast->ctx, &raw->head.node->where, "%s sits nowhere, holds and does nothing", path),
            "its keys are: at, holds, kms, rules");
}

static bool index_names(scn_cast *cast, const raw_adversary *raw, size_t count) {
    const scn_scenario *s = cast->s;
    if (!scn_index_new(cast->ctx, &cast->users, s->user_count) ||
        !scn_index_new(cast->ctx, &cast->calls, s->call_count) ||
        !scn_index_new(cast->ctx, &cast->adversaries, count))
        return false;
    for (size_t i = 0; i < s->user_count; i++)
        cast->users.list[cast->users.count++] = (scn_named){.name = s->users[i].name, .index = i};
    for (size_t i = 0; i < s->call_count; i++)
        cast->calls.list[cast->calls.count++] = (scn_named){.name = s->calls[i].name, .index = i};
    for (size_t i = 0; i < count; i++)
        cast->adversaries.list[cast->adversaries.count++] =
            (scn_named){raw[i].name, i, scn_where_of(&raw[i].head, "name")};
    scn_index_sort(&cast->users);
    scn_index_sort(&cast->calls);
    scn_index_sort(&cast->adversaries);
    scn_index_unique(cast->ctx, &cast->adversaries, "adversaries");
    return true;
}

void scn_expand_adversaries(scn_ctx *ctx, scn_scenario *out, raw_scenario *raw) {
    scn_cast cast = {.ctx = ctx, .s = out};
    raw_adversary *list = raw->adversaries.items;
    size_t count = raw->adversaries.count;
    if (count == 0)
        return;
    out->adversaries = scn_alloc_array(ctx->arena, count, sizeof *out->adversaries);
    if (out->adversaries == NULL || !index_names(&cast, list, count))
        return;
    out->adversary_count = count;
    for (size_t i = 0; i < count && !ctx->arena->failed; i++) {
        if (scn_has_number(list[i].name))
            scn_report(ctx, scn_where_of(&list[i].head, "name"),
                       "adversaries[%zu]: adversaries have no groups", i);
        expand_adversary(&cast, &out->adversaries[i], &list[i], i);
    }
}
