/* The simulation's DNS: host names to addresses, filled when the world is built. */
#ifndef IMS_NAMES_H
#define IMS_NAMES_H

#include "ims/sip/env.h"

typedef struct ims_names ims_names;

ims_names *ims_names_new(void);
void ims_names_free(ims_names *names);
/* The name is copied; a second address for one name is IBK_ERR_USAGE. */
ibk_err ims_names_add(ims_names *names, const char *host, const sip_addr *addr);
/* IBK_ERR_NO_PARAMS: no such host. The port of *out is left alone. Names compare without case. */
ibk_err ims_names_find(const ims_names *names, sip_addr *out, const char *host);

#endif
