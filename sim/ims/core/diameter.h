/* Diameter (RFC 6733): messages of AVPs, as the CSCFs and the HSS exchange them over Cx (3GPP TS 29.229).
 * A codec without sockets: octets in, AVPs out. */
#ifndef IMS_CORE_DIAMETER_H
#define IMS_CORE_DIAMETER_H

#include <ibake/base.h>

#define DIAMETER_PORT        3868
#define DIAMETER_HEADER_LEN  20
#define DIAMETER_MAX_LEN     65536 /* octets of a message that is accepted */
#define DIAMETER_MAX_AVPS    64    /* of one message or group */
#define DIAMETER_VENDOR_3GPP 10415

enum diameter_command { DIAMETER_CER = 257, DIAMETER_UAR = 300, DIAMETER_SAR, DIAMETER_LIR, DIAMETER_MAR };

enum diameter_result {
    DIAMETER_SUCCESS = 2001,
    DIAMETER_UNSUPPORTED_COMMAND = 3001,
    DIAMETER_MISSING_AVP = 5005,
    DIAMETER_UNABLE_TO_COMPLY = 5012,
    /* Experimental-Result-Code, 3GPP TS 29.229 §6.2 */
    CX_FIRST_REGISTRATION = 2001,
    CX_SUBSEQUENT_REGISTRATION = 2002,
    CX_UNREGISTERED_SERVICE = 2003,
    CX_ERROR_USER_UNKNOWN = 5001,
    CX_ERROR_IDENTITIES_DONT_MATCH = 5002,
    CX_ERROR_IDENTITY_NOT_REGISTERED = 5003,
    CX_ERROR_IN_ASSIGNMENT_TYPE = 5007
};

/* An AVP's code; the vendor follows from it: what 3GPP defines lies in 600..699. */
enum diameter_avp_code {
    AVP_USER_NAME = 1,
    AVP_DIGEST_REALM = 104,
    AVP_DIGEST_QOP = 110,
    AVP_DIGEST_ALGORITHM = 111,
    AVP_DIGEST_HA1 = 121,
    AVP_HOST_IP_ADDRESS = 257,
    AVP_AUTH_APPLICATION_ID = 258,
    AVP_VENDOR_SPECIFIC_APPLICATION_ID = 260,
    AVP_SESSION_ID = 263,
    AVP_ORIGIN_HOST = 264,
    AVP_SUPPORTED_VENDOR_ID = 265,
    AVP_VENDOR_ID = 266,
    AVP_RESULT_CODE = 268,
    AVP_PRODUCT_NAME = 269,
    AVP_AUTH_SESSION_STATE = 277,
    AVP_DESTINATION_REALM = 283,
    AVP_DESTINATION_HOST = 293,
    AVP_ORIGIN_REALM = 296,
    AVP_EXPERIMENTAL_RESULT = 297,
    AVP_EXPERIMENTAL_RESULT_CODE = 298,
    AVP_VISITED_NETWORK_IDENTIFIER = 600,
    AVP_PUBLIC_IDENTITY = 601,
    AVP_SERVER_NAME = 602,
    AVP_USER_DATA = 606,
    AVP_SIP_NUMBER_AUTH_ITEMS = 607,
    AVP_SIP_AUTHENTICATION_SCHEME = 608,
    AVP_SIP_AUTH_DATA_ITEM = 612,
    AVP_SERVER_ASSIGNMENT_TYPE = 614,
    AVP_USER_AUTHORIZATION_TYPE = 623,
    AVP_USER_DATA_ALREADY_AVAILABLE = 624,
    AVP_SIP_DIGEST_AUTHENTICATE = 635
};

#define CX_APPLICATION_ID 16777216

typedef struct diameter_header {
    bool request, proxiable, error;
    uint32_t command, application, hop_by_hop, end_to_end;
} diameter_header;

/* ---- writing: AVPs are appended, groups nest by open and close; the first failure sticks -------- */

typedef struct diameter_writer {
    ibk_buf *out;
    size_t start, group[4];
    unsigned depth;
    ibk_err err;
} diameter_writer;

void diameter_begin(diameter_writer *w, ibk_buf *out, const diameter_header *header);
void diameter_put(diameter_writer *w, uint32_t code, ibk_span data);
void diameter_put_text(diameter_writer *w, uint32_t code, const char *text); /* NULL: left out */
void diameter_put_u32(diameter_writer *w, uint32_t code, uint32_t value);
void diameter_open(diameter_writer *w, uint32_t code);
void diameter_close(diameter_writer *w);
ibk_err diameter_end(diameter_writer *w); /* fills the length in */

/* ---- reading ------------------------------------------------------------------------------------ */

typedef struct diameter_avp {
    uint32_t code, vendor;
    ibk_span data;
} diameter_avp;

typedef struct diameter_message {
    diameter_header header;
    diameter_avp avp[DIAMETER_MAX_AVPS];
    size_t avp_count;
} diameter_message;

/* Octets that the message at the start of a TCP stream needs in all; 0: not yet known; SIZE_MAX: not
 * Diameter. */
size_t diameter_frame(ibk_span stream);
/* Spans of *out point into `octets`. */
ibk_err diameter_parse(diameter_message *out, ibk_span octets, ibk_diag *diag);
/* The AVPs of a group into `avps`, at most DIAMETER_MAX_AVPS. */
ibk_err diameter_group(diameter_avp *avps, size_t *count, ibk_span data, ibk_diag *diag);

const diameter_avp *diameter_find(const diameter_avp *avps, size_t count, uint32_t code); /* NULL if absent */
bool diameter_u32(const diameter_avp *avps, size_t count, uint32_t code, uint32_t *out);
/* Zero-terminated copy of a UTF8String; false if absent, too long, or with a zero octet inside. */
bool diameter_text(const diameter_avp *avps, size_t count, uint32_t code, char *out, size_t size);
/* Result-Code, or the code inside Experimental-Result; 0 if neither is there. */
uint32_t diameter_result(const diameter_message *message);

#endif
