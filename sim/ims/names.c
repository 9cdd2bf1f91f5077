#include "ims/names.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct name_entry {
    char *host;
    sip_addr addr;
    struct name_entry *next;
} name_entry;

struct ims_names {
    void *tree;
    name_entry *first;
};

static int by_host(const void *a, const void *b) {
    return strcasecmp(((const name_entry *)a)->host, ((const name_entry *)b)->host);
}

ims_names *ims_names_new(void) {
    return calloc(1, sizeof(ims_names));
}

void ims_names_free(ims_names *names) {
    if (!names)
        return;
    for (name_entry *e = names->first, *next; e; e = next) {
        next = e->next;
        tdelete(e, &names->tree, by_host);
        free(e->host);
        free(e);
    }
    free(names);
}

static const name_entry *find(const ims_names *names, const char *host) {
    name_entry key = {.host = (char *)host};
    name_entry **found = tfind(&key, (void *const *)&names->tree, by_host);
    return found ? *found : NULL;
}

ibk_err ims_names_add(ims_names *names, const char *host, const sip_addr *addr) {
    if (find(names, host))
        return IBK_ERR_USAGE;
    name_entry *e = calloc(1, sizeof *e);
    char *copy = strdup(host);
    if (!e || !copy) {
        free(e);
        free(copy);
        return IBK_ERR_NO_MEMORY;
    }
    *e = (name_entry){.host = copy, .addr = *addr};
    if (!tsearch(e, &names->tree, by_host)) {
        free(copy);
        free(e);
        return IBK_ERR_NO_MEMORY;
    }
    e->next = names->first;
    names->first = e;
    return IBK_OK;
}

ibk_err ims_names_find(const ims_names *names, sip_addr *out, const char *host) {
    const name_entry *e = find(names, host);
    if (!e)
        return IBK_ERR_NO_PARAMS;
    uint16_t port = out->port;
    *out = e->addr;
    out->port = port;
    return IBK_OK;
}
