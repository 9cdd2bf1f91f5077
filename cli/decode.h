/* ibakelab: inside of `ibakelab decode`: from an input of some kind to MIKEY messages, from these to trees.
 *
 *   cmd_decode.c    options, kind of input            decode_text.c   hex, base64, SDP, SIP and HTTP messages
 *   decode_pcap.c   capture files and link layers     decode_ip.c     IPv4, IPv6, fragments, UDP
 *   decode_tcp.c    streams                           decode_mikey.c  one message: tree and output
 *   decode_page.c   for reports
 *   decode_keys.c   what a key log opens              decode_seen.c   exchanges and repetitions seen before
 *   decode_pdml.c   output as PDML
 */
#ifndef CLI_DECODE_H
#define CLI_DECODE_H

#include "cli/tree.h"
#include "reports/page_run.h"

#include <ibake/ibe.h>
#include <ibake/mikey.h>
#include <stdio.h>

#define DECODE_COMMAND   "decode"
#define DECODE_MAX_INPUT IBK_BUF_MAX          /* octets of an input that is no capture */
#define DECODE_MAX_TEXT  ((size_t)512 * 1024) /* a SIP or HTTP message */

typedef enum decode_from {
    DECODE_AUTO = 0,
    DECODE_HEX,
    DECODE_BASE64,
    DECODE_SDP,
    DECODE_SIP,
    DECODE_PCAP,
    DECODE_MIKEY
} decode_from;

/* Where a message was found. Texts are borrowed and may come from the network; NULL or empty: not known. */
typedef struct decode_origin {
    const char *input;          /* file as given */
    const char *kind;           /* "hex", "pcap", … */
    uint64_t frame;             /* of a capture, from 1; 0: none */
    size_t frame_len, captured; /* octets of the frame, and how many of them are in the capture */
    uint64_t time_s;
    uint32_t time_ns;
    char source[64], destination[64]; /* "10.0.0.1:5060" */
    const char *transport;            /* "udp", "tcp" */
    ibk_span start_line, call_id, cseq;
    size_t line;     /* of the SDP, from 1; 0: none */
    unsigned medium; /* m-line, from 1; 0: session level */
} decode_origin;

typedef struct decode_keys decode_keys;
typedef struct decode_seen decode_seen;

/* Who takes the messages instead of standard output. */
typedef struct decode_sink {
    void *user;
    /* Whether this message is to be described; `name` is NULL if it is malformed. */
    bool (*wanted)(void *user, const decode_origin *origin, const char *name, ibk_span octets);
    /* Right after it: the object that --json would print. */
    void (*found)(void *user, ibk_span json);
} decode_sink;

typedef struct decoder {
    bool json, pdml, secrets, repeat;
    const decode_sink *sink; /* NULL: standard output */
    decode_keys *keys;       /* NULL: none */
    decode_seen *seen;
    uint64_t messages, malformed, repeated, macs_valid, macs_wrong, undecrypted; /* so far */
    bool failed;            /* out of memory: the status will be CLI_INTERNAL */
    uint64_t packets;       /* PDML: opened so far */
    const char *open_input; /* PDML: input and frame of the packet that is open; NULL: none is */
    uint64_t open_frame;
} decoder;

/* ---- output (decode_mikey.c) -------------------------------------------------------------------- */

/* One MIKEY message: decodes, prints, counts. A malformed one is reported and counted. */
void decode_message(decoder *d, const decode_origin *origin, ibk_span octets);
/* A message that did not even become octets: bad base64, an incomplete SIP message, … */
void decode_malformed(decoder *d, const decode_origin *origin, ibk_err err, const ibk_diag *diag);
void decode_begin(decoder *d); /* JSON: opens the list */
void decode_end(decoder *d);   /* closes it, or prints the counts of a capture */

/* ---- PDML (decode_pdml.c) ------------------------------------------------------------------------ */

#define DECODE_PROTOCOL "mikey_ibake" /* also the name of the Lua dissector's fields */

void decode_pdml_begin(void);
void decode_pdml_end(decoder *d);
/* A message with its fields. Messages of one frame are in one packet. */
void decode_pdml_message(decoder *d, const decode_origin *origin, const ibk_msg *msg, const tree *t);
void decode_pdml_malformed(decoder *d, const decode_origin *origin, ibk_err err, const ibk_diag *diag);

/* ---- texts (decode_text.c) ------------------------------------------------------------------------ */

/* Hex with blanks and colons between octets, base64 with line ends: appended to `out`. IBK_ERR_BAD_TEXT. */
ibk_err decode_hex(ibk_buf *out, ibk_span text, ibk_diag *diag);
ibk_err decode_base64_text(ibk_buf *out, ibk_span text, ibk_diag *diag);
/* Every a=key-mgmt of an SDP body, or of any text with one (a multipart body). Returns how many there were.
 */
size_t decode_sdp(decoder *d, const decode_origin *origin, ibk_span text);

/* A SIP or HTTP message at the beginning of `in`. Spans are borrowed from `in`. */
typedef struct decode_head {
    ibk_span start_line, call_id, cseq, content_type;
    bool is_sip, is_http, has_length, chunked;
    size_t head_len, body_len; /* octets up to the body; of the body as Content-Length says */
} decode_head;
typedef enum decode_framing {
    DECODE_COMPLETE,
    DECODE_MORE, /* the head or the body is not complete */
    DECODE_OTHER /* no SIP or HTTP message */
} decode_framing;
decode_framing decode_head_parse(decode_head *out, ibk_span in);
/* Decodes what a complete message carries; of one without anything for us nothing is printed. */
void decode_sip_or_http(decoder *d, decode_origin *origin, const decode_head *head, ibk_span body);
/* A datagram, or a file with one message. Returns false if it is no SIP or HTTP message. */
bool decode_datagram(decoder *d, decode_origin *origin, ibk_span in);
/* The first message of a stream: octets used, 0 if more are needed, SIZE_MAX if this is no SIP or HTTP. */
size_t decode_stream(decoder *d, decode_origin *origin, ibk_span in);

/* MIKEY by itself, as registered. On TCP nothing is around a message: it ends where its chain does. */
#define DECODE_MIKEY_PORT 2269
/* The first message of such a stream: octets used, 0 if more are needed. A malformed one takes all there is.
 */
size_t decode_mikey_stream(decoder *d, decode_origin *origin, ibk_span in);

/* ---- captures --------------------------------------------------------------------------------------- */

/* Whether these first octets (at least 4) begin a pcap or pcapng file. */
bool decode_is_capture(ibk_span first);
/* Reads a whole capture; `first` are octets that were read from `file` already. Errors of the file itself
 * are returned; what is wrong inside a packet is counted or reported, and the next one read. */
ibk_err decode_pcap(decoder *d, const char *name, FILE *file, ibk_span first, ibk_diag *diag);

/* One frame of a link type (www.tcpdump.org/linktypes.html). */
typedef struct decode_ip_state decode_ip_state;
decode_ip_state *decode_ip_new(void); /* NULL: out of memory */
void decode_ip_free(decode_ip_state *ip);
bool decode_link_known(unsigned link_type);
void decode_frame(decoder *d, decode_ip_state *ip, decode_origin *origin, unsigned link_type, ibk_span frame);

typedef struct decode_tcp_state decode_tcp_state;
decode_tcp_state *decode_tcp_new(void);
void decode_tcp_free(decode_tcp_state *tcp);
/* One segment: the key names the direction (addresses and ports). */
typedef struct decode_segment {
    uint8_t key[37]; /* version, addresses, ports */
    uint32_t sequence;
    bool syn, fin, rst;
    bool mikey; /* to or from DECODE_MIKEY_PORT */
    ibk_span data;
} decode_segment;
void decode_tcp_segment(decoder *d, decode_tcp_state *tcp, decode_origin *origin, const decode_segment *s);

/* ---- for reports (decode_page.c) --------------------------------------------------------------------- */

/* A page_decode (reports/page_run.h); `user` is not used. IBK_ERR_REFUSED with the capture or key log in
 * diag->detail.
 */
ibk_err decode_for_page(void *user, const char *capture, const char *keylog, const page_sink *sink,
                        ibk_diag *diag);

/* ---- exchanges seen before (decode_seen.c) ------------------------------------------------------------- */

#define DECODE_MAX_IDS 72 /* identities under a V */

/* What later messages of a CSB need of earlier ones. Owned octets. */
typedef struct decode_exchange {
    uint32_t csb_id;
    uint8_t prf;
    ibk_buf rand;
    ibk_buf initiator, responder, answerer; /* ID data: IDRi, IDRr of I_MESSAGE_1, IDRr of R_MESSAGE_1 */
    ibk_buf request_ids[DECODE_MAX_IDS];    /* of a key request: users in order, then the KMS */
    size_t request_id_count;
    size_t psk; /* index of the PSK record that fitted, SIZE_MAX: none yet */
} decode_exchange;

decode_seen *decode_seen_new(void); /* NULL: out of memory */
void decode_seen_free(decode_seen *seen);
/* The exchange of a CSB ID, made if `msg` is its first message; NULL: not known, or out of memory. At most
 * 4,096 are kept, the oldest goes. */
decode_exchange *decode_seen_exchange(decode_seen *seen, const ibk_msg *msg);
/* 0, or the number (from 1) of the message with these octets that came first; notes it as `number`. The last
 * 65,536 are known. */
uint64_t decode_seen_message(decode_seen *seen, ibk_span octets, uint64_t number);

/* ---- keys (decode_keys.c)
 * ---------------------------------------------------------------------------------- */

/* Reads a key log; complains itself and returns an exit status. */
int decode_keys_load(decode_keys **out, const char *path);
void decode_keys_free(decode_keys *keys);

/* Tries the private keys, those of identities in the message first. *identity (borrowed from the key log)
 * names the key that fitted, *tried how many were. IBK_ERR_NO_KEY if none did. */
ibk_err decode_keys_ibe(decode_keys *keys, const ibk_msg *msg, ibk_span ciphertext, ibk_buf *plain,
                        ibk_span *identity, unsigned *tried);

typedef enum decode_mac { DECODE_MAC_NO_KEY, DECODE_MAC_NULL, DECODE_MAC_VALID, DECODE_MAC_WRONG } decode_mac;
/* Checks the V at the end of a message; *by says with what ("AUTHKEY", "PSK record 2"), 64 octets. */
decode_mac decode_keys_check_v(decode_keys *keys, const ibk_msg *msg, decode_exchange *exchange, char by[64]);
/* Decrypts a KEMAC with the PSK that verified the message, or with any whose result parses. */
ibk_err decode_keys_kemac(decode_keys *keys, const ibk_msg *msg, const ibk_kemac *kemac,
                          decode_exchange *exchange, ibk_buf *plain, char by[64]);

#endif
