#define _GNU_SOURCE /* posix_openpt */
#include "reports/terminal.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

/* A terminal of 72 columns, as the program would find it at its standard output. */
static FILE *open_terminal(int *controller) {
    *controller = posix_openpt(O_RDWR | O_NOCTTY);
    if (*controller < 0 || grantpt(*controller) != 0 || unlockpt(*controller) != 0)
        return NULL;
    struct winsize size = {.ws_row = 24, .ws_col = 72};
    ioctl(*controller, TIOCSWINSZ, &size);
    return fopen(ptsname(*controller), "w");
}

static void test_terminal_and_no_colour(void **state) {
    (void)state;
    int controller;
    FILE *file = open_terminal(&controller);
    if (!file)
        skip();
    term t;
    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
    term_probe(&t, file);
    assert_true(t.is_tty && t.colour);
    assert_int_equal(t.width, 72);
    assert_string_equal(term_begin(&t, TERM_RED), "\x1b[31m");
    setenv("NO_COLOR", "", 1); /* no-color.org: only when not empty */
    term_probe(&t, file);
    assert_true(t.colour);
    setenv("NO_COLOR", "1", 1);
    term_probe(&t, file);
    assert_true(t.is_tty && !t.colour);
    assert_string_equal(term_begin(&t, TERM_RED), "");
    unsetenv("NO_COLOR");
    setenv("TERM", "dumb", 1);
    term_probe(&t, file);
    assert_false(t.colour);
    fclose(file);
    close(controller);
}

static void test_no_terminal(void **state) {
    (void)state;
    FILE *file = fopen("/dev/null", "w");
    term t;
    term_probe(&t, file);
    assert_true(!t.is_tty && !t.colour);
    assert_int_equal(t.width, 100);
    progress p;
    progress_begin(&p, file, "run", 1000);
    assert_false(p.enabled);
    progress_update(&p, 500);
    assert_false(p.shown);
    progress_end(&p);
    fclose(file);
}

static void test_progress(void **state) {
    (void)state;
    char *text = NULL;
    size_t len = 0;
    progress p = {.t = {.file = open_memstream(&text, &len), .width = 80},
                  .what = "first-call",
                  .total_ns = 10000000000,
                  .enabled = true}; /* begun at 0, long ago */
    progress_update(&p, 2500000000);
    progress_update(&p, 2600000000); /* too soon */
    progress_end(&p);
    fclose(p.t.file);
    assert_string_equal(text, "\rfirst-call #######.......................  25 %  2.5 of 10.0 s virtual\x1b[K"
                              "\r\x1b[K");
    free(text);
    p = (progress){0};
    progress_update(&p, 1);
    progress_end(&p);
}

static void shows(const char *text, const char *expected) {
    char *shown = NULL;
    size_t len = 0;
    term t = {.file = open_memstream(&shown, &len), .utf8 = true};
    term_text(&t, "<", text, ">");
    fclose(t.file);
    assert_int_equal(strlen(expected) + 2, len);
    assert_memory_equal(shown + 1, expected, len - 2);
    free(shown);
}

static void test_nobody_else_steers_the_terminal(void **state) {
    (void)state;
    shows("a\x1b[31mb\x7f\n\t", "a?[31mb???");
    shows("\xC2\x9B"
          "2J\xC2\x80\xC2\x9F",
          "?2J??"); /* CSI as one character: U+009B */
    shows("\xC2\xA0 gr\xC3\xBC\xC3\x9F \xE2\x86\x92 \xF0\x9F\x98\x80",
          "\xC2\xA0 gr\xC3\xBC\xC3\x9F \xE2\x86\x92 \xF0\x9F\x98\x80");
    shows("\x9B"
          "2J \xC3( \xE2\x86",
          "?2J ?( ??");           /* alone, or cut: no UTF-8 */
    shows("\xE0\x82\x9B", "???"); /* U+009B in more octets than it takes */
    shows("", "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_terminal_and_no_colour),
        cmocka_unit_test(test_no_terminal),
        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_nobody_else_steers_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
