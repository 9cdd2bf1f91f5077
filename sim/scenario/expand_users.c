/* Raw users and groups to users. */
#include "random/random.h"
#include "scenario/names.h"
#include <string.h>

#define AUTO_PSK      32 /* octets */
#define AUTO_PASSWORD 12

static const scn_domain *domain_of(scn_ctx *ctx, scn_scenario *s, raw_user *u, size_t entry) {
    if (u->domain == NULL) {
        if (s->domain_count == 1)
            return &s->domains[0];
        scn_error *e =
            scn_report(ctx, scn_where_of(&u->head, "domain"), "users[%zu] lacks the key 'domain'", entry);
        scn_hint(e, "it can be left out only where there is one domain");
        return NULL;
    }
    scn_nearest nearest = {.word = u->domain};
    for (size_t i = 0; i < s->domain_count; i++) {
        if (strcmp(s->domains[i].name, u->domain) == 0)
            return &s->domains[i];
        scn_nearest_try(&nearest, s->domains[i].name);
    }
    scn_error *e = scn_report(ctx, scn_where_of(&u->head, "domain"),
                              "users[%zu].domain: there is no domain '%s'", entry, scn_show(ctx, u->domain));
    scn_hint(e, nearest.best == NULL ? "the first domain is '%s'" : "did you mean '%s'?",
             nearest.best == NULL ? s->domains[0].name : nearest.best);
    return NULL;
}

static const scn_link *link_of(scn_ctx *ctx, scn_scenario *s, raw_user *u, size_t entry) {
    scn_nearest nearest = {.word = u->link};
    for (size_t i = 0; i < s->link_count; i++) {
        bool core = i == 1 || i == 2; /* no UE hangs on a link of the core's classes */
        if (!core && strcmp(s->links[i].name, u->link) == 0)
            return &s->links[i];
        if (!core)
            scn_nearest_try(&nearest, s->links[i].name);
    }
    scn_error *e =
        scn_report(ctx, scn_where_of(&u->head, "link"), "users[%zu].link: there is no access link class '%s'",
                   entry, scn_show(ctx, u->link));
    if (nearest.best != NULL)
        scn_hint(e, "did you mean '%s'?", nearest.best);
    else
        scn_hint(e, "define it under 'links', or leave the key out for 'access'");
    return NULL;
}

/* The defaults that depend on other keys, as templates, so that the resolved configuration can show them. */
static void fill_templates(scn_ctx *ctx, raw_user *u, const scn_domain *domain) {
    const scn_section *section = scn_field_of(&scn_root_section, "users")->section;
    const char *name = u->user.name;
    static const char *const computed[] = {
        "domain", "identity", "private-identity", "hss-password", "kms-key-password", "kms-psk", "kms"};
    u->domain = domain->name;
    if (u->user.identity == NULL)
        u->user.identity = scn_printf(ctx->arena, "sip:%s@%s", name, domain->name);
    if (u->user.private_identity == NULL)
        u->user.private_identity = scn_printf(ctx->arena, "%s@%s", name, domain->name);
    if (u->user.hss_password == NULL)
        u->user.hss_password = u->user.password;
    if (u->user.kms_key_password == NULL)
        u->user.kms_key_password = u->user.key_password;
    if (!scn_written(&u->head, "kms-psk"))
        u->kms_psk = u->psk;
    if (u->user.kms == NULL)
        u->user.kms = domain->kms.identity;
    for (size_t i = 0; i < sizeof computed / sizeof computed[0]; i++)
        scn_give(section, &u->head, computed[i]);
}

/* ---- secrets from the seed
 * --------------------------------------------------------------------------------- */

static bool draw(scn_ctx *ctx, uint64_t seed, const char *name, const char *label, uint8_t *out, size_t len) {
    sim_random *random = sim_random_new(seed, name, label);
    bool ok = random != NULL && sim_random_draw(random, out, len);
    sim_random_free(random);
    ctx->arena->failed |= !ok;
    return ok;
}

static ibk_span psk_of(scn_ctx *ctx, const scn_scenario *s, const raw_key *key, const char *name) {
    if (!key->automatic)
        return key->octets;
    uint8_t *octets = scn_alloc(ctx->arena, AUTO_PSK);
    if (octets == NULL || !draw(ctx, s->seed, name, "psk", octets, AUTO_PSK))
        return (ibk_span){0};
    return (ibk_span){octets, AUTO_PSK};
}

static const char *password_of(scn_ctx *ctx, const scn_scenario *s, const char *password, const char *name,
                               const char *label) {
    uint8_t octets[AUTO_PASSWORD];
    if (strcmp(password, "auto") != 0)
        return password;
    char *text = scn_alloc(ctx->arena, 2 * AUTO_PASSWORD + 1);
    if (text == NULL || !draw(ctx, s->seed, name, label, octets, sizeof octets))
        return "";
    for (size_t i = 0; i < sizeof octets; i++)
        snprintf(text + 2 * i, 3, "%02x", octets[i]);
    ibk_wipe(octets, sizeof octets);
    return text;
}

/* ---- groups
 * --------------------------------------------------------------------------------------------------- */

static const char *const *identities_of(scn_ctx *ctx, const raw_user *u, size_t number) {
    const raw_identity *further = u->identities.items;
    const char **list =
        u->identities.count ? scn_alloc_array(ctx->arena, u->identities.count, sizeof *list) : NULL;
    for (size_t i = 0; list != NULL && i < u->identities.count; i++)
        list[i] = scn_put_number(ctx->arena, further[i].identity, number);
    return list;
}

static void add_user(scn_ctx *ctx, scn_scenario *s, const raw_user *u, size_t number, size_t entry) {
    scn_arena *arena = ctx->arena;
    scn_user *user = &s->users[s->user_count++];
    *user = u->user;
    user->name = scn_put_number(arena, u->user.name, number);
    user->identity = scn_put_number(arena, u->user.identity, number);
    user->private_identity = scn_put_number(arena, u->user.private_identity, number);
    user->kms = scn_put_number(arena, u->user.kms, number);
    user->password = password_of(ctx, s, u->user.password, user->name, "password");
    user->hss_password = password_of(ctx, s, u->user.hss_password, user->name, "password");
    user->key_password = password_of(ctx, s, u->user.key_password, user->name, "key-password");
    user->kms_key_password = password_of(ctx, s, u->user.kms_key_password, user->name, "key-password");
    user->psk = psk_of(ctx, s, &u->psk, user->name);
    user->kms_psk = psk_of(ctx, s, &u->kms_psk, user->name);
    user->identities = identities_of(ctx, u, number);
    user->identity_count = user->identities ? u->identities.count : 0;
    user->on_ns += (number - 1) * u->every_ns;
    user->divert = u->divert.divert;
    user->has_ring_time = scn_written(&u->head, "ring-time");
    user->switched_off = scn_written(&u->head, "off");
    user->restarts = scn_written(&u->head, "restart");
    user->ask_also = u->user.ask_also ? scn_put_number(arena, u->user.ask_also, number) : NULL;
    user->entry = entry;
}

static void check_group(scn_ctx *ctx, const scn_scenario *s, const raw_user *u, size_t entry) {
    scn_check_number(ctx, &u->head, "name", u->user.name);
    scn_check_number(ctx, &u->head, "identity", u->user.identity);
    scn_check_number(ctx, &u->head, "private-identity", u->user.private_identity);
    scn_check_number(ctx, &u->head, "kms", u->user.kms);
    if (u->group > 1 && !scn_has_number(u->user.name)) {
        scn_error *e = scn_report(ctx, scn_where_of(&u->head, "name"),
                                  "users[%zu] is a group whose name lacks '{n}'", entry);
        scn_hint(e, "e.g. name: %s-{n}", u->user.name);
    }
    if (u->group == 1 && u->every_ns != 0)
        scn_hint(scn_report(ctx, scn_where_of(&u->head, "every"), "'every' has no effect on a single user"),
                 "it belongs to groups, with 'count'");
    scn_check_number(ctx, &u->head, "contact-of", u->contact_of);
    scn_check_number(ctx, &u->divert.head, "to", u->divert.to);
    if (scn_written(&u->head, "off") && u->user.off_ns <= u->user.on_ns + (u->group - 1) * u->every_ns)
        scn_hint(scn_report(ctx, scn_where_of(&u->head, "off"),
                            "users[%zu] is switched off before it is switched on", entry),
                 "see the keys 'on' and 'every'");
    if (scn_written(&u->head, "restart") &&
        u->user.restart_ns <= u->user.on_ns + (u->group - 1) * u->every_ns)
        scn_hint(scn_report(ctx, scn_where_of(&u->head, "restart"),
                            "users[%zu] restarts before it is switched on", entry),
                 "see the keys 'on' and 'every'");
    if (u->user.tampering != SCN_TAMPER_NONE && !u->user.mailbox)
        scn_hint(scn_report(ctx, scn_where_of(&u->head, "mailbox-tampers"),
                            "users[%zu] is no mailbox that could tamper with messages", entry),
                 "it belongs to users with 'mailbox: true'");
    if (u->user.on_ns + (u->group - 1) * u->every_ns > s->time_limit_ns)
        scn_hint(scn_report(ctx, scn_where_of(&u->head, "on"),
                            "users[%zu] is switched on after the end of the run", entry),
                 "the key 'time-limit' sets the end");
}

/* Where requests for an identity are routed, and whose keys it needs: a sip: URI names the domain itself. */
static void check_identities(scn_ctx *ctx, const raw_user *u, const scn_domain *domain, size_t entry) {
    const raw_identity *further = u->identities.items;
    if (u->user.identity != NULL && strncmp(u->user.identity, "sip:", 4) != 0)
        scn_hint(
            scn_report(ctx, scn_where_of(&u->head, "identity"), "users[%zu].identity is no sip: URI", entry),
            "a tel: URI can be a further one, under 'identities'");
    if (u->identities.count > SCN_MAX_IDENTITIES - 1)
        scn_report(ctx, scn_where_of(&u->head, "identities"),
                   "users[%zu].identities: %zu are more than the %d that a user may have", entry,
                   u->identities.count, SCN_MAX_IDENTITIES - 1);
    for (size_t i = 0; i < u->identities.count; i++) {
        const char *identity = further[i].identity, *at = identity == NULL ? NULL : strchr(identity, '@');
        if (identity == NULL)
            continue;
        scn_check_number(ctx, &u->head, "identities", identity);
        if (at != NULL && domain != NULL && strcmp(at + 1, domain->name) != 0)
            scn_hint(scn_report(ctx, scn_where_of(&further[i].head, "identity"),
                                "users[%zu].identities[%zu]: '%s' is of another domain", entry, i, identity),
                     "the user's domain is %s", domain->name);
    }
}

static void check_unique(scn_ctx *ctx, const scn_scenario *s, const raw_user *raw, bool identities) {
    scn_index index;
    size_t total = 0;
    for (size_t i = 0; i < s->user_count; i++)
        total += 1 + s->users[i].identity_count;
    if (!scn_index_new(ctx, &index, total))
        return;
    for (size_t i = 0; i < s->user_count; i++) {
        const raw_head *head = &raw[s->users[i].entry].head;
        scn_named entry = {identities ? s->users[i].identity : s->users[i].name, i,
                           scn_where_of(head, identities ? "identity" : "name")};
        index.list[index.count++] = entry;
        const raw_identity *further = raw[s->users[i].entry].identities.items;
        for (size_t k = 0; identities && k < s->users[i].identity_count; k++)
            index.list[index.count++] =
                (scn_named){s->users[i].identities[k], i, scn_where_of(&further[k].head, "identity")};
    }
    scn_index_sort(&index);
    scn_index_unique(ctx, &index, identities ? "identities of users" : "names of users");
}

void scn_expand_users(scn_ctx *ctx, scn_scenario *out, raw_scenario *raw) {
    raw_user *users = raw->users.items;
    size_t total = 0, before = ctx->errors->count;
    for (size_t i = 0; i < raw->users.count; i++)
        total += users[i].group;
    if (total > SCN_MAX_USERS) {
        scn_report(ctx, scn_where_of(&raw->head, "users"),
                   "%zu users are more than the %d that a scenario may have", total, SCN_MAX_USERS);
        return;
    }
    out->users = scn_alloc_array(ctx->arena, total, sizeof *out->users);
    for (size_t i = 0; i < raw->users.count && out->users != NULL; i++) {
        raw_user *u = &users[i];
        const scn_domain *domain = domain_of(ctx, out, u, i);
        u->user.domain = domain;
        u->user.link = u->link == NULL ? NULL : link_of(ctx, out, u, i);
        check_group(ctx, out, u, i);
        check_identities(ctx, u, domain, i);
        u->first = out->user_count;
        u->count = u->group;
        if (domain == NULL)
            continue;
        fill_templates(ctx, u, domain);
        for (size_t n = 1; n <= u->group && !ctx->arena->failed && u->user.password != NULL; n++)
            add_user(ctx, out, u, n, i);
    }
    if (ctx->errors->count == before && !ctx->arena->failed && out->users != NULL) {
        check_unique(ctx, out, users, false);
        check_unique(ctx, out, users, true);
    }
}
