/* ibakelab: what the output can do, and the progress bar. */
#include "reports/terminal.h"

#include <inttypes.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

void term_probe(term *t, FILE *file) {
    const char *no_colour = getenv("NO_COLOR"), *type = getenv("TERM");
    struct winsize size = {0};
    *t = (term){.file = file, .is_tty = isatty(fileno(file)) == 1, .width = 100};
    t->colour = t->is_tty && !(no_colour && *no_colour) && !(type && strcmp(type, "dumb") == 0);
    t->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    if (t->is_tty && ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col)
        t->width = size.ws_col;
}

const char *term_begin(const term *t, term_style style) {
    static const char *const codes[] = {"\x1b[0m",  "\x1b[1m",  "\x1b[2m", "\x1b[31m",
                                        "\x1b[32m", "\x1b[33m", "\x1b[36m"};
    return t->colour ? codes[style] : "";
}

unsigned term_columns(const char *text) {
    unsigned columns = 0;
    for (; *text; text++)
        columns += ((unsigned char)*text & 0xC0) != 0x80;
    return columns;
}

/* ---- progress ------------------------------------------------------------------------------------- */

static uint64_t wall_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void progress_begin(progress *p, FILE *file, const char *what, uint64_t total_virtual_ns) {
    *p = (progress){.what = what, .total_ns = total_virtual_ns};
    term_probe(&p->t, file);
    p->enabled = p->t.is_tty && total_virtual_ns > 0;
    p->begun_wall_ns = p->last_wall_ns = p->enabled ? wall_ns() : 0;
}

void progress_update(progress *p, uint64_t virtual_ns) {
    if (!p->enabled)
        return;
    uint64_t now = wall_ns();
    if (now - p->begun_wall_ns < 1000000000u || now - p->last_wall_ns < 100000000u)
        return;
    p->last_wall_ns = now;
    p->shown = true;
    if (virtual_ns > p->total_ns)
        virtual_ns = p->total_ns;
    double share = (double)virtual_ns / (double)p->total_ns;
    char bar[3 * 30 + 1] = "";
    for (int i = 0; i < 30; i++)
        strcat(bar, i < (int)(share * 30) ? (p->t.utf8 ? "█" : "#") : (p->t.utf8 ? "░" : "."));
    fprintf(p->t.file, "\r%.*s %s %3d %%  %.1f of %.1f s virtual\x1b[K", (int)p->t.width / 3, p->what, bar,
            (int)(share * 100), (double)virtual_ns / 1e9, (double)p->total_ns / 1e9);
    fflush(p->t.file);
}

void progress_end(progress *p) {
    if (p->shown) {
        fputs("\r\x1b[K", p->t.file);
        fflush(p->t.file);
    }
    p->enabled = p->shown = false;
}
