/* Every file of testdata/ is refused, with exactly the errors that its lines "#! LINE:COLUMN message ~ hint"
 * name: place, and the beginning of the message; the hint holds what stands behind the tilde. */
#include "scenario/model.h"
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FOLDER SCENARIO_SOURCE "/testdata"

static char *read_all(const char *path, size_t *len) {
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    char *text = calloc(1, 1 << 16);
    assert_non_null(text);
    *len = fread(text, 1, (1 << 16) - 1, in);
    fclose(in);
    return text;
}

static bool matches(const scn_error *error, const char *want) {
    char place[32];
    int len = snprintf(place, sizeof place, "%u:%u ", error->line, error->column);
    if (strncmp(want, place, (size_t)len) != 0)
        return false;
    want += len;
    const char *tilde = strstr(want, " ~ ");
    size_t message = tilde == NULL ? strlen(want) : (size_t)(tilde - want);
    return strncmp(error->message, want, message) == 0 &&
           (tilde == NULL || strstr(error->hint, tilde + 3) != NULL);
}

static void fail_file(const char *name, const char *what, const char *want, const scn_errors *errors) {
    scn_errors_print(errors, stderr, false);
    fail_msg("%s: %s%s", name, what, want);
}

static void check_file(const char *name) {
    char path[1024];
    size_t len, wanted = 0;
    scn_errors errors;
    scn_scenario *s;
    snprintf(path, sizeof path, "%s/%s", FOLDER, name);
    char *text = read_all(path, &len);
    ibk_err err = scn_load_file(&s, &errors, path, NULL, 0);
    if (err != IBK_ERR_BAD_VALUE || s != NULL)
        fail_file(name, "was not refused", "", &errors);
    for (char *line = text; line < text + len;) {
        char *end = memchr(line, '\n', (size_t)(text + len - line));
        *end = '\0';
        if (strncmp(line, "#! ", 3) == 0) {
            bool found = false;
            for (size_t i = 0; i < errors.count; i++)
                found |= matches(&errors.list[i], line + 3);
            if (!found)
                fail_file(name, "lacks the error ", line + 3, &errors);
            wanted++;
        }
        line = end + 1;
    }
    if (wanted == 0 || wanted != errors.count || errors.more)
        fail_file(name, "has other errors than it names", "", &errors);
    free(text);
}

static void bad_files_are_refused(void **state) {
    (void)state;
    size_t count = 0;
    DIR *folder = opendir(FOLDER);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (strstr(entry->d_name, ".yaml") == NULL)
            continue;
        check_file(entry->d_name);
        count++;
    }
    closedir(folder);
    assert_true(count >= 50);
}

/* ---- what no single file shows
 * ---------------------------------------------------------------------------------- */

static void a_missing_file(void **state) {
    (void)state;
    scn_errors errors;
    scn_scenario *s;
    assert_int_equal(scn_load_file(&s, &errors, "no-such-file.yaml", NULL, 0), IBK_ERR_IO);
    assert_null(s);
    assert_int_equal(errors.count, 1);
    assert_non_null(strstr(errors.list[0].message, "cannot be read: No such file"));
    assert_int_equal(scn_load_file(&s, &errors, FOLDER, NULL, 0), IBK_ERR_IO); /* a folder */
}

static void at_most_twenty_errors(void **state) {
    (void)state;
    char text[4096] = "ibakelab: 1\n";
    for (int i = 0; i < 40; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "key-%d: 1\n", i);
    scn_errors errors;
    scn_scenario *s;
    assert_int_equal(scn_load_text(&s, &errors, "x", ibk_span_str(text), NULL, 0), IBK_ERR_BAD_VALUE);
    assert_int_equal(errors.count, SCN_ERRORS_MAX);
    assert_true(errors.more);
}

static void sizes_are_limited(void **state) {
    (void)state;
    scn_errors errors;
    scn_scenario *s;
    size_t len = SCN_MAX_FILE + 1;
    char *text = malloc(len);
    assert_non_null(text);
    memset(text, ' ', len);
    assert_int_equal(scn_load_text(&s, &errors, "x", ibk_span_of(text, len), NULL, 0), IBK_ERR_BAD_VALUE);
    assert_non_null(strstr(errors.list[0].message, "larger than 1048576"));
    memset(text, 'a', 8000);
    memcpy(text, "title: ", 7);
    assert_int_equal(scn_load_text(&s, &errors, "x", ibk_span_of(text, 8000), NULL, 0), IBK_ERR_BAD_VALUE);
    assert_non_null(strstr(errors.list[0].message, "more than 4096 octets"));
    char *at = text + sprintf(text, "users:\n");
    for (int i = 0; i < 1001; i++)
        at += sprintf(at, "- a\n");
    assert_int_equal(scn_load_text(&s, &errors, "x", ibk_span_str(text), NULL, 0), IBK_ERR_BAD_VALUE);
    assert_non_null(strstr(errors.list[0].message, "more than 1000 entries"));
    at = text;
    for (int i = 0; i < 1001; i++)
        at += sprintf(at, "k%d: 1\n", i);
    assert_int_equal(scn_load_text(&s, &errors, "x", ibk_span_str(text), NULL, 0), IBK_ERR_BAD_VALUE);
    assert_non_null(strstr(errors.list[0].message, "more than 1000 keys"));
    free(text);
}

static void users_and_calls_are_limited(void **state) {
    (void)state;
    static const char text[] =
        "ibakelab: 1\ntitle: t\ndomains: [{name: a.example}]\nusers:\n"
        "  - {name: 'a{n}', count: 20000}\n  - {name: b}\nexpect: {users: {registered: all}}\n";
    scn_errors errors;
    scn_scenario *s;
    assert_int_equal(scn_load_text(&s, &errors, "x", ibk_span_str(text), NULL, 0), IBK_ERR_BAD_VALUE);
    assert_string_equal(errors.list[0].message,
                        "20001 users are more than the 20000 that a scenario may have");
}

static void errors_are_printed_with_their_line(void **state) {
    (void)state;
    char *out = NULL;
    size_t len = 0;
    scn_errors errors;
    scn_scenario *s;
    scn_load_file(&s, &errors, FOLDER "/unknown-key.yaml", NULL, 0);
    FILE *memory = open_memstream(&out, &len);
    scn_errors_print(&errors, memory, false);
    fclose(memory);
    assert_non_null(strstr(out, "unknown-key.yaml:7:5: error: unknown key 'dealy' in links.access\n"
                                "     7 |     dealy: 20 ms\n"
                                "       |     ^\n"
                                "         did you mean 'delay'?\n"));
    assert_null(strchr(out, '\x1b'));
    free(out);
    memory = open_memstream(&out, &len);
    scn_errors_print(&errors, memory, true);
    fclose(memory);
    assert_non_null(strchr(out, '\x1b'));
    free(out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_files_are_refused),       cmocka_unit_test(a_missing_file),
        cmocka_unit_test(at_most_twenty_errors),       cmocka_unit_test(sizes_are_limited),
        cmocka_unit_test(users_and_calls_are_limited), cmocka_unit_test(errors_are_printed_with_their_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
