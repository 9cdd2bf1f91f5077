/* Raw to model: domains, links, and the order of the steps. */
#include "scenario/names.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const scn_section *list_section(const char *key) {
    return scn_field_of(&scn_root_section, key)->section;
}

/* ---- domains
 * ----------------------------------------------------------------------------------------------- */

static void check_parameters(scn_ctx *ctx, raw_kms *raw, const scn_section *section) {
    bool set = scn_written(&raw->head, "parameters");
    bool public = scn_written(&raw->head, "parameters-file"), master = scn_written(&raw->head, "master-file");
    if (set && (public || master))
        scn_hint(scn_report(ctx, scn_where_of(&raw->head, "parameters"),
                            "'parameters' and parameter files exclude each other"),
                 "keep 'parameters', or 'parameters-file' with 'master-file'");
    else if (public != master)
        scn_hint(scn_report(ctx, scn_where_of(&raw->head, public ? "parameters-file" : "master-file"),
                            "'%s' needs '%s' beside it", public ? "parameters-file" : "master-file",
                            public ? "master-file" : "parameters-file"),
                 "`ibakelab kms init` writes both");
    else if (!set && !public) {
        raw->kms.parameters = 3072;
        scn_give(section, &raw->head, "parameters");
    }
}

static const char *in_lower_case(scn_arena *arena, const char *text) {
    char *copy = scn_alloc(arena, strlen(text) + 1);
    for (size_t i = 0; copy != NULL && text[i] != 0; i++)
        copy[i] = (char)tolower((unsigned char)text[i]);
    return copy;
}

bool scn_kms_host(char out[SCN_KMS_HOST], const char *identity) {
    const char *at = strchr(identity, '@');
    int len =
        at != NULL ? snprintf(out, SCN_KMS_HOST, "%.*s.%s", (int)(at - identity), identity, at + 1) : -1;
    return len >= 0 && len < SCN_KMS_HOST;
}

/* Names of hosts that no two nodes may have. */
static void check_hosts(scn_ctx *ctx, const raw_domain *domains, size_t count) {
    scn_index index;
    if (!scn_index_new(ctx, &index, count * (1 + SCN_CORE_NODES + 1)))
        return;
    for (size_t i = 0; i < count; i++) {
        const raw_domain *d = &domains[i];
        const char *own = NULL; /* at the end the KMS's */
        index.list[index.count++] = (scn_named){d->name, i, scn_where_of(&d->head, "name")};
        for (unsigned node = 0; node < SCN_CORE_NODES; node++) {
            own = scn_printf(ctx->arena, "%s.%s", scn_core_node_name(node), d->name);
            if (own != NULL)
                index.list[index.count++] = (scn_named){own, i, scn_where_of(&d->head, "name")};
        }
        char host[SCN_KMS_HOST];
        bool has_host = d->kms.kms.identity != NULL && scn_kms_host(host, d->kms.kms.identity);
        const char *served = has_host ? in_lower_case(ctx->arena, host) : NULL;
        if (served != NULL && own != NULL && strcmp(served, own) != 0)
            index.list[index.count++] =
                (scn_named){served, count + i, scn_where_of(&d->kms.head, "identity")};
    }
    scn_index_sort(&index);
    scn_index_unique(ctx, &index, "hosts");
}

void scn_expand_domains(scn_ctx *ctx, scn_scenario *out, raw_scenario *raw) {
    const scn_section *section = list_section("domains"), *kms = scn_field_of(section, "kms")->section;
    raw_domain *domains = raw->domains.items;
    scn_index index;
    out->domains = scn_alloc_array(ctx->arena, raw->domains.count, sizeof *out->domains);
    if (out->domains == NULL || !scn_index_new(ctx, &index, raw->domains.count))
        return;
    out->domain_count = raw->domains.count;
    for (size_t i = 0; i < out->domain_count; i++) {
        raw_domain *d = &domains[i];
        check_parameters(ctx, &d->kms, kms);
        d->kms.kms.outage = d->kms.outage.outage;
        if (!scn_written(&d->kms.head, "identity")) {
            d->kms.kms.identity = scn_printf(ctx->arena, "kms@%s", d->name);
            scn_give(kms, &d->kms.head, "identity");
        } else if (d->kms.kms.identity != NULL && scn_has_number(d->kms.kms.identity)) {
            scn_report(ctx, scn_where_of(&d->kms.head, "identity"),
                       "'{n}' stands for a number only in a group");
        }
        out->domains[i] = (scn_domain){.name = d->name,
                                       .forking = d->forking,
                                       .forking_timeout_ns = d->forking_timeout_ns,
                                       .kms = d->kms.kms,
                                       .mikey = d->mikey.mikey};
        index.list[index.count++] = (scn_named){d->name, i, scn_where_of(&d->head, "name")};
    }
    scn_index_sort(&index);
    scn_index_unique(ctx, &index, "domains");
    if (ctx->errors->count == 0)
        check_hosts(ctx, domains, out->domain_count);
}

/* ---- links
 * ------------------------------------------------------------------------------------------------- */

static void add_link(scn_ctx *ctx, scn_scenario *out, const raw_link *raw, const char *name) {
    scn_link *link = &out->links[out->link_count++];
    *link = raw->link;
    link->name = name;
    if (out->network.ip == 6 && link->mtu < 1280) { /* RFC 8200 §5 */
        scn_error *e =
            scn_report(ctx, scn_where_of(&raw->head, "mtu"), "links.%s.mtu is too small for IPv6", name);
        scn_hint(e, "at least 1280 bytes with 'network: ip: 6'");
    }
}

static void expand_links(scn_ctx *ctx, scn_scenario *out, raw_scenario *raw) {
    const raw_link *others = raw->links.others.items;
    out->links = scn_alloc_array(ctx->arena, raw->links.others.count + 3, sizeof *out->links);
    if (out->links == NULL)
        return;
    add_link(ctx, out, &raw->links.access, "access");
    add_link(ctx, out, &raw->links.core, "core");
    add_link(ctx, out, &raw->links.interconnect, "interconnect");
    for (size_t i = 0; i < raw->links.others.count; i++)
        add_link(ctx, out, &others[i], others[i].link.name);
}

/* A class that nobody uses is a misspelt one. */
static void check_links_used(scn_ctx *ctx, const scn_scenario *s, const raw_scenario *raw) {
    const raw_user *users = raw->users.items;
    const raw_link *others = raw->links.others.items;
    for (size_t i = 0; i < raw->links.others.count; i++) {
        const char *name = others[i].link.name;
        bool used = false;
        for (size_t u = 0; u < raw->users.count && !used; u++)
            used = users[u].link != NULL && strcmp(users[u].link, name) == 0;
        if (used)
            continue;
        scn_nearest nearest = {.word = name};
        for (size_t k = 0; k < 3; k++)
            scn_nearest_try(&nearest, s->links[k].name);
        const scn_where *where =
            others[i].head.node == NULL ? scn_where_of(&raw->links.head, name) : &others[i].head.node->where;
        for (size_t k = 0; raw->links.head.node != NULL && k < raw->links.head.node->count; k++) {
            if (strcmp(raw->links.head.node->keys[k].text, name) == 0)
                where = &raw->links.head.node->keys[k].where;
        }
        scn_error *e = scn_report(ctx, where, "no user has the link class '%s'", scn_show(ctx, name));
        if (nearest.best != NULL)
            scn_hint(e, "did you mean '%s'?", nearest.best);
        else
            scn_hint(e, "name it in the key 'link' of a user, or leave it out");
    }
}

/* ---- all
 * ------------------------------------------------------------------------------------------------------ */

void scn_expand(scn_ctx *ctx, scn_scenario *out, raw_scenario *raw) {
    out->title = raw->title;
    out->description = raw->description;
    out->seed = raw->seed;
    out->start_utc_ns = raw->start_utc_ns;
    out->time_limit_ns = raw->time_limit_ns;
    out->network = raw->network.network;
    scn_expand_domains(ctx, out, raw);
    expand_links(ctx, out, raw);
    if (ctx->arena->failed)
        return;
    check_links_used(ctx, out, raw);
    scn_expand_users(ctx, out, raw);
    size_t before = ctx->errors->count;
    if (!ctx->arena->failed)
        scn_expand_relations(ctx, out, raw);
    if (!ctx->arena->failed)
        scn_expand_calls(ctx, out, raw);
    if (!ctx->arena->failed && ctx->errors->count == before)
        scn_expand_adversaries(ctx, out, raw);
    if (!ctx->arena->failed && ctx->errors->count == before)
        scn_expand_expectations(ctx, out, raw);
}

const scn_user *scn_find_user(const scn_scenario *s, const char *name) {
    for (size_t i = 0; i < s->user_count; i++) {
        if (strcmp(s->users[i].name, name) == 0)
            return &s->users[i];
    }
    return NULL;
}

bool scn_has_identity(const scn_user *user, const char *identity) {
    bool found = strcmp(user->identity, identity) == 0;
    for (size_t i = 0; !found && i < user->identity_count; i++)
        found = strcmp(user->identities[i], identity) == 0;
    return found;
}

const scn_user *scn_find_identity(const scn_scenario *s, const char *identity) {
    for (size_t i = 0; i < s->user_count; i++) {
        if (scn_has_identity(&s->users[i], identity))
            return &s->users[i];
    }
    return NULL;
}

const scn_domain *scn_find_domain(const scn_scenario *s, const char *name) {
    for (size_t i = 0; i < s->domain_count; i++) {
        if (strcmp(s->domains[i].name, name) == 0)
            return &s->domains[i];
    }
    return NULL;
}

const char *scn_thing_name(scn_thing thing) {
    static const char *const names[] = {
#define THING_NAME(name, word) word,
        SCN_THING_LIST(THING_NAME)
#undef THING_NAME
    };
    return thing < SCN_THINGS ? names[thing] : "?";
}

const char *scn_keys_failure_name(scn_keys_failure failure) {
    switch (failure) {
    case SCN_KEYS_REFUSED:
        return "refused";
    case SCN_KEYS_CLOCK_SKEW:
        return "clock-skew";
    case SCN_KEYS_NOT_AUTHORIZED:
        return "not-authorized";
    case SCN_KEYS_CERTIFICATE_REFUSED:
        return "certificate-refused";
    case SCN_KEYS_UNKNOWN_KMS:
        return "unknown-kms";
    case SCN_KEYS_NO_ANSWER:
        return "no-answer";
    case SCN_KEYS_BAD_RESPONSE:
        return "bad-response";
    case SCN_KEYS_NO_PARAMETERS:
        return "no-parameters";
    case SCN_KEYS_BAD_CERTIFICATE:
        return "bad-certificate";
    }
    return "none";
}

const char *scn_parameters_failure_name(scn_parameters_failure failure) {
    static const char *const names[] = {"none",      "unknown-kms", "no-answer",           "no-tls",
                                        "untrusted", "wrong-name",  "expired-certificate", "bad-certificate",
                                        "refused",   "malformed",   "unsupported",         "expired"};
    return failure <= SCN_PARAMETERS_EXPIRED ? names[failure] : names[0];
}

const char *scn_property_name(scn_property property) {
    static const char *const names[] = {
#define PROPERTY_NAME(name, word, text) word,
        SCN_PROPERTY_LIST(PROPERTY_NAME)
#undef PROPERTY_NAME
    };
    return names[property];
}
