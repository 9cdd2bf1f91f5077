/* ibakelab: a timestamp for people. */
#ifndef MIKEY_TIME_TEXT_H
#define MIKEY_TIME_TEXT_H

#include <ibake/mikey.h>

enum { IBK_TIME_TEXT_MAX = 48 };

/* "2026-11-24T02:13:05.250000000Z", read in the years 1968 to 2104 (RFC 6043 §6.10, RFC 4330); COUNTER as a
 * number. */
void ibk_time_text(char text[IBK_TIME_TEXT_MAX], const ibk_t *t);

#endif
