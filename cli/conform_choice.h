/* ibakelab conform: which cases of the suite its options choose. */
#ifndef CLI_CONFORM_CHOICE_H
#define CLI_CONFORM_CHOICE_H

#include "cli/conform_options.h"
#include "conformance/requirements/requirements.h"
#include "conformance/suite/list.h"
#include "conformance/suite/run.h"

typedef struct conform_choice {
    suite_list *cases; /* all that there are */
    cr_set *requirements;
    suite_result *results; /* one for each case that was chosen; its outcome is still to come */
    size_t n;
} conform_choice;

/* Loads requirements and cases, and chooses. An exit status, after a message if need be; that nothing fits is
 * CLI_BAD. Whatever it is, the choice is to be freed. */
int conform_choose(conform_choice *out, const conform_options *o);
void conform_choice_free(conform_choice *choice); /* legal on the zero value */

#endif
