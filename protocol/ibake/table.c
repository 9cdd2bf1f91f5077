/* The state machine of RFC 6267 §4.2.2 and §5.3 as data. What is not in the table is discarded. */
#include "ibake/session_internal.h"

static const transition table[] = {
    /* state, message in, process, build, next state, then awaited */
    {IBK_STATE_I_NEW, ON_START, NULL, i_message_1_build, IBK_STATE_I_WAIT_R_MESSAGE_1, IBK_MSG_R_MESSAGE_1},
    {IBK_STATE_I_WAIT_R_MESSAGE_1, IBK_MSG_R_MESSAGE_1, r_message_1_process, i_message_2_build,
     IBK_STATE_I_WAIT_R_MESSAGE_2, IBK_MSG_R_MESSAGE_2},
    {IBK_STATE_I_WAIT_R_MESSAGE_2, IBK_MSG_R_MESSAGE_2, r_message_2_process, NULL, IBK_STATE_ESTABLISHED, 0},
    {IBK_STATE_R_NEW, IBK_MSG_I_MESSAGE_1, i_message_1_process, r_message_1_build,
     IBK_STATE_R_WAIT_I_MESSAGE_2, IBK_MSG_I_MESSAGE_2},
    {IBK_STATE_R_WAIT_I_MESSAGE_2, IBK_MSG_I_MESSAGE_2, i_message_2_process, r_message_2_build,
     IBK_STATE_ESTABLISHED, 0},
    /* RFC 3830 §5.1.2 */
    {IBK_STATE_I_WAIT_R_MESSAGE_1, IBK_MSG_ERROR, error_message_process, NULL, IBK_STATE_CLOSED, 0},
    {IBK_STATE_I_WAIT_R_MESSAGE_2, IBK_MSG_ERROR, error_message_process, NULL, IBK_STATE_CLOSED, 0},
    {IBK_STATE_R_WAIT_I_MESSAGE_2, IBK_MSG_ERROR, error_message_process, NULL, IBK_STATE_CLOSED, 0},
    /* CSB update, by either side (§5.3): what fails leaves ESTABLISHED as it was */
    {IBK_STATE_ESTABLISHED, ON_UPDATE, NULL, update_i_message_1_build, IBK_STATE_UPDATING,
     IBK_MSG_R_MESSAGE_1},
    {IBK_STATE_ESTABLISHED, IBK_MSG_I_MESSAGE_1, update_i_message_1_process, update_r_message_1_build,
     IBK_STATE_ESTABLISHED, 0},
    {IBK_STATE_UPDATING, IBK_MSG_R_MESSAGE_1, update_r_message_1_process, NULL, IBK_STATE_ESTABLISHED, 0},
    {IBK_STATE_UPDATING, IBK_MSG_I_MESSAGE_1, update_glare, NULL, IBK_STATE_UPDATING, IBK_MSG_R_MESSAGE_1},
    {IBK_STATE_UPDATING, IBK_MSG_ERROR, error_message_process, NULL, IBK_STATE_ESTABLISHED, 0},
};

#define ROWS (sizeof table / sizeof table[0])

const transition *transition_find(ibk_session_state state, uint8_t message) {
    for (size_t i = 0; i < ROWS; i++) {
        if (table[i].state == state && table[i].message == message) {
            return &table[i];
        }
    }
    return NULL;
}

uint8_t state_waits_for(ibk_session_state state) {
    if (state == IBK_STATE_R_NEW) {
        return IBK_MSG_I_MESSAGE_1;
    }
    for (size_t i = 0; i < ROWS; i++) {
        if (table[i].next == state) {
            return table[i].waits_for;
        }
    }
    return 0;
}

const char *ibk_session_state_name(ibk_session_state state) {
    switch (state) {
    case IBK_STATE_I_NEW:
        return "I_NEW";
    case IBK_STATE_I_WAIT_R_MESSAGE_1:
        return "I_WAIT_R_MESSAGE_1";
    case IBK_STATE_I_WAIT_R_MESSAGE_2:
        return "I_WAIT_R_MESSAGE_2";
    case IBK_STATE_R_NEW:
        return "R_NEW";
    case IBK_STATE_R_WAIT_I_MESSAGE_2:
        return "R_WAIT_I_MESSAGE_2";
    case IBK_STATE_ESTABLISHED:
        return "ESTABLISHED";
    case IBK_STATE_UPDATING:
        return "UPDATING";
    case IBK_STATE_CLOSED:
        return "CLOSED";
    }
    return "unknown";
}
