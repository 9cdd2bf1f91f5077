#include "ims/names.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct name_entry {
    char *host; /* or a number, which no host name is: it begins with '+' */
    sip_addr addr;
    char *domain; /* of a number */
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
        free(e->domain);
        free(e);
    }
    free(names);
}

static name_entry *find(const ims_names *names, const char *host) {
    name_entry key = {.host = (char *)host};
    name_entry **found = tfind(&key, (void *const *)&names->tree, by_host);
    return found ? *found : NULL;
}

static ibk_err add(ims_names *names, const char *host, const sip_addr *addr, const char *domain) {
    if (find(names, host))
        return IBK_ERR_USAGE;
    name_entry *e = calloc(1, sizeof *e);
    if (!e)
        return IBK_ERR_NO_MEMORY;
    *e = (name_entry){
        .host = strdup(host), .addr = *addr, .domain = domain ? strdup(domain) : NULL, .next = names->first};
    if (!e->host || (domain && !e->domain) || !tsearch(e, &names->tree, by_host)) {
        free(e->host);
        free(e->domain);
        free(e);
        return IBK_ERR_NO_MEMORY;
    }
    names->first = e;
    return IBK_OK;
}

ibk_err ims_names_add(ims_names *names, const char *host, const sip_addr *addr) {
    return add(names, host, addr, NULL);
}

ibk_err ims_names_replace(ims_names *names, const char *host, const sip_addr *addr) {
    name_entry *e = find(names, host);
    if (!e)
        return IBK_ERR_NO_PARAMS;
    e->addr = *addr;
    return IBK_OK;
}

ibk_err ims_names_add_number(ims_names *names, const char *number, const char *domain) {
    const sip_addr none = {0};
    return number[0] == '+' ? add(names, number, &none, domain) : IBK_ERR_USAGE;
}

const char *ims_names_domain_of_number(const ims_names *names, ibk_span tel_uri) {
    static const char scheme[] = "tel:";
    char number[32];
    const size_t before = sizeof scheme - 1;
    if (tel_uri.len <= before || tel_uri.len - before >= sizeof number ||
        memcmp(tel_uri.data, scheme, before) != 0)
        return NULL;
    memcpy(number, tel_uri.data + before, tel_uri.len - before);
    number[tel_uri.len - before] = 0;
    const name_entry *e = find(names, number);
    return e ? e->domain : NULL;
}

ibk_err ims_names_find(const ims_names *names, sip_addr *out, const char *host) {
    const name_entry *e = find(names, host);
    if (!e || e->domain)
        return IBK_ERR_NO_PARAMS;
    uint16_t port = out->port;
    *out = e->addr;
    out->port = port;
    return IBK_OK;
}
