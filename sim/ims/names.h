/* The simulation's DNS, filled when the world is built: host names to addresses, and, as ENUM (RFC 6116),
 * telephone numbers to the home networks that serve them (P-40). */
#ifndef IMS_NAMES_H
#define IMS_NAMES_H

#include "ims/sip/env.h"

typedef struct ims_names ims_names;

ims_names *ims_names_new(void);
void ims_names_free(ims_names *names);
/* The name is copied; a second address for one name is IBK_ERR_USAGE. */
ibk_err ims_names_add(ims_names *names, const char *host, const sip_addr *addr);
/* The name leads elsewhere from now on: what whoever rules the DNS can do. IBK_ERR_NO_PARAMS: no such host.
 */
ibk_err ims_names_replace(ims_names *names, const char *host, const sip_addr *addr);
/* IBK_ERR_NO_PARAMS: no such host. The port of *out is left alone. Names compare without case. */
ibk_err ims_names_find(const ims_names *names, sip_addr *out, const char *host);

/* The domain that serves a number; both are copied. IBK_ERR_USAGE: the number has one. */
ibk_err ims_names_add_number(ims_names *names, const char *number, const char *domain); /* "+4930901820" */
/* Of the number of a tel: URI ("tel:+4930901820"); NULL: no tel: URI, or nobody's. */
const char *ims_names_domain_of_number(const ims_names *names, ibk_span tel_uri);

#endif
