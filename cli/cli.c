/* ibakelab: what the subcommands share: messages, numbers, files. */
#include "cli/cli.h"
#include "reports/words.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- help and errors -------------------------------------------------------------------------- */

static void complain(const char *command, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
static void complain(const char *command, const char *format, va_list args) {
    fflush(stdout); /* keeps the order on a terminal */
    char *text = NULL;
    size_t len;
    FILE *memory = open_memstream(&text, &len);
    if (memory) {
        vfprintf(memory, format, args);
        fclose(memory);
    }
    const char *said = text ? text : format;
    fprintf(stderr, "ibakelab%s%s: ", *command ? " " : "", command);
    words_show(stderr, said, strlen(said), "\n\t"); /* it may quote a file */
    fputc('\n', stderr);
    free(text);
}

int cli_error(const char *command, const char *format, ...) {
    va_list args;
    va_start(args, format);
    complain(command, format, args);
    va_end(args);
    return CLI_BAD;
}

int cli_usage(const char *command, const char *format, ...) {
    va_list args;
    va_start(args, format);
    complain(command, format, args);
    va_end(args);
    fprintf(stderr, "'ibakelab%s%s --help' tells more\n", *command ? " " : "", command);
    return CLI_BAD;
}

int cli_fail(const char *command, const char *what, ibk_err err, const ibk_diag *diag) {
    char place[64] = "", detail[160] = "";
    bool fits = diag && diag->err == err;
    if (fits && diag->payload && diag->offset)
        snprintf(place, sizeof place, "%s, octet %zu: ", diag->payload, diag->offset);
    else if (fits && diag->payload)
        snprintf(place, sizeof place, "%s: ", diag->payload);
    if (fits && diag->detail[0])
        snprintf(detail, sizeof detail, " (%s)", diag->detail);
    if (err == IBK_ERR_REFUSED &&
        detail[0]) /* what refuses is no policy here but a file or folder: see there */
        cli_error(command, "%s: %s%s", what, place, diag->detail);
    else
        cli_error(command, "%s: %s%s%s", what, place, ibk_err_text(err), detail);
    switch (ibk_err_category(err)) {
    case IBK_CAT_RESOURCE:
        return err == IBK_ERR_LIMIT ? CLI_BAD : CLI_INTERNAL;
    case IBK_CAT_RANDOM:
    case IBK_CAT_INTERNAL:
        return CLI_INTERNAL;
    default:
        return CLI_BAD;
    }
}

int cli_finish(const char *command, int status) {
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    cli_error(command, "cannot write to standard output: %s", strerror(errno));
    return CLI_INTERNAL;
}

/* Levenshtein distance, cut off at words of 31 letters. */
static size_t distance(const char *a, const char *b) {
    size_t row[32], la = strlen(a), lb = strlen(b);
    if (la > 31 || lb > 31)
        return 32;
    for (size_t j = 0; j <= lb; j++)
        row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            size_t best = row[j] < row[j - 1] ? row[j] : row[j - 1];
            row[j] = best + 1 < change ? best + 1 : change;
        }
    }
    return row[lb];
}

const char *cli_nearest(const char *word, const char *const *names, size_t count) {
    const char *best = NULL;
    size_t best_distance = 2 + strlen(word) / 4;
    for (size_t i = 0; i < count; i++) {
        size_t d = distance(word, names[i]);
        if (d < best_distance) {
            best_distance = d;
            best = names[i];
        }
    }
    return best;
}

void cli_name_command(char **argv, const char *command) {
    static char name[64];
    snprintf(name, sizeof name, "ibakelab %s", command);
    argv[0] = name;
}

/* ---- options and files -------------------------------------------------------------------------- */

bool cli_number(const char *text, uint64_t min, uint64_t max, uint64_t *out) {
    uint64_t value = 0;
    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || value > (UINT64_MAX - (uint64_t)(*text - '0')) / 10)
            return false;
        value = 10 * value + (uint64_t)(*text - '0');
    }
    *out = value;
    return value >= min && value <= max;
}

ibk_err cli_read_file(ibk_buf *out, const char *path, size_t limit, ibk_diag *diag) {
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "rb");
    if (!file)
        return ibk_fail(diag, IBK_ERR_IO, NULL, 0, "%s", strerror(errno));
    uint8_t part[8192];
    size_t got;
    ibk_err err = IBK_OK;
    while (!err && (got = fread(part, 1, sizeof part, file)) > 0) {
        err = ibk_buf_append(out, part, got);
        if (!err && out->len > limit)
            err = ibk_fail(diag, IBK_ERR_LIMIT, NULL, 0, "the file has more than %zu octets", limit);
    }
    if (!err && ferror(file))
        err = ibk_fail(diag, IBK_ERR_IO, NULL, 0, "%s", strerror(errno));
    ibk_wipe(part, sizeof part);
    if (!standard)
        fclose(file);
    return err;
}

ibk_err cli_write_file(const char *path, ibk_span content, unsigned mode, bool force, ibk_diag *diag) {
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (force ? O_TRUNC : O_EXCL);
    int fd = open(path, flags, mode);
    if (fd < 0 && errno == EEXIST)
        return ibk_fail(diag, IBK_ERR_REFUSED, NULL, 0, "it exists already; --force overwrites it");
    if (fd < 0)
        return ibk_fail(diag, errno == ENOSPC ? IBK_ERR_IO : IBK_ERR_REFUSED, NULL, 0, "%s", strerror(errno));
    bool written = !force || fchmod(fd, mode) == 0;
    for (size_t at = 0; written && at < content.len;) {
        ssize_t got = write(fd, content.data + at, content.len - at);
        if (got > 0)
            at += (size_t)got;
        else if (errno != EINTR)
            written = false;
    }
    int number = errno;
    if (close(fd) != 0 && written) {
        written = false;
        number = errno;
    }
    return written ? IBK_OK : ibk_fail(diag, IBK_ERR_IO, NULL, 0, "%s", strerror(number));
}
