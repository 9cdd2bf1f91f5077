-- Part of mikey_ibake.lua: the decrypted content that `ibakelab decode --json --keylog F CAPTURE` wrote. A message is found
-- again by its own octets, so the capture that is looked at may be a part of that one, or several merged ones.

local MAX_LINE, MAX_CONTENTS, MAX_DEPTH = 8 * 1024 * 1024, 200000, 64

---- JSON (RFC 8259), a line at a time ---------------------------------------------------------------------------------------

local ESCAPES = {b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/"}
local LITERALS = {["true"] = true, ["false"] = false, null = false}
local value_at

local function string_at(text, at)
    local stop = at + 1
    while true do
        stop = text:find('["\\]', stop) or error("a string without an end")
        if text:sub(stop, stop) == '"' then
            break
        end
        stop = stop + 2
    end
    -- Of \u nothing is needed here but that it does no harm.
    local inside = text:sub(at + 1, stop - 1):gsub("\\(.)", function(c)
        return ESCAPES[c] or "\\" .. c
    end)
    return inside, stop + 1
end

local function members_at(text, at, depth, close)
    local all = {}
    at = text:match("^%s*()", at + 1)
    while text:sub(at, at) ~= close do
        local name = #all + 1
        if close == "}" then
            name, at = string_at(text, at)
            at = text:match("^%s*:%s*()", at) or error("a member without a value")
        end
        all[name], at = value_at(text, at, depth + 1)
        local comma, after = text:match("^%s*(,?)%s*()", at)
        at = after
        if comma == "" and text:sub(at, at) ~= close then
            error("neither ',' nor '" .. close .. "'")
        end
    end
    return all, at + 1
end

function value_at(text, at, depth)
    local c = text:sub(at, at)
    if depth > MAX_DEPTH then
        error("too deep")
    elseif c == "{" or c == "[" then
        return members_at(text, at, depth, c == "{" and "}" or "]")
    elseif c == '"' then
        return string_at(text, at)
    end
    local word, after = text:match("^([%w.+-]+)()", at)
    if not word or (LITERALS[word] == nil and not tonumber(word)) then
        error("no value")
    end
    return LITERALS[word] == nil and tonumber(word) or LITERALS[word] or false, after
end

---- From trees to contents --------------------------------------------------------------------------------------------------------

local contents, total -- "octets/CSB ID" -> list of {offset, proof_at, proof, plain, by}
local loaded, problem

local function field_of(list, name)
    for _, field in ipairs(list or {}) do
        if field.name == name then
            return field
        end
    end
end

-- The longest octets inside the payload that are known in full: what the payload is recognised by.
local function proof_of(list, best)
    for _, field in ipairs(list or {}) do
        if field.name == "decrypted content" then
            break
        end
        local hex = field.hex or field.text
        if field.offset and type(hex) == "string" and #hex % 2 == 0 and hex:find("^%x+$") and #hex / 2 <= field.length and
            (not best or #hex > #best.hex) then
            best = {at = field.offset + field.length - #hex / 2, hex = hex}
        end
        best = proof_of(field.fields, best)
    end
    return best
end

local function take_message(message)
    local header = field_of(message.fields, "HDR")
    local csb = header and field_of(header.fields, "CSB ID")
    for _, payload in ipairs(csb and message.fields or {}) do
        local content = field_of(payload.fields, "decrypted content")
        local proof = content and proof_of(payload.fields)
        if proof and #proof.hex >= 32 and total < MAX_CONTENTS then
            local key = message.octets .. "/" .. csb.number
            contents[key] = contents[key] or {}
            table.insert(contents[key], {offset = payload.offset, proof_at = proof.at, proof = proof.hex,
                plain = content.hex, by = content.text})
            total = total + 1
        end
    end
end

local function take_line(line)
    if #line > MAX_LINE then
        error("a line of more than " .. MAX_LINE .. " octets")
    end
    if line:find('^{"origin":') then
        take_message((value_at(line, 1, 0)))
    end
end

local function load_file(path)
    contents, total, problem, loaded = {}, 0, nil, path
    if path == "" then
        return
    end
    local file, why = io.open(path, "rb")
    local first = file and file:read(256)
    if not first then
        problem = why or path .. ": empty"
    elseif not first:find('^{"schema":"ibakelab%-decode/1"') then
        problem = path .. ": not what ibakelab decode --json writes"
    else
        file:seek("set", 0)
        for line in file:lines() do
            local ok, reason = pcall(take_line, line)
            if not ok then
                problem = path .. ": " .. tostring(reason):gsub("^.-:%d+: ", "")
                break
            end
        end
        if not problem and total == 0 then
            problem = path .. ": no decrypted content in it (was --keylog given?)"
        end
    end
    if file then
        file:close()
    end
end

local function hex_of(octets)
    return (octets:gsub(".", function(c)
        return string.format("%02x", c:byte())
    end))
end

-- The contents of a message, by the offset of their payloads, and what is wrong with the file at `path`. A content: plain
-- (hex, nil if it holds keys and the file was written without --secrets) and by (how it was decrypted).
local function find(path, octets, csb)
    if path ~= loaded then
        load_file(path)
    end
    local found = {}
    for _, content in ipairs(contents[#octets .. "/" .. csb] or {}) do
        local from = content.proof_at
        if hex_of(octets:sub(from + 1, from + #content.proof / 2)) == content.proof then
            found[content.offset] = content
        end
    end
    return found, problem
end

return {find = find}
