/* A scenario file: refused with places inside it, or loaded; what loads is written as a resolved
 * configuration that loads and is written alike. */
#include "fuzz.h"
#include "scenario/model.h"

static void check_refused(ibk_err err, const scn_errors *errors) {
    FUZZ_CHECK(err == IBK_ERR_BAD_VALUE);
    FUZZ_CHECK(errors->count > 0 && errors->count <= SCN_ERRORS_MAX);
    for (size_t i = 0; i < errors->count; i++)
        FUZZ_CHECK(errors->list[i].line > 0 && errors->list[i].message[0] != '\0');
}

static void check_round_trip(const scn_scenario *scenario) {
    ibk_buf first = {0}, second = {0};
    scn_errors errors;
    scn_scenario *again;
    FUZZ_CHECK(scn_write_resolved(&first, scenario) == IBK_OK);
    if (first.len <= SCN_MAX_FILE) {
        ibk_err err = scn_load_text(&again, &errors, "resolved.yaml", ibk_buf_span(&first), NULL, 0);
        if (err)
            scn_errors_print(&errors, stderr, false);
        FUZZ_CHECK(err == IBK_OK);
        FUZZ_CHECK(again->user_count == scenario->user_count && again->call_count == scenario->call_count);
        FUZZ_CHECK(scn_write_resolved(&second, again) == IBK_OK);
        fuzz_check_same(ibk_buf_span(&first), ibk_buf_span(&second));
        scn_free(again);
    }
    ibk_buf_free(&first);
    ibk_buf_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    enum { USERS = 200 }; /* larger groups take time and show nothing new */
    scn_errors errors;
    scn_scenario *scenario;
    ibk_err err = scn_load_text(&scenario, &errors, "input.yaml", ibk_span_of(data, size), NULL, 0);
    if (err) {
        FUZZ_CHECK(scenario == NULL);
        check_refused(err, &errors);
        return 0;
    }
    FUZZ_CHECK(errors.count == 0 && scenario->user_count > 0 && scenario->expectation_count > 0);
    if (scenario->user_count <= USERS)
        check_round_trip(scenario);
    scn_free(scenario);
    return 0;
}
