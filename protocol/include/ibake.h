/* ibakelab: libibake, the real MIKEY-IBAKE code. This is the only header that the rest of the house includes.
 */
#ifndef IBAKE_H
#define IBAKE_H

#include <ibake/base.h>     /* errors, spans, time, the injected environment */
#include <ibake/defences.h> /* what a laboratory can switch off */
#include <ibake/ibe.h>      /* RFC 5091 Boneh-Franklin on type-1 curves */
#include <ibake/kms.h>      /* RFC 6267 §4.2.1: key request, KMS */
#include <ibake/mikey.h>    /* RFC 3830, 6043, 6267: messages, payloads, key derivation; RFC 4567 attribute */
#include <ibake/publication.h> /* RFC 5408: public parameters and private keys as HTTPS carries them */
#include <ibake/session.h>     /* RFC 6267 §4.2.2: initiator and responder */

#endif
