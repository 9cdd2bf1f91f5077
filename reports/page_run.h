/* ibakelab: what the HTML page shows of one run: nodes, links, ladders of some calls, the MIKEY messages in
 * them with octets and fields. docs/ladder.md describes the document.
 *
 *     json_t *run;
 *     ibk_err err = page_run(&run, "out/first-call", result, decode, NULL, &diag);
 */
#ifndef REPORTS_PAGE_RUN_H
#define REPORTS_PAGE_RUN_H

#include <ibake/base.h>
#include <jansson.h>

/* Bounds, whatever the size of the run. */
#define PAGE_MAX_LADDERS 50
#define PAGE_MAX_ROWS    200    /* of one ladder */
#define PAGE_MAX_EVENTS  100000 /* kept in memory */
#define PAGE_MAX_STATES  2000
#define PAGE_MAX_LINKS   8 /* captures of links that are read beside capture/all.pcap */

/* A MIKEY message of a capture. Texts are borrowed for the call; spans may be empty. */
typedef struct page_frame {
    uint64_t utc_ns;
    const char *from, *to; /* addresses, with ports: "10.0.0.1:5060", "[fd00::1]:5060" */
    ibk_span call_id, cseq;
    const char *name; /* "I_MESSAGE_1"; NULL: it is malformed */
    ibk_span octets;
} page_frame;

/* Where a decoder gives what it finds: the message first; if that is wanted, then its description, a JSON
 * object. */
typedef struct page_sink {
    void *user;
    bool (*wanted)(void *user, const page_frame *frame);
    void (*found)(void *user, ibk_span json);
} page_sink;

/* Finds the MIKEY messages of a capture, in order, decrypted as far as the key log (NULL: none) goes. */
typedef ibk_err page_decode(void *user, const char *capture, const char *keylog, const page_sink *sink,
                            ibk_diag *diag);

/* The RUN of the page for the folder of a run, whose result.json is `result` (borrowed; NULL: it is read).
 * `decode` may be NULL: then there are no messages. On success *out is a new reference. IBK_ERR_REFUSED if
 * the folder lacks something or has it wrong, with diag->detail beginning with the name of the file at fault;
 * IBK_ERR_NO_MEMORY; or what `decode` returned. */
ibk_err page_run(json_t **out, const char *dir, const json_t *result, page_decode *decode, void *user,
                 ibk_diag *diag);

#endif
