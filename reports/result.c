/* ibakelab: building and reading the result of a run. */
#include "reports/result.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Everything that the result owns hangs in one list of blocks. */
struct result_block {
    struct result_block *next;
};

static void *arena_alloc(result *r, size_t size) {
    struct result_block *block = calloc(1, sizeof *block + size);
    if (!block) {
        r->out_of_memory = true;
        return NULL;
    }
    block->next = r->arena;
    r->arena = block;
    return block + 1;
}

const char *result_text(result *r, const char *text) {
    if (!text)
        return NULL;
    size_t size = strlen(text) + 1;
    char *copy = arena_alloc(r, size);
    return copy ? memcpy(copy, text, size) : "";
}

const char *result_textf(result *r, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = len < 0 ? NULL : arena_alloc(r, (size_t)len + 1);
    if (text)
        vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text ? text : "";
}

/* One more zeroed element at the end of a list: storage doubles whenever the count is a power of two. */
static void *grow(result *r, void *list, size_t *count, size_t size) {
    char *elements = *(void **)list;
    if ((*count & (*count - 1)) == 0) {
        char *grown = realloc(elements, (*count ? 2 * *count : 1) * size);
        if (!grown) {
            r->out_of_memory = true;
            return NULL;
        }
        *(void **)list = elements = grown;
    }
    return memset(elements + (*count)++ * size, 0, size);
}

/* For the entries that could not be had: written to, never read. Kept in the result, so that it is no global.
 */
static void *scratch(result *r) {
    memset(r->scratch, 0, sizeof r->scratch);
    return r->scratch;
}

_Static_assert(sizeof(result_call) <= sizeof((result *)0)->scratch, "scratch holds every kind of entry");
_Static_assert(sizeof(result_user) <= sizeof((result *)0)->scratch, "scratch holds every kind of entry");
_Static_assert(sizeof(result_adversary) <= sizeof((result *)0)->scratch, "scratch holds every kind of entry");
_Static_assert(sizeof(result_kms) <= sizeof((result *)0)->scratch, "scratch holds every kind of entry");
_Static_assert(sizeof(result_party) <= sizeof((result *)0)->scratch, "scratch holds every kind of entry");
_Static_assert(sizeof(result_key_request) <= sizeof((result *)0)->scratch,
               "scratch holds every kind of entry");
_Static_assert(sizeof(result_media) <= sizeof((result *)0)->scratch, "scratch holds every kind of entry");
_Static_assert(sizeof(result_message) <= sizeof((result *)0)->scratch, "scratch holds every kind of entry");
_Static_assert(sizeof(result_link) <= sizeof((result *)0)->scratch, "scratch holds every kind of entry");
_Static_assert(sizeof(result_expectation) <= sizeof((result *)0)->scratch,
               "scratch holds every kind of entry");

result_call *result_add_call(result *r) {
    result_call *call = arena_alloc(r, sizeof *call);
    result_call **slot = call ? grow(r, &r->calls, &r->call_count, sizeof *slot) : NULL;
    if (!slot)
        return scratch(r);
    *slot = call;
    return call;
}

result_user *result_add_user(result *r) {
    result_user *user = arena_alloc(r, sizeof *user);
    result_user **slot = user ? grow(r, &r->users, &r->user_count, sizeof *slot) : NULL;
    if (!slot)
        return scratch(r);
    *slot = user;
    return user;
}

result_kms *result_add_kms(result *r) {
    result_kms *kms = arena_alloc(r, sizeof *kms);
    result_kms **slot = kms ? grow(r, &r->kms, &r->kms_count, sizeof *slot) : NULL;
    if (!slot)
        return scratch(r);
    *slot = kms;
    return kms;
}

result_adversary *result_add_adversary(result *r) {
    result_adversary *adversary = arena_alloc(r, sizeof *adversary);
    result_adversary **slot = adversary ? grow(r, &r->adversaries, &r->adversary_count, sizeof *slot) : NULL;
    if (!slot)
        return scratch(r);
    *slot = adversary;
    return adversary;
}

void result_add_seat(result *r, result_adversary *adversary, const result_seat *seat) {
    if (r->out_of_memory)
        return;
    result_seat *entry = grow(r, &adversary->seats, &adversary->seat_count, sizeof *entry);
    if (entry)
        *entry = (result_seat){.link = result_text(r, seat->link), .inside = result_text(r, seat->inside)};
}

void result_add_rule(result *r, result_adversary *adversary, const result_rule *rule) {
    if (r->out_of_memory)
        return;
    result_rule *entry = grow(r, &adversary->rules, &adversary->rule_count, sizeof *entry);
    if (entry)
        *entry = (result_rule){.on = result_text(r, rule->on),
                               .text = result_text(r, rule->text),
                               .fired = rule->fired,
                               .failed = rule->failed,
                               .why = result_text(r, rule->why)};
}

result_key_request *result_add_key_request(result *r, result_user *user) {
    if (r->out_of_memory)
        return scratch(r);
    void *entry = grow(r, &user->key_requests, &user->key_request_count, sizeof *user->key_requests);
    return entry ? entry : scratch(r);
}

void result_add_refusal(result *r, result_kms *kms, const char *reason, uint64_t count) {
    if (r->out_of_memory)
        return;
    result_refusal *entry = grow(r, &kms->refusals, &kms->refusal_count, sizeof *entry);
    if (entry)
        *entry = (result_refusal){.reason = result_text(r, reason), .count = count};
}

result_expectation *result_add_expectation(result *r) {
    void *entry = grow(r, &r->expectations, &r->expectation_count, sizeof *r->expectations);
    return entry ? entry : scratch(r);
}

result_message *result_add_message(result *r) {
    void *entry = grow(r, &r->messages, &r->message_count, sizeof *r->messages);
    return entry ? entry : scratch(r);
}

result_link *result_add_link(result *r) {
    void *entry = grow(r, &r->links, &r->link_count, sizeof *r->links);
    return entry ? entry : scratch(r);
}

result_media *result_add_media(result *r, result_call *call) {
    if (r->out_of_memory)
        return scratch(r);
    void *entry = grow(r, &call->media, &call->media_count, sizeof *call->media);
    return entry ? entry : scratch(r);
}

result_update *result_add_update(result *r, result_call *call) {
    if (r->out_of_memory)
        return scratch(r);
    void *entry = grow(r, &call->updates, &call->update_count, sizeof *call->updates);
    return entry ? entry : scratch(r);
}

result_fetch *result_add_fetch(result *r, result_user *user) {
    if (r->out_of_memory)
        return scratch(r);
    void *entry = grow(r, &user->fetches, &user->fetch_count, sizeof *user->fetches);
    return entry ? entry : scratch(r);
}

void result_add_mikey(result *r, result_call *call, const char *name, uint64_t octets) {
    if (r->out_of_memory)
        return;
    result_mikey *entry = grow(r, &call->mikey, &call->mikey_count, sizeof *entry);
    if (entry)
        *entry = (result_mikey){.name = result_text(r, name), .octets = octets};
}

void result_add_crypto(result *r, result_call *call, const result_crypto *crypto) {
    if (r->out_of_memory)
        return;
    result_crypto *entry = grow(r, &call->setup.crypto, &call->setup.crypto_count, sizeof *entry);
    if (entry) {
        *entry = *crypto;
        entry->node = result_text(r, crypto->node);
    }
}

result_party *result_add_party(result *r) {
    result_party *party = arena_alloc(r, sizeof *party);
    result_party **slot = party ? grow(r, &r->parties, &r->party_count, sizeof *slot) : NULL;
    if (!slot)
        return scratch(r);
    *slot = party;
    return party;
}

void result_add_fact(result *r, result_party *party, const result_fact *fact) {
    if (r->out_of_memory)
        return;
    result_fact *entry = grow(r, &party->facts, &party->fact_count, sizeof *entry);
    if (!entry)
        return;
    *entry = *fact;
    entry->what = result_text(r, fact->what);
    entry->call = result_text(r, fact->call);
    entry->how = result_text(r, fact->how);
    entry->step = result_text(r, fact->step);
}

void result_add_remark(result *r, const char *text) {
    const char **entry = grow(r, &r->remarks, &r->remark_count, sizeof *entry);
    if (entry)
        *entry = result_text(r, text);
}

void result_add_property(result *r, const char *name, bool holds, const char *detail) {
    result_property *entry = grow(r, &r->properties, &r->property_count, sizeof *entry);
    if (entry)
        *entry = (result_property){.name = name, .holds = holds, .detail = result_text(r, detail)};
}

void result_add_version(result *r, const char *name, const char *version) {
    result_version *entry = grow(r, &r->versions, &r->version_count, sizeof *entry);
    if (entry)
        *entry = (result_version){.name = result_text(r, name), .version = result_text(r, version)};
}

result_verdict result_judge(result *r) {
    r->verdict = RESULT_PASS;
    for (size_t i = 0; i < r->expectation_count; i++)
        if (!r->expectations[i].held)
            r->verdict = RESULT_FAIL;
    if (r->error)
        r->verdict = RESULT_ERROR;
    return r->verdict;
}

void result_free(result *r) {
    if (!r)
        return;
    for (size_t i = 0; i < r->call_count; i++) {
        free(r->calls[i]->mikey);
        free(r->calls[i]->setup.crypto);
        free(r->calls[i]->media);
        free(r->calls[i]->updates);
    }
    for (size_t i = 0; i < r->user_count; i++) {
        free(r->users[i]->key_requests);
        free(r->users[i]->fetches);
    }
    for (size_t i = 0; i < r->kms_count; i++)
        free(r->kms[i]->refusals);
    for (size_t i = 0; i < r->adversary_count; i++) {
        free(r->adversaries[i]->seats);
        free(r->adversaries[i]->rules);
    }
    free(r->adversaries);
    for (size_t i = 0; i < r->party_count; i++)
        free(r->parties[i]->facts);
    free(r->parties);
    free(r->remarks);
    free(r->calls);
    free(r->users);
    free(r->kms);
    free(r->expectations);
    free(r->properties);
    free(r->messages);
    free(r->links);
    free(r->versions);
    while (r->arena) {
        struct result_block *next = r->arena->next;
        free(r->arena);
        r->arena = next;
    }
    *r = (result){0};
}

/* ---- reading ---------------------------------------------------------------------------------- */

const char *result_verdict_name(result_verdict verdict) {
    return verdict == RESULT_PASS ? "pass" : verdict == RESULT_FAIL ? "fail" : "error";
}

const char *result_call_state_name(result_call_state s) {
    return s == RESULT_CALL_ESTABLISHED ? "established" : s == RESULT_CALL_DROPPED ? "dropped" : "failed";
}

size_t result_calls_in_state(const result *r, result_call_state s) {
    size_t count = 0;
    for (size_t i = 0; i < r->call_count; i++)
        count += r->calls[i]->state == s;
    return count;
}

bool result_setup_ns(const result_call *call, uint64_t *ns) {
    if (!call->invite.set || !call->established.set || call->established.ns < call->invite.ns)
        return false;
    *ns = call->established.ns - call->invite.ns;
    return true;
}
