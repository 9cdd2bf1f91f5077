/* The keys of `adversaries:`. What the words mean in full stands in docs/adversaries.md. */
#include "scenario/schema_table.h"

/* ---- seats and holdings ---------------------------------------------------------------------------------
 */

static const scn_field seat_fields[] = {
    {"link", SCN_T_REFERENCE, AT(raw_seat, link), .min = 1, .max = 60,
     .meaning = "on the access link of this user: it sees and changes what passes"},
    {"node", SCN_T_DOMAIN, AT(raw_seat, node), .min = 1, .max = 200,
     .meaning =
         "in this node of a core, `pcscf.home.example`, icscf., scscf., hss. or kms.: its link, and all "
         "that it holds"},
    {"ue", SCN_T_REFERENCE, AT(raw_seat, ue), .min = 1, .max = 60,
     .meaning =
         "in the UE of this user, mailboxes included: its link, its private keys, its PSK, and x, y and "
         "session keys as they come into being"},
    {"from", TIME, AT(raw_seat, from_ns), .fallback = "0 s", .max = 400 * D,
     .meaning =
         "it sees and changes what passes from this time of the run on; what it has there it has always"},
    {"until", TIME, AT(raw_seat, until_ns), .computed = "no end", .max = 400 * D,
     .meaning = "… and no longer than to this time"},
};
static const scn_section seat_section = {"a seat", FIELDS(seat_fields), .size = sizeof(raw_seat),
                                         .meaning = "Where an adversary sits. One key of the first three."};

static const scn_field holding_fields[] = {
    {"private-key", SCN_T_LINE, AT(raw_holding, private_key), .min = 1, .max = 250,
     .meaning = "one private key: of this user, or of this public identity"},
    {"master-secret", SCN_T_DOMAIN, AT(raw_holding, master_secret), .min = 1, .max = 180,
     .meaning = "the master secret of this domain's KMS"},
    {"psk", SCN_T_REFERENCE, AT(raw_holding, psk), .min = 1, .max = 60,
     .meaning = "the key that this user shares with its KMS"},
    {"generator", SCN_T_REFERENCE, AT(raw_holding, generator), .min = 1, .max = 60,
     .meaning = "the seed from which this user draws its scalars x and y"},
    {"memory", SCN_T_REFERENCE, AT(raw_holding, memory), .min = 1, .max = 60,
     .meaning = "what is alive in the memory of this user's UE at the time `from`, no more"},
    {"session-keys", SCN_T_REFERENCE, AT(raw_holding, session_keys), .min = 1, .max = 60,
     .meaning = "this user's UE tells the session key of each of its calls when it is established"},
    {"session-key", SCN_T_REFERENCE, AT(raw_holding, session_key), .min = 1, .max = 60,
     .meaning = "the session key of this call leaks"},
    {"date", SCN_T_DATE, AT(raw_holding, date_utc_ns), .computed = "the start of the run",
     .min = 946684800 * S, .max = 2082758399 * S,
     .meaning = "with `private-key`: a time in the key's period (P-9)"},
    {"from", TIME, AT(raw_holding, from_ns), .fallback = "0 s", .max = 400 * D,
     .meaning = "it has it from this time of the run on"},
};
static const scn_section holding_section = {
    "a holding", FIELDS(holding_fields), .size = sizeof(raw_holding),
    .meaning = "What an adversary was given or broke into. One key of the first seven."};

/* ---- a rogue KMS ------------------------------------------------------------------------------------------
 */

static const scn_field rogue_fields[] = {
    {"impersonates", SCN_T_DOMAIN, AT(raw_rogue_kms, impersonates), .required = true, .min = 1, .max = 180,
     .meaning = "the domain for whose KMS it stands: DNS answers with the adversary's node"},
    {"parameters", SCN_T_ENUM, AT(raw_rogue_kms, kms.parameters),
     .words = WORDS({"1024", 1024}, {"2048", 2048}, {"3072", 3072}),
     .computed = "`1024` without parameter files",
     .meaning = "a ready-made set of parameters with a master secret of its own"},
    {"parameters-file", SCN_T_FILE, AT(raw_rogue_kms, kms.parameters_file),
     .meaning = "public parameters of its own (DER BFPublicParameters), with `master-file`"},
    {"master-file", SCN_T_FILE, AT(raw_rogue_kms, kms.master_file),
     .meaning = "their master secret (DER BFMasterSecret)"},
    {"degenerate", SCN_T_ENUM, AT(raw_rogue_kms, kms.degenerate),
     .words = WORDS({"p-pub-is-p", SCN_P_PUB_IS_P}, {"q-composite", SCN_Q_COMPOSITE},
                    {"small-order", SCN_SMALL_ORDER}, {"p-is-3", SCN_P_IS_3}),
     .meaning = "what is wrong with its parameters: P_pub = P; q is no prime; P has a small order; p = 3"},
    {"certificate", SCN_T_ENUM, AT(raw_rogue_kms, kms.certificate), .fallback = "self-signed",
     .words =
         WORDS({"none", SCN_ROGUE_NONE}, {"self-signed", SCN_ROGUE_SELF_SIGNED}, {"stolen", SCN_ROGUE_STOLEN},
               {"trusted", SCN_ROGUE_TRUSTED}, {"wrong-name", SCN_ROGUE_WRONG_NAME}),
     .meaning =
         "what its HTTPS server shows: nothing; a self-signed certificate; that of the true KMS, with its "
         "key; one for the true KMS's name from a CA that all trust; one for its own name"},
    {"tls", SCN_T_ENUM, AT(raw_rogue_kms, kms.tls), .fallback = "on",
     .words = WORDS({"on", true}, {"off", false}),
     .meaning = "it speaks HTTPS on port 443; `off`: HTTP on port 80"},
};
static const scn_section rogue_section = {"a rogue KMS", FIELDS(rogue_fields), .size = sizeof(raw_rogue_kms),
                                          .optional = true,
                                          .meaning = "A KMS that runs on the adversary's node."};

/* ---- rules ------------------------------------------------------------------------------------------------
 */

#define RULE(member) AT(raw_rule, rule.member)
#define LINE(limit)  .min = 1, .max = (limit)

static const scn_word attack_words[] = {
#define ATTACK_WORD(name, text) {text, SCN_ATTACK_##name},
    SCN_ATTACK_LIST(ATTACK_WORD)
#undef ATTACK_WORD
        {NULL, 0}};

static const scn_field rule_fields[] = {
    {"on", SCN_T_LINE, AT(raw_rule, on), .required = true, LINE(40),
     .meaning =
         "what sets it off: a MIKEY message by its name (`I_MESSAGE_1`) or `mikey`; a SIP method, a status "
         "(`183`) or `sip`; `http`, `media`, `packet`, `time`, `state`"},
    {"call", SCN_T_REFERENCE, AT(raw_rule, call), LINE(60), .meaning = "a message of this call"},
    {"sender", SCN_T_REFERENCE, RULE(sender), LINE(200),
     .meaning = "the node that sent it on this hop: a user, `pcscf.home.example`, an adversary"},
    {"receiver", SCN_T_REFERENCE, RULE(receiver), LINE(200),
     .meaning = "the node that it goes to on this hop"},
    {"identity", SCN_T_LINE, RULE(identity), LINE(250),
     .meaning = "this identity, or this user's first one, stands in its IDRi or IDRr"},
    {"nth", SCN_T_UINT, RULE(nth), .min = 1, .max = 1000000, .computed = "every one",
     .meaning = "the n-th message that fits, from 1"},
    {"after", TIME, RULE(after_ns), .fallback = "0 s", .max = 400 * D,
     .meaning = "not before this time of the run; with `on: time`, at this time"},
    {"until", TIME, RULE(until_ns), .max = 400 * D, .computed = "no end", .meaning = "not after this time"},
    {"probability", SCN_T_QUANTITY, RULE(probability_ppb), .computed = "`100 %`", .min = 1, .max = 1000000000,
     .quantity = &scn_share_quantity, .meaning = "it is applied to this share of what fits, by chance"},
    {"of", SCN_T_REFERENCE, RULE(of), LINE(200), .meaning = "with `on: state`: the node"},
    {"is", SCN_T_LINE, RULE(is), LINE(40),
     .meaning = "with `on: state`: its STATE event in events.jsonl, `established`, `ended`, `registered` …"},
    {"more", SCN_T_BOOL, RULE(more), .computed = "`false`",
     .meaning = "`true`: later rules are tried on the message as well"},
    {"do", SCN_T_ENUM, RULE(act), .required = true, .words = attack_words, .meaning = "what it does"},
    {"by", TIME, RULE(by_ns), .max = 400 * D, .computed = "`0 s`",
     .meaning = "delay: how long; duplicate: between copies; replay: how long after the trigger"},
    {"times", SCN_T_UINT, RULE(times), .min = 1, .max = 1000, .computed = "`1`",
     .meaning = "duplicate: copies besides the message itself"},
    {"as", SCN_T_LINE, RULE(as), LINE(250),
     .meaning = "record: name of the recording; forge: user or identity in whose name"},
    {"what", SCN_T_NAME, RULE(what), LINE(60), .meaning = "name of a recording of this adversary"},
    {"to", SCN_T_REFERENCE, RULE(to), LINE(200), .meaning = "user or node that gets it"},
    {"fresh", SCN_T_BOOL, RULE(fresh), .computed = "`false`",
     .meaning = "replay: from the adversary's node, in a dialog of its own, in which it goes on"},
    {"field", SCN_T_ENUM, RULE(field),
     .words = WORDS({"version", SCN_FIELD_VERSION}, {"data-type", SCN_FIELD_DATA_TYPE},
                    {"V-flag", SCN_FIELD_V_FLAG}, {"PRF", SCN_FIELD_PRF}, {"CSB-ID", SCN_FIELD_CSB_ID},
                    {"#CS", SCN_FIELD_CS_COUNT}, {"map", SCN_FIELD_MAP}, {"T", SCN_FIELD_T},
                    {"RAND", SCN_FIELD_RAND}, {"IDRi", SCN_FIELD_IDRI}, {"IDRr", SCN_FIELD_IDRR},
                    {"SP", SCN_FIELD_SP}, {"SDP-IDs", SCN_FIELD_SDP_IDS}, {"IBAKE", SCN_FIELD_IBAKE},
                    {"U", SCN_FIELD_U}, {"V-of-IBE", SCN_FIELD_V_OF_IBE}, {"W", SCN_FIELD_W},
                    {"ESK", SCN_FIELD_ESK}, {"MAC", SCN_FIELD_MAC}),
     .meaning = "modify: the part of the MIKEY message; identity: IDRi or IDRr"},
    {"value", SCN_T_LINE, AT(raw_rule, value), LINE(4000),
     .meaning = "modify: `flip`, `random`, `zero`, a number, octets in hex, `xor 0b1f at 5`, text for "
                "identities; for "
                "T also a time to shift it by (`+2 h`); add-payload: octets in hex; otherwise text"},
    {"payload", SCN_T_LINE, AT(raw_rule, payload), LINE(40),
     .meaning = "remove-payload, add-payload: `SP`, `IDR`, `General Extension` …, or a number"},
    {"before", SCN_T_LINE, AT(raw_rule, before), LINE(40), .computed = "the end, yet before V and SIGN",
     .meaning = "add-payload: the payload before which it comes"},
    {"instance", SCN_T_UINT, RULE(instance), .min = 1, .max = 1000, .computed = "`1`",
     .meaning = "remove-payload: which one of several such payloads"},
    {"point-i", SCN_T_LINE, AT(raw_rule, point_i), LINE(400),
     .meaning =
         "re-encrypt: the initiator's point: `own`, `reflected`, `off-curve`, `infinity`, `small-order`, "
         "`compressed`, `twist`, or octets in hex"},
    {"point-r", SCN_T_LINE, AT(raw_rule, point_r), LINE(400), .meaning = "re-encrypt: the responder's point"},
    {"inner-idri", SCN_T_LINE, AT(raw_rule, inner_i), LINE(250),
     .meaning = "re-encrypt: IDRi inside: a user, an identity, or `none`"},
    {"inner-idrr", SCN_T_LINE, AT(raw_rule, inner_r), LINE(250), .meaning = "re-encrypt: IDRr inside"},
    {"for", SCN_T_LINE, AT(raw_rule, for_), LINE(250),
     .meaning =
         "re-encrypt, impersonate: the user or identity to encrypt for; flood, inject-media: how long"},
    {"parameters-of", SCN_T_DOMAIN, AT(raw_rule, parameters_of), LINE(180),
     .meaning = "re-encrypt, impersonate, forge: the KMS with whose parameters it encrypts"},
    {"find", SCN_T_LINE, RULE(find), LINE(1000), .meaning = "replace-text: what to look for"},
    {"with", SCN_T_LINE, RULE(with), .max = 1000, .meaning = "replace-text: what to put there"},
    {"header", SCN_T_LINE, RULE(header), LINE(60), .meaning = "set-header: its name"},
    {"message", SCN_T_LINE, AT(raw_rule, message), LINE(40), .meaning = "forge, flood: the MIKEY message"},
    {"rate", SCN_T_UINT, RULE(rate), .min = 1, .max = 100000,
     .meaning = "flood, inject-media: messages or packets a second"},
    {"content", SCN_T_ENUM, RULE(content), .computed = "`garbage`",
     .words = WORDS({"garbage", SCN_FLOOD_GARBAGE}, {"valid-ciphertext", SCN_FLOOD_VALID_CIPHERTEXT},
                    {"recorded", SCN_FLOOD_RECORDED}),
     .meaning =
         "flood, inject-media: random octets, what is really encrypted for the target, or a recording"},
};
static const scn_section rule_section = {
    "a rule", FIELDS(rule_fields), .size = sizeof(raw_rule),
    .meaning =
        "The first rule that fits a message is applied to it. Keys that do not belong to the trigger or to "
        "the action are refused; docs/adversaries.md lists them."};

/* ---- adversaries ------------------------------------------------------------------------------------------
 */

static const scn_field adversary_fields[] = {
    {"name", SCN_T_NAME, AT(raw_adversary, name), .required = true, .min = 1, .max = 60,
     .meaning = "unique name, no user's; its node is called so"},
    {"attached-to", SCN_T_DOMAIN, AT(raw_adversary, attached_to), .computed = "the first domain", .min = 1,
     .max = 180, .meaning = "the domain at whose router its node hangs; from there it sends"},
    {"cpu", SCN_T_CPU, AT(raw_adversary, cpu), .fallback = "instant",
     .meaning =
         "model of its node's processor (docs/cpu-models.md): how much computing its attacks cost it. What "
         "it changes on its way does not wait for it"},
    {"cores", SCN_T_UINT, AT(raw_adversary, cores), .fallback = "1", .min = 1, .max = CPU_MAX_CORES,
     .meaning = "cores of its processor"},
    {"at", SCN_T_LIST, AT(raw_adversary, seats), .section = &seat_section,
     .meaning = "where it sits; without a seat it is off path, and can only send"},
    {"holds", SCN_T_LIST, AT(raw_adversary, holdings), .section = &holding_section,
     .meaning = "what it was given"},
    {"kms", SECTION(raw_adversary, kms, rogue_section), .meaning = "a KMS that it runs"},
    {"rules", SCN_T_LIST, AT(raw_adversary, rules), .section = &rule_section, .meaning = "what it does"},
};
const scn_section scn_adversary_section = {
    "an adversary", FIELDS(adversary_fields), .size = sizeof(raw_adversary),
    .meaning = "Who attacks: it sees and changes real packets where it sits, and is judged by what it can "
               "decrypt of them."};
