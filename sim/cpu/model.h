/* A model of a processor: how long each costly operation of the protocol takes on one of its cores, at each
 * size. As a file: JSON, "ibakelab-cpu-model/1", see docs/cpu-models.md. Knows nothing of the network. */
#ifndef CPU_MODEL_H
#define CPU_MODEL_H

#include <ibake/base.h>

#define CPU_MODEL_FORMAT   "ibakelab-cpu-model/1"
#define CPU_MAX_CORES      1024 /* of a processor that runs by a model */
#define CPU_MODEL_SIZES    16
#define CPU_MODEL_MAX_NS   UINT64_C(3600000000000) /* of one operation: an hour */
#define CPU_MODEL_MAX_FILE 65536

enum { CPU_MODEL_OPERATIONS = IBK_WORK_RSA_PUBLIC + 1 }; /* of arrays by enum ibk_work; [0] is unused */

typedef struct cpu_times {
    struct {
        unsigned size; /* bits, as ibk_env.work has it */
        uint64_t ns;
    } at[CPU_MODEL_SIZES]; /* ascending sizes */
    size_t count;
} cpu_times;

/* A plain value: copied as it is, nothing to free. The zero value takes no time for anything. */
typedef struct cpu_model {
    bool timed;    /* false: `instant` */
    char name[64]; /* the file's own */
    cpu_times times[CPU_MODEL_OPERATIONS];
} cpu_model;

/* "ibe-decrypt", as in the file; NULL: no such operation. */
const char *cpu_operation_name(ibk_work what);

/* False: the model has no time for this operation at this size. Nothing is extrapolated. */
bool cpu_model_cost(const cpu_model *model, ibk_work what, unsigned size, uint64_t *ns);

/* One of the models that are part of the program: "instant", "server", "phone". False: no such word. */
bool cpu_model_ready_made(cpu_model *out, const char *word);

/* Strict: every operation with at least one size, no other member, whole numbers of ns. `name` is the file's
 * name in messages. On failure `why` (256 octets) is "name:line: what is wrong". IBK_ERR_BAD_VALUE,
 * IBK_ERR_LIMIT; _file also IBK_ERR_IO. */
#define CPU_MODEL_WHY 256
ibk_err cpu_model_read(cpu_model *out, const char *name, ibk_span text, char why[CPU_MODEL_WHY]);
ibk_err cpu_model_read_file(cpu_model *out, const char *path, char why[CPU_MODEL_WHY]);

/* The file of a model, appended; what cpu_model_read reads gives the same model. `description` may be NULL.
 */
ibk_err cpu_model_write(ibk_buf *out, const cpu_model *model, const char *description);

#endif
