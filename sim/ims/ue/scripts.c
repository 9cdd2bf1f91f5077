#include "ims/ue/scripts.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

typedef struct known_call {
    char *call_id;
    const scn_call *script;
    struct known_call *next;
} known_call;

typedef struct ends {
    ue_end *list;
    size_t count;
} ends;

struct ue_scripts {
    const scn_scenario *scenario;
    void *tree; /* of entries, by Call-ID */
    known_call *first;
    ends *ends; /* one for each call of the scenario */
};

static int by_call_id(const void *a, const void *b) {
    return strcmp(((const known_call *)a)->call_id, ((const known_call *)b)->call_id);
}

ue_scripts *ue_scripts_new(const scn_scenario *scenario) {
    ue_scripts *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->scenario = scenario;
    s->ends = calloc(scenario->call_count ? scenario->call_count : 1, sizeof *s->ends);
    if (s->ends)
        return s;
    free(s);
    return NULL;
}

void ue_scripts_free(ue_scripts *s) {
    if (!s)
        return;
    for (known_call *e = s->first, *next; e; e = next) {
        next = e->next;
        tdelete(e, &s->tree, by_call_id);
        free(e->call_id);
        free(e);
    }
    for (size_t i = 0; i < s->scenario->call_count; i++)
        free(s->ends[i].list);
    free(s->ends);
    free(s);
}

ibk_err ue_scripts_enter(ue_scripts *s, const char *call_id, const scn_call *script) {
    known_call *e = calloc(1, sizeof *e);
    if (!e)
        return IBK_ERR_NO_MEMORY;
    *e = (known_call){.call_id = strdup(call_id), .script = script};
    known_call **found = e->call_id ? tsearch(e, &s->tree, by_call_id) : NULL;
    if (found && *found == e) {
        e->next = s->first;
        s->first = e;
        return IBK_OK;
    }
    free(e->call_id); /* a redirected call keeps its Call-ID: it is there already */
    free(e);
    return found && (*found)->script == script ? IBK_OK : IBK_ERR_NO_MEMORY;
}

const scn_call *ue_scripts_find(const ue_scripts *s, const char *call_id) {
    known_call key = {.call_id = (char *)call_id};
    known_call **found = tfind(&key, &s->tree, by_call_id);
    return found ? (*found)->script : NULL;
}

ibk_err ue_scripts_add_end(ue_scripts *s, const scn_call *script, const ue_end *end) {
    if (script->entry == UE_SCRIPT_OF_MAILBOX)
        return IBK_OK;
    ends *all = &s->ends[script - s->scenario->calls];
    ue_end *grown = realloc(all->list, (all->count + 1) * sizeof *grown);
    if (!grown)
        return IBK_ERR_NO_MEMORY;
    all->list = grown;
    all->list[all->count++] = *end;
    return IBK_OK;
}

const ue_end *ue_scripts_ends(const ue_scripts *s, const scn_call *script, size_t *count) {
    const ends *all = &s->ends[script - s->scenario->calls];
    *count = all->count;
    return all->list;
}
