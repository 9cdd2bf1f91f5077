/* SIP, inside: libosip2's parsed values into ours, strictly. `field` names the header in errors. */
#ifndef IMS_SIP_CONVERT_H
#define IMS_SIP_CONVERT_H

#include "ims/sip/message.h"

#include <osipparser2/osip_parser.h>

ibk_err sip_convert_uri(sip_arena *arena, sip_uri *out, const osip_uri_t *in, const char *field,
                        ibk_diag *diag);
/* Also Contact, Route, Record-Route, To, which libosip2 keeps in the same form. */
ibk_err sip_convert_addr(sip_arena *arena, sip_name_addr *out, const osip_from_t *in, const char *field,
                         ibk_diag *diag);
ibk_err sip_convert_via(sip_arena *arena, sip_via *out, const osip_via_t *in, ibk_diag *diag);

#endif
