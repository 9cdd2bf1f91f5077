/* ibakelab: the event log of a simulated world. Every node logs through one `trace`; sinks receive the
 * events.
 *
 *     trace_begin(t, TRACE_STATE, "ue-alice", "registered");
 *     trace_str(t, "user", "sip:alice@a.example");
 *     trace_int(t, "expires", 600000);
 *     trace_end(t);
 *
 * An event is: virtual time, node, kind, event name, and up to TRACE_MAX_FIELDS typed fields in the order in
 * which they were added. No field may carry a secret (private key, PSK, session key, TGK, TEK): this
 * interface cannot enforce that, the caller must; secrets go to the key log alone (keylog.h, only with
 * `--keylog`).
 *
 * Every function accepts a NULL trace and does nothing then: that is the null sink. Not thread-safe: one
 * trace belongs to one simulation. Events do not nest: trace_begin() while an event is open ends the open one
 * first.
 */
#ifndef TRACE_TRACE_H
#define TRACE_TRACE_H

#include <ibake/base.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum trace_kind {
    TRACE_RUN = 0, /* the run itself: start, end, expectations */
    TRACE_SIP,     /* SIP messages and their transactions */
    TRACE_MIKEY,   /* MIKEY messages and the events of an exchange (ibk_trace_event) */
    TRACE_HTTP,    /* requests to and answers from a KMS */
    TRACE_STATE,   /* a node, dialog, registration or call changes state */
    TRACE_KEY,     /* a key arrived, was derived, agreed or was dropped; names and lengths, never values */
    TRACE_MEDIA,   /* RTP, RTCP, SRTP */
    TRACE_TIMER,   /* a timer fired */
    TRACE_ERROR,   /* something was refused or failed; field "error" names it */
    TRACE_NET,     /* packets, links, connections */
    TRACE_CPU,     /* a job of a node's processor ended */
    TRACE_ATTACK,  /* an adversary's rule was applied */
    TRACE_KINDS    /* number of kinds */
} trace_kind;

#define TRACE_MAX_FIELDS 24
#define TRACE_MASK(kind) (1u << (kind))
#define TRACE_ALL        ((1u << TRACE_KINDS) - 1)

const char *trace_kind_name(trace_kind kind); /* "sip"; never NULL */

typedef enum trace_type {
    TRACE_TEXT = 1,
    TRACE_INT,
    TRACE_UINT,
    TRACE_BOOL,
    TRACE_HEX,
    TRACE_BASE64
} trace_type;

typedef struct trace_field {
    const char *key;
    trace_type type;
    ibk_span octets; /* TEXT (not terminated, may be invalid UTF-8), HEX, BASE64 */
    union {
        int64_t i;  /* INT */
        uint64_t u; /* UINT */
        bool b;     /* BOOL */
    };
} trace_field;

/* What a sink sees; all pointers are borrowed for the call. */
typedef struct trace_event {
    uint64_t time_ns;
    uint64_t sequence; /* 0, 1, 2, …: order of events, also of those at one time */
    trace_kind kind;
    const char *node, *event;
    const trace_field *fields;
    size_t field_count;
} trace_event;

/* The field of this name, or NULL; and its text as a span (empty if absent or of another type). */
const trace_field *trace_event_field(const trace_event *event, const char *key);
ibk_span trace_event_text(const trace_event *event, const char *key);
bool trace_event_flag(const trace_event *event, const char *key); /* false if absent */

/* ---- the log -------------------------------------------------------------------------------- */

typedef struct trace trace;

trace *trace_new(void);    /* NULL: out of memory */
void trace_free(trace *t); /* ends an open event; does not close the sinks' own objects */

/* Where the virtual time comes from (n3's clock); without one the time is 0. */
void trace_set_clock(trace *t, uint64_t (*now_ns)(void *user), void *user);

/* Calls `event` for each event whose kind is in `kinds` (TRACE_MASK(…)|…, TRACE_ALL). At most 8 sinks; a sink
 * must not log to the same trace. IBK_ERR_LIMIT when full. */
ibk_err trace_add_sink(trace *t, uint32_t kinds, void (*event)(void *user, const trace_event *e), void *user);

/* Whether any sink wants this kind: lets a hot path skip preparing fields. False for NULL. */
bool trace_wants(const trace *t, trace_kind kind);

/* ---- building an event ---------------------------------------------------------------------- */

/* `node`, `event`, keys and values are borrowed until trace_end(). Keys are short lower-case names that must
 * not be t, node, kind or event. Fields beyond TRACE_MAX_FIELDS are dropped and set "dropped_fields": true.
 */
void trace_begin(trace *t, trace_kind kind, const char *node, const char *event);
void trace_str(trace *t, const char *key, const char *text); /* NULL text: the field is left out */
void trace_text(trace *t, const char *key, ibk_span text);
void trace_strf(trace *t, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4))); /* copied; the strings of one event share 1,024 octets */
void trace_int(trace *t, const char *key, int64_t value);
void trace_uint(trace *t, const char *key, uint64_t value);
void trace_bool(trace *t, const char *key, bool value);
void trace_hex(trace *t, const char *key, ibk_span octets);
void trace_base64(trace *t, const char *key, ibk_span octets);
/* "error": name, "reason": sentence, and "payload", "offset", "detail" where diag has them. */
void trace_diag(trace *t, ibk_err err, const ibk_diag *diag);
void trace_end(trace *t);

/* ---- messages: the convention that the ladder diagram and the counts rely on ------------------ */

/* Tells that `address` ("10.0.0.1", "fd00::1", without port) is an interface of `node`; messages then show
 * node names. Copied. */
ibk_err trace_name_address(trace *t, const char *address, const char *node);
const char *trace_node_of(const trace *t, const char *address); /* NULL if unknown */

typedef struct trace_message {
    trace_kind kind;       /* TRACE_SIP, TRACE_HTTP, TRACE_MIKEY */
    const char *node;      /* who logs it */
    bool sent;             /* event "sent", else "received" */
    const char *peer;      /* address of the other end (named through trace_name_address), or a node's name */
    const char *label;     /* "INVITE", "183 Session Progress", "POST /keys": what an arrow shows */
    const char *call;      /* Call-ID, or another name of the conversation; may be NULL */
    const char *cseq;      /* "2 PRACK": tells messages of one label apart; may be NULL */
    const char *mikey;     /* MIKEY message inside ("I_MESSAGE_1"), or NULL */
    const char *transport; /* "udp", "tcp"; may be NULL */
    uint64_t octets;       /* size on the wire above the transport; 0: left out */
    bool retransmission;   /* the same octets were sent before */
} trace_message;

/* Begins the event and adds the fields peer, address (if it was resolved), label, call, cseq, mikey,
 * transport, octets, retransmission (only if true). The caller may add more and calls trace_end(). */
void trace_message_begin(trace *t, const trace_message *message);

/* ---- sinks ---------------------------------------------------------------------------------- */

/* events.jsonl: one JSON object a line, {"t":1.234567890,"node":…,"kind":…,"event":…, fields…}. The time is
 * in seconds with exactly 9 digits; octets are strings of hex or base64; invalid UTF-8 becomes U+FFFD. The
 * same events give the same bytes. Use: trace_add_sink(t, TRACE_ALL, trace_jsonl_event, jsonl). */
typedef struct trace_jsonl trace_jsonl;
ibk_err trace_jsonl_open(trace_jsonl **out, const char *path, ibk_diag *diag); /* "-" is standard output */
void trace_jsonl_event(void *jsonl, const trace_event *e);
/* Flushes and closes; tells the first write error (disk full, …) that occurred. NULL is legal. */
ibk_err trace_jsonl_close(trace_jsonl *jsonl, ibk_diag *diag);
/* Reads such a file to its end and calls `sink` for each event, whose texts are borrowed for the call; octets
 * come as the text of their hex or base64. IBK_ERR_IO with diag->detail saying why; IBK_ERR_BAD_TEXT for a
 * line that no log has, whose number (from 1) goes to *line_number, which may be NULL. Events before that
 * line have been given. */
ibk_err trace_jsonl_read(FILE *file, void (*sink)(void *user, const trace_event *e), void *user,
                         size_t *line_number, ibk_diag *diag);
/* One event as JSON text without a line end, appended to `out`. */
ibk_err trace_event_json(ibk_buf *out, const trace_event *e);
/* `text` as a JSON string with its quotes, appended to `out`. */
ibk_err trace_json_string(ibk_buf *out, ibk_span text);

/* Length of the well-formed UTF-8 sequence at p (Unicode 15, table 3-7) within `left` octets, at least 1; or
 * 0. */
size_t trace_utf8_len(const uint8_t *p, size_t left);

/* Copies of events in memory, for the ladder diagram, expectations and tests. Keeps at most `max_events`;
 * later ones are counted and dropped. Use: trace_add_sink(t, mask, trace_memory_event, memory). */
typedef struct trace_memory trace_memory;
trace_memory *trace_memory_new(size_t max_events); /* NULL: out of memory */
void trace_memory_event(void *memory, const trace_event *e);
size_t trace_memory_count(const trace_memory *memory);
const trace_event *trace_memory_at(const trace_memory *memory, size_t index); /* NULL beyond the end */
uint64_t trace_memory_dropped(const trace_memory *memory);
void trace_memory_free(trace_memory *memory);

#ifdef __cplusplus
}
#endif
#endif
