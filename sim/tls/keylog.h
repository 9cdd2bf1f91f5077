/* The TLS key log of a run in the NSS format, which Wireshark reads ("SSLKEYLOGFILE"). Written only when
 * asked for, mode 0600. */
#ifndef TLS_KEYLOG_H
#define TLS_KEYLOG_H

#include <ibake/base.h>

typedef struct tls_keylog tls_keylog;

/* The file is created (or truncated) with the first line: without TLS there is none. */
ibk_err tls_keylog_open(tls_keylog **out, const char *path);
void tls_keylog_line(void *keylog, const char *line); /* a tls_keylog_fn */
/* Flushes and closes; tells whether everything was written. NULL is legal. */
ibk_err tls_keylog_close(tls_keylog *keylog, ibk_diag *diag);

#endif
