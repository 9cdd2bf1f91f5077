/* ibakelab vectors: checks test vectors, and makes the files again (conformance/vectors/). */
#include "cli/cli.h"
#include "conformance/vectors/vectors.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define COMMAND  "vectors"
#define KEPT     "conformance/vectors"
#define FILE_MAX ((size_t)8 << 20)

static const char help_text[] =
    "Usage: ibakelab vectors verify [DIR | FILE.json]\n"
    "       ibakelab vectors generate DIR\n"
    "\n"
    "verify    computes each vector of the files in DIR (default: " KEPT
    ") and compares; invalid ones have to\n"
    "          be refused. Tells those that do not hold, and how many do.\n"
    "generate  writes the files into DIR, the same octets each time; existing ones are replaced.\n"
    "\n"
    "Exit status: 0 all hold, or written; 1 a vector does not hold; 2 wrong usage, or a file that is "
    "missing\n"
    "or no file of vectors; 3 internal (disk, memory).\n";

static void complain(void *user, unsigned tc_id, const char *comment, const char *why) {
    printf("%s %u (%s): %s\n", (const char *)user, tc_id, comment, why);
}

static bool path_of(char *path, size_t size, const char *directory, const char *name) {
    int len = snprintf(path, size, "%s/%s", directory, name);
    return len > 0 && (size_t)len < size;
}

/* One file; false: there is none, or it is none of vectors. */
static bool verify_file(const char *path, const char *name, vectors_count *count) {
    ibk_buf text = {0};
    ibk_diag diag = {0};
    ibk_err err = cli_read_file(&text, path, FILE_MAX, &diag);
    err = err ? err : vectors_verify(ibk_buf_span(&text), count, complain, (void *)(uintptr_t)name, &diag);
    if (err)
        cli_error(COMMAND, "%s: %s", path, diag.detail);
    ibk_buf_free(&text);
    return err == IBK_OK;
}

static bool is_file(const char *path) {
    size_t len = strlen(path);
    return len > 5 && strcmp(path + len - 5, ".json") == 0;
}

static int verify(const char *where) {
    vectors_count count = {0};
    bool readable = true;
    if (is_file(where))
        readable = verify_file(where, where, &count);
    for (size_t i = 0; !is_file(where) && i < vectors_files(); i++) {
        char path[4096];
        if (!path_of(path, sizeof path, where, vectors_file_name(i)))
            return cli_error(COMMAND, "%s: the path is too long", where);
        readable = verify_file(path, vectors_file_name(i), &count) && readable;
    }
    printf("%zu valid and %zu invalid vectors hold, %zu do not\n", count.valid, count.invalid, count.failed);
    return !readable ? CLI_BAD : count.failed ? CLI_FAILED : CLI_OK;
}

static int generate(const char *directory) {
    if (mkdir(directory, 0777) != 0 && errno != EEXIST)
        return cli_error(COMMAND, "%s: %s", directory, strerror(errno));
    for (size_t i = 0; i < vectors_files(); i++) {
        char path[4096];
        ibk_buf text = {0};
        ibk_diag diag = {0};
        if (!path_of(path, sizeof path, directory, vectors_file_name(i)))
            return cli_error(COMMAND, "%s: the path is too long", directory);
        ibk_err err = vectors_generate(i, &text, &diag);
        if (err) {
            ibk_buf_free(&text);
            return cli_fail(COMMAND, vectors_file_name(i), err, &diag);
        }
        err = cli_write_file(path, ibk_buf_span(&text), 0644, true, &diag);
        ibk_buf_free(&text);
        if (err) {
            cli_error(COMMAND, "%s: %s", path, diag.detail);
            return err == IBK_ERR_IO ? CLI_INTERNAL : CLI_BAD;
        }
        printf("%s\n", path);
    }
    return CLI_OK;
}

int cmd_vectors_main(int argc, char **argv) {
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(help_text, stdout);
        return cli_finish(COMMAND, CLI_OK);
    }
    if (argc >= 2 && argc <= 3 && strcmp(argv[1], "verify") == 0)
        return cli_finish(COMMAND, verify(argc == 3 ? argv[2] : KEPT));
    if (argc == 3 && strcmp(argv[1], "generate") == 0)
        return cli_finish(COMMAND, generate(argv[2]));
    return cli_usage(COMMAND, "verify [DIR | FILE.json] or generate DIR is wanted");
}
