-- Part of mikey_ibake.lua: what the RFCs and the profile (docs/) forbid and a message on the wire shows. Each rule has the
-- ID of its requirement in conformance/requirements. MUST is what is an error: MUST of the RFCs, and the profile's own.
--
-- A message m is judged by: m.kind (data type), m.header (numbers of HDR by field name), m.payloads (in order; each with
-- number, value, node), m.frame, and m:broken(id, node, detail), which tells. node nil is the message.

local RULE = {
    ["P-2"] = {"MUST", "Encr data are DER BFCiphertextBlock of version 2"},
    ["P-3"] = {"MUST", "the point of ECCPT is sent uncompressed and padded with zeros; infinity and other curves are refused"},
    ["P-4"] = {"MUST", "content of IBAKE, ESK and KEMAC begins with IDR and ends in next payload 0"},
    ["P-7"] = {"MUST", "RAND of I_MESSAGE_2 is that of I_MESSAGE_1"},
    ["P-17"] = {"MUST", "there is one ECCPTi or none"},
    ["P-19"] = {"MUST", "identities inside and outside agree"},
    ["P-24"] = {"MUST", "PKE says \"no cache\""},
    ["3830-13"] = {"MUST", "KEMAC with private keys is not encrypted by NULL without a secure transport"},
    ["3830-18"] = {"MUST", "V has no NULL MAC without a secure transport"},
    ["3830-24"] = {"SHOULD", "T is in UTC"},
    ["3830-56"] = {"SHOULD", "RAND has at least 16 octets"},
    ["3830-62"] = {"MUST", "V or SIGN is the last payload, and the next payload of V is 0"},
    ["3830-69"] = {"MUST", "SP payloads of a message have numbers of their own"},
    ["4563-1"] = {"MUST", "a message with the Empty map has no SP payload"},
    ["6267-2"] = {"MUST", "a key request has T and RAND"},
    ["6267-5"] = {"MUST", "#CS of a key request is 0"},
    ["6267-7"] = {"MUST", "the CS ID map type of a key request is the Empty map"},
    ["6267-8"] = {"MUST", "a key request has IDRkms"},
    ["6267-12"] = {"MUST", "REQUEST_KEY_PSK ends in V"},
    ["6267-13"] = {"SHOULD", "REQUEST_KEY_PKE has the user's certificate"},
    ["6267-18"] = {"MUST", "version, PRF, #CS and map type of REQUEST_KEY_RESP are those of the request"},
    ["6267-19"] = {"MUST", "the V flag of REQUEST_KEY_RESP is 0"},
    ["6267-21"] = {"MUST", "T of REQUEST_KEY_RESP is that of the request"},
    ["6267-22"] = {"SHOULD", "KEMAC of REQUEST_KEY_RESP has the NULL MAC"},
    ["6267-24"] = {"MUST", "REQUEST_KEY_RESP ends in V"},
    ["6267-28"] = {"MUST", "I_MESSAGE_1 has T and RAND"},
    ["6267-30"] = {"MUST", "I_MESSAGE_1 has IDRi and IDRr"},
    ["6267-37"] = {"MUST", "version, PRF, #CS and map type of R_MESSAGE_1 are those of I_MESSAGE_1"},
    ["6267-38"] = {"MUST", "the V flag of R_MESSAGE_1 is 1"},
    ["6267-39"] = {"MUST", "T of R_MESSAGE_1 is that of I_MESSAGE_1"},
    ["6267-40"] = {"MUST", "R_MESSAGE_1 has IDRi and IDRr"},
    ["6267-41"] = {"MUST", "IDRi of R_MESSAGE_1 is that of I_MESSAGE_1"},
    ["6267-48"] = {"MUST", "I_MESSAGE_2 has T and RAND"},
    ["6267-49"] = {"MUST", "version, PRF, #CS and map type of I_MESSAGE_2 are those of R_MESSAGE_1"},
    ["6267-50"] = {"MUST", "I_MESSAGE_2 has IDRi and IDRr"},
    ["6267-51"] = {"MUST", "IDRr of I_MESSAGE_2 is that of R_MESSAGE_1"},
    ["6267-54"] = {"MUST", "IBAKE of I_MESSAGE_2 has both identities and ECCPTr"},
    ["6267-60"] = {"MUST", "version, PRF, #CS and map type of R_MESSAGE_2 are those of I_MESSAGE_2"},
    ["6267-61"] = {"MUST", "the V flag of R_MESSAGE_2 is 0"},
    ["6267-63"] = {"MUST", "T of R_MESSAGE_2 is that of I_MESSAGE_2"},
    ["6267-64"] = {"SHOULD", "R_MESSAGE_2 has IDRi and IDRr"},
    ["6267-66"] = {"MUST", "IBAKE of R_MESSAGE_2 has ECCPTi and the initiator's identity"},
    ["6267-67"] = {"MUST", "R_MESSAGE_2 ends in V"},
    ["6267-84"] = {"MUST", "the V flag is 1 in every message that awaits an answer"},
    ["6267-86"] = {"MUST", "#CS is 0 in the key request and its answer"},
    ["6267-88"] = {"MUST", "the map type is the Empty map in the key request and its answer"},
    ["6267-90"] = {"MUST", "KEMAC of REQUEST_KEY_RESP holds at least one private key"},
    ["6267-92"] = {"MUST", "IBAKE of I_MESSAGE_1 has IDRi, ECCPTi and IDRr"},
    ["6267-93"] = {"MUST", "IBAKE of R_MESSAGE_1 has both identities and ECCPTr"},
    ["6267-98"] = {"MUST", "ECCPT stands inside IBAKE alone, never in clear"},
    ["6267-101"] = {"MUST", "SK stands inside ESK alone, never in clear"},
}


local KEMAC, PKE, SIGN, T, CERT, V, SP, RAND, IDR, KEY_DATA, IBAKE, ECCPT = 1, 2, 4, 5, 7, 9, 10, 11, 14, 20, 22, 25
local REQUEST_PSK, REQUEST_PKE, RESPONSE, I_1, R_1, I_2, R_2 = 19, 20, 21, 22, 23, 24, 25
local INITIATOR, RESPONDER, KMS = 1, 2, 3

local function find(payloads, number, role)
    for _, p in ipairs(payloads) do
        if p.number == number and (not role or p.value["ID role"] == role) then
            return p
        end
    end
end

local function count(payloads, number)
    local n = 0
    for _, p in ipairs(payloads) do
        n = n + (p.number == number and 1 or 0)
    end
    return n
end

---- What a message must have ---------------------------------------------------------------------------------------------

-- Of a kind of message: rule, payload, role of an IDR, and how it is called.
local HAS = {
    [REQUEST_PSK] = {{"6267-2", T, nil, "T"}, {"6267-2", RAND, nil, "RAND"}, {"6267-8", IDR, KMS, "IDRkms"}},
    [REQUEST_PKE] = {{"6267-2", T, nil, "T"}, {"6267-2", RAND, nil, "RAND"}, {"6267-8", IDR, KMS, "IDRkms"},
        {"6267-13", CERT, nil, "CERT"}},
    [RESPONSE] = {{"6267-21", T, nil, "T"}, {"6267-90", KEMAC, nil, "KEMAC"}},
    [I_1] = {{"6267-28", T, nil, "T"}, {"6267-30", IDR, INITIATOR, "IDRi"}, {"6267-30", IDR, RESPONDER, "IDRr"},
        {"6267-92", IBAKE, nil, "IBAKE"}},
    [R_1] = {{"6267-39", T, nil, "T"}, {"6267-40", IDR, INITIATOR, "IDRi"}, {"6267-40", IDR, RESPONDER, "IDRr"},
        {"6267-93", IBAKE, nil, "IBAKE"}},
    [I_2] = {{"6267-48", T, nil, "T"}, {"6267-48", RAND, nil, "RAND"}, {"6267-50", IDR, INITIATOR, "IDRi"},
        {"6267-50", IDR, RESPONDER, "IDRr"}, {"6267-54", IBAKE, nil, "IBAKE"}},
    [R_2] = {{"6267-63", T, nil, "T"}, {"6267-64", IDR, INITIATOR, "IDRi"}, {"6267-64", IDR, RESPONDER, "IDRr"}},
}
local ENDS = {[REQUEST_PSK] = {"6267-12", V}, [REQUEST_PKE] = {"3830-62", SIGN}, [RESPONSE] = {"6267-24", V},
    [R_2] = {"6267-67", V}}
local FLAG = {[REQUEST_PSK] = {"6267-84", 1}, [REQUEST_PKE] = {"6267-84", 1}, [RESPONSE] = {"6267-19", 0},
    [I_1] = {"6267-84", 1}, [R_1] = {"6267-38", 1}, [I_2] = {"6267-84", 1}, [R_2] = {"6267-61", 0}}

-- A CSB update (RFC 6267 §5.3): its I_MESSAGE_1 has no RAND, its R_MESSAGE_1 ends in V, and what was said before is left out.
local function is_update(m)
    return m.kind == I_1 and not find(m.payloads, RAND) or m.kind == R_1 and find(m.payloads, V) ~= nil
end

local function judge_presence(m)
    for _, need in ipairs(HAS[m.kind] or {}) do
        local id, number, role, name = need[1], need[2], need[3], need[4]
        if not find(m.payloads, number, role) and (number == T or not m.update) then
            m:broken(id, nil, name .. " is missing")
        end
    end
    local last, ends = m.payloads[#m.payloads], ENDS[m.kind]
    if ends and (not last or last.number ~= ends[2]) then
        m:broken(ends[1], last and last.node, (ends[2] == V and "V" or "SIGN") .. " is not the last payload")
    end
end

local function judge_header(m)
    local flag, h = FLAG[m.kind], m.header
    if flag and not m.update and h.V ~= flag[2] then
        m:broken(flag[1], m.items.V, "the V flag is " .. h.V)
    end
    local is_request = m.kind == REQUEST_PSK or m.kind == REQUEST_PKE
    if is_request or m.kind == RESPONSE then
        if h["#CS"] ~= 0 then
            m:broken(is_request and "6267-5" or "6267-86", m.items["#CS"], "#CS is " .. h["#CS"])
        end
        if h["CS ID map type"] ~= 1 then
            m:broken(is_request and "6267-7" or "6267-88", m.items["CS ID map type"], "map type " .. h["CS ID map type"])
        end
    end
end

---- Single payloads -----------------------------------------------------------------------------------------------------------

local JUDGE = {}

JUDGE[KEMAC] = function(m, p)
    if m.kind ~= RESPONSE then
        return
    end
    if p.value["encr alg"] == 0 then
        m:broken("3830-13", p.node, "the encryption is NULL")
    end
    if p.value["MAC alg"] ~= 0 then
        m:broken("6267-22", p.node, "MAC algorithm " .. p.value["MAC alg"])
    end
end

JUDGE[PKE] = function(m, p)
    if m.kind == REQUEST_PKE and p.value.C ~= 0 then
        m:broken("P-24", p.node, "C is " .. p.value.C)
    end
end

JUDGE[T] = function(m, p)
    if p.value["TS type"] == 1 then
        m:broken("3830-24", p.node, "TS type NTP is local time")
    end
end

JUDGE[V] = function(m, p)
    if p.value["auth alg"] == 0 then
        m:broken("3830-18", p.node, "the MAC is NULL")
    end
end

JUDGE[RAND] = function(m, p)
    if p.value["RAND length"] < 16 then
        m:broken("3830-56", p.node, p.value["RAND length"] .. " octets")
    end
end

JUDGE[SP] = function(m, p, seen)
    local number = p.value["policy no"]
    if m.header["CS ID map type"] == 1 then
        m:broken("4563-1", p.node)
    end
    if seen[number] then
        m:broken("3830-69", p.node, "policy " .. number .. " a second time")
    end
    seen[number] = true
end

---- Between messages: what an answer repeats ------------------------------------------------------------------------------------

-- What is compared: a text made of the message, or nil.
local ASPECT = {}

function ASPECT.T(m)
    local p = find(m.payloads, T)
    return p and p.value["TS type"] .. p:text("TS value")
end

function ASPECT.header(m)
    local h = m.header
    return h["PRF func"] .. "/" .. h["#CS"] .. "/" .. h["CS ID map type"]
end

function ASPECT.RAND(m)
    local p = find(m.payloads, RAND)
    return p and p:text("RAND")
end

function ASPECT.IDRi(m)
    local p = find(m.payloads, IDR, INITIATOR)
    return p and p:text("ID data")
end

function ASPECT.IDRr(m)
    local p = find(m.payloads, IDR, RESPONDER)
    return p and p:text("ID data")
end

local REPEATS = { -- answer, what it answers, what is repeated, rule
    {RESPONSE, {REQUEST_PSK, REQUEST_PKE}, "T", "6267-21"}, {RESPONSE, {REQUEST_PSK, REQUEST_PKE}, "header", "6267-18"},
    {R_1, {I_1}, "T", "6267-39"}, {R_1, {I_1}, "header", "6267-37"}, {R_1, {I_1}, "IDRi", "6267-41"},
    {I_2, {R_1}, "header", "6267-49"}, {I_2, {R_1}, "IDRr", "6267-51"}, {I_2, {I_1}, "RAND", "P-7"},
    {R_2, {I_2}, "T", "6267-63"}, {R_2, {I_2}, "header", "6267-60"},
}

-- CSB ID -> kind of message -> aspect -> value -> the first frame that had it. A message that passes several hops, is sent
-- again or goes to several branches has the same CSB ID; so an answer is right if any such message before it fits.
local MAX_BUNDLES, MAX_VALUES = 4096, 64
local memory, ring, place = {}, {}, 0

local function forget()
    memory, ring, place = {}, {}, 0
end

local function bundle(csb)
    if not memory[csb] then
        place = place % MAX_BUNDLES + 1
        if ring[place] then
            memory[ring[place]] = nil
        end
        ring[place], memory[csb] = csb, {}
    end
    return memory[csb]
end

local function remember(m)
    local of = bundle(m.header["CSB ID"])
    of[m.kind] = of[m.kind] or {}
    for name, aspect in pairs(ASPECT) do
        local set = of[m.kind][name] or {values = {}, count = 0}
        of[m.kind][name] = set
        local value = aspect(m)
        if value and not set.values[value] then
            set.values[value], set.count = set.count < MAX_VALUES and m.frame or nil, set.count + 1
        end
    end
end

-- Whether a message before this one had the value; nil: nothing is known to compare with.
local function was_said(m, kinds, name, value)
    local known
    for _, kind in ipairs(kinds) do
        local of = memory[m.header["CSB ID"]]
        local set = of and of[kind] and of[kind][name]
        if set and set.count > MAX_VALUES then
            return nil
        end
        for said, frame in pairs(set and set.values or {}) do
            if frame <= m.frame then
                if said == value then
                    return true
                end
                known = false
            end
        end
    end
    return known
end

local function judge_repetition(m)
    for _, r in ipairs(REPEATS) do
        local value = r[1] == m.kind and ASPECT[r[3]](m)
        if value and was_said(m, r[2], r[3], value) == false then
            m:broken(r[4], nil, "no message before it in this capture says so")
        end
    end
end

-- I_MESSAGE_1 without RAND is an update, and that of an exchange before it.
local function judge_update(m)
    local of = memory[m.header["CSB ID"]]
    local set = of and of[I_1] and of[I_1].RAND
    for _, frame in pairs(set and set.values or {}) do
        if frame <= m.frame then
            return
        end
    end
    m:broken("6267-28", nil, "RAND is missing, and there is no exchange before it in this capture that it could update")
end

---- The whole -------------------------------------------------------------------------------------------------------------------------

local function judge(m)
    if m.kind < REQUEST_PSK then
        return
    end
    m.update = is_update(m)
    judge_presence(m)
    judge_header(m)
    local seen = {}
    for _, p in ipairs(m.payloads) do
        if JUDGE[p.number] then
            JUDGE[p.number](m, p, seen)
        end
    end
    judge_repetition(m)
    if m.kind == I_1 and m.update then
        judge_update(m)
    end
    remember(m)
end

-- What the content of an IBAKE or KEMAC must have: rule, ECCPTs at least, at most, roles of IDRs.
local INSIDE = {[I_1] = {"6267-92", 1, 1, {INITIATOR, RESPONDER}}, [R_1] = {"6267-93", 1, 2, {INITIATOR, RESPONDER}},
    [I_2] = {"6267-54", 1, 2, {INITIATOR, RESPONDER}}, [R_2] = {"6267-66", 1, 1, {INITIATOR}}}
local ROLE_NAME = {"IDRi", "IDRr"}

local function judge_ibake(m, p, content)
    local rule = INSIDE[m.kind]
    local points = count(content, ECCPT)
    if points < rule[2] then
        m:broken(rule[1], p.node, "ECCPT is missing")
    elseif points > rule[3] then
        m:broken("P-17", p.node, points .. " ECCPT payloads")
    end
    for _, role in ipairs(rule[4]) do
        local inside, outside = find(content, IDR, role), find(m.payloads, IDR, role)
        if not inside then
            m:broken(rule[1], p.node, ROLE_NAME[role] .. " is missing inside")
        elseif outside and inside:text("ID data") ~= outside:text("ID data") then
            m:broken("P-19", inside.node, ROLE_NAME[role] .. " is another one inside")
        end
    end
end

-- content: the payloads of the decrypted content of p.
local function judge_content(m, p, content)
    if p.number == IBAKE and INSIDE[m.kind] then
        judge_ibake(m, p, content)
    elseif p.number == KEMAC and m.kind == RESPONSE then
        for _, key in ipairs(content) do
            if key.number == KEY_DATA and key.value.type == 7 then
                return
            end
        end
        m:broken("6267-90", p.node, "no private key in it")
    end
    for _, q in ipairs(content) do
        if q.number == ECCPT and q.value.tag ~= 4 then
            m:broken("P-3", q.node, "the point is compressed")
        end
    end
end

return {RULE = RULE, judge = judge, judge_content = judge_content, forget = forget}
