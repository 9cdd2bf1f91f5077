/* The XML of RFC 5408's key request (§5.3) and its answer (§5.6), both directions. The documents come from
 * outside: no DTD, no entities, no network, US-ASCII alone, and limits of our own. */
#ifndef SIM_KMS_XML_REQUEST_H
#define SIM_KMS_XML_REQUEST_H

#include <ibake.h>

#define IBE_XML_MAX     ((size_t)256 << 10) /* octets of a document */
#define IBE_XML_CLIENT  128                 /* octets of a client's version with the terminator */
#define IBE_CLIENT_NAME "ibakelab"

/* <ibe:request>; the zero value is empty. */
typedef struct ibe_request {
    char client[IBE_XML_CLIENT]; /* "" if it does not say */
    ibk_buf algorithm;           /* DER OBJECT IDENTIFIER */
    ibk_buf identity;            /* DER IBEIdentityInfo */
} ibe_request;

/* §5.6 */
typedef enum ibe_code {
    IBE_KEY_FOLLOWS = 100,
    IBE_RESERVED = 101,
    IBE_FOLLOW_ENROLL_URI = 201,
    IBE_SYSTEM_ERROR = 300,
    IBE_INVALID_REQUEST = 301,
    IBE_CLIENT_OBSOLETE = 303,
    IBE_AUTHORIZATION_DENIED = 304
} ibe_code;

const char *ibe_code_name(ibe_code code); /* "AUTHORIZATION_DENIED"; never NULL */

/* <ibe:response> */
typedef struct ibe_response {
    ibe_code code;
    ibk_buf key; /* KEY_FOLLOWS: DER IBEPrivateKeyReply. A secret */
} ibe_response;

void ibe_request_free(ibe_request *request);
void ibe_response_free(ibe_response *response);

/* Append a document. `text` of a response that brings no key helps to find an error: ASCII without markup. */
ibk_err ibe_request_write(ibk_buf *out, ibk_span algorithm, ibk_span identity);
ibk_err ibe_response_write(ibk_buf *out, ibe_code code, ibk_span key, const char *text);

/* Strict readers. BAD_TEXT: not well-formed, or not ASCII, or a DTD, or base64 that is none; BAD_VALUE:
 * another structure than RFC 5408's; LIMIT. diag's detail begins with the line: "line 4: …". What is read has
 * to be freed in any case.
 *
 * RFC 5408 names the element of the algorithm <ibe:algorithm> in its example and <ibe:oid> in its text: the
 * first is written, either is read (P-26). Unknown elements inside <ibe:body> are passed over, as §5.3
 * permits them; <ibe:authData> too, since the user has proved who it is by HTTP. Data beside a code other
 * than IBE100 is dropped, as §5.6 wants it. */
ibk_err ibe_request_read(ibe_request *out, ibk_span xml, ibk_diag *diag);
ibk_err ibe_response_read(ibe_response *out, ibk_span xml, ibk_diag *diag);

#endif
