-- A conversation's lane of events: a stream of ids at <lane>, a record of each at <lane>:event:<id>, what is done with them at
-- <lane>:state. Others change the state only while they hold <lane>:state:lock; a script is atomic, so it needs no lock of its
-- own, but leaves the state alone while another holds it.
local promoters = 'react-external-promoter.v1'
local fresh = 30000  -- ms for which a consumer that was scheduled, or is active, counts as such

local function null(v) return v == nil or v == cjson.null or v == '' end
local function is_wake(item) return item.kind == 'external_event_lane_wakeup' or type(item.event_lane) == 'table' end

-- The lane that a wake-up names and the key of the event's record; nothing where there is none. Who the user is may be told in
-- more than one place.
local function find_event(item)
  local e, user = part(item, 'event_lane'), part(item, 'user')
  local agent, conversation, id = text(e.agent_id) or 'default.react.agent', text(e.conversation_id), text(e.event_id)
  if not conversation or not id then return nil end
  for _, who in ipairs({text(e.user_id) or '', text(user.user_id) or '', text(user.fingerprint) or ''}) do
    local key = KEYS[13] .. ':' .. safe(conversation)
    if who ~= '' or agent ~= 'default.react.agent' then key = key .. ':user:' .. safe(who) .. ':agent:' .. safe(agent) end
    for _, name in ipairs({id, safe(id)}) do
      local record = redis.call('GET', key .. ':event:' .. name)
      if record then return key, name, record end
    end
  end
end

-- The event that a wake-up stands for, as its later steps need it: k: key of the lane, m: id, t: turn, n: names of the lane; and
-- its record. Nothing where there is none.
local function event_of(item)
  local key, id, record = find_event(item)
  if not key then return nil end
  local ok, read_record = pcall(cjson.decode, record)
  local task = ok and type(read_record) == 'table' and part(part(read_record, 'task_payload'), 'routing') or {}
  local names = {}
  for i, name in ipairs({'tenant', 'project', 'user_id', 'conversation_id', 'agent_id'}) do
    names[i] = text(part(item, 'event_lane')[name]) or cjson.null
  end
  return {k = key, m = id, t = text(task.turn_id) or text(part(item, 'routing').turn_id) or '', n = names}, record
end

-- Seconds since 1970 of a number, its text, or a time such as 2026-01-31T10:20:30.5Z; nothing for anything else.
local function epoch(v)
  if type(v) ~= 'string' then return type(v) == 'number' and v or nil end
  if tonumber(v) then return tonumber(v) end
  local y, m, d, hour, min, sec, zone = string.match(v, '^(%d+)-(%d+)-(%d+)[T ](%d+):(%d+):([%d.]+)(.*)$')
  if not y then return nil end
  y, m = tonumber(y), tonumber(m)
  if m <= 2 then y, m = y - 1, m + 12 end
  local days = 365 * y + math.floor(y / 4) - math.floor(y / 100) + math.floor(y / 400) + math.floor((153 * (m - 3) + 2) / 5) + d - 719469
  local sign, zh, zm = string.match(zone, '^([+-])(%d%d):?(%d%d)')
  local offset = sign and (zh * 3600 + zm * 60) * (sign == '-' and -1 or 1) or 0
  return days * 86400 + hour * 3600 + min * 60 + (tonumber(sec) or 0) - offset
end

local function clock_text()  -- of now, as 2026-01-31T10:20:30.500Z
  local days, z = math.floor(now / 86400000), nil
  z = days + 719468
  local era = math.floor(z / 146097)
  local doe = z - era * 146097
  local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
  local mp = math.floor((5 * doy + 2) / 153)
  local month = mp < 10 and mp + 3 or mp - 9
  local ms = now - days * 86400000
  return string.format('%04d-%02d-%02dT%02d:%02d:%02d.%03dZ', yoe + era * 400 + (month <= 2 and 1 or 0), month,
    doy - math.floor((153 * mp + 2) / 5) + 1, math.floor(ms / 3600000), math.floor(ms / 60000) % 60, math.floor(ms / 1000) % 60, ms % 1000)
end

local function state_of(lane)
  local ok, state = pcall(cjson.decode, redis.call('GET', lane .. ':state') or '{}')
  return ok and type(state) == 'table' and state or {}
end
local function state_is_locked(lane) return redis.call('EXISTS', lane .. ':state:lock') == 1 end
local function set_consumer(lane, state, status)
  state.consumer_status, state.consumer_status_at = status, clock_text()
  for _, name in ipairs({'handler_turn_id', 'handler_status', 'handler_status_at', 'last_processed_reactive_event_timestamp',
    'last_processed_event_timestamp', 'last_processed_event_id'}) do
    if state[name] == nil then state[name] = '' end
  end
  local names, members = {}, {}
  for name in pairs(state) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do
    local v = state[name]
    members[i] = cjson.encode(name) .. ': ' .. (type(v) == 'number' and string.format('%.17g', v) or cjson.encode(v))
  end
  redis.call('SET', lane .. ':state', '{' .. table.concat(members, ', ') .. '}', 'EX', 604800)
end

-- What is to be done with a wake-up: 'run', 'ignored' and why, or 'later' and in how many ms.
local function resolve(lane, record_text)
  local record = cjson.decode(record_text)
  if not null(record.consumed_at) then return 'ignored', 'event_already_consumed' end
  if not null(record.promoted_at) then return 'ignored', 'event_already_promoted' end
  if not null(record.failed_at) then return 'ignored', 'event_failed' end
  local event = part(part(record, 'payload'), 'event')
  if event.type == 'event.user.steer' then return 'ignored', 'active_turn_control_not_promotable' end
  if state_is_locked(lane) then return 'later', 20 end
  local state = state_of(lane)
  local at, processed = epoch(event.timestamp) or epoch(event.ts) or epoch(record.created_at),
    epoch(state.last_processed_reactive_event_timestamp)
  if at and processed and at <= processed then return 'ignored', 'wake_already_processed' end
  if state.consumer_status == 'scheduled' or state.consumer_status == 'active' then
    -- It is about to be handled, so it is looked at again rather than dropped: its consumer may have died.
    local left = (epoch(state.consumer_status_at) or 0) * 1000 + fresh - now
    if left >= 0 then return 'later', math.min(left + 1, 1000) end
  end
  set_consumer(lane, state, 'scheduled')
  return 'run'
end

-- Nobody handles the lane any more, so its next event may be handled. False: the state is another's just now.
local function stop_consumer(lane, turn)
  if state_is_locked(lane) then return false end
  local state = state_of(lane)
  if null(state.consumer_status) or state.consumer_status == 'none' then return true end
  if null(state.handler_turn_id) or state.handler_turn_id == turn then set_consumer(lane, state, 'none') end
  return true
end

-- Where the members of the JSON object stand that begins at `at`: name -> {from, to}. Its text is known to be JSON. So a
-- record keeps its bytes, but for what is changed in it: cjson would turn [] into {} and round numbers.
local function string_end(s, at)
  while true do
    at = string.find(s, '["\\]', at + 1)
    if string.byte(s, at) == 34 then return at end
    at = at + 1
  end
end
local function value_end(s, at)
  local c = string.byte(s, at)
  if c == 34 then return string_end(s, at) end
  if c ~= 123 and c ~= 91 then return string.find(s, '[,}%]%s]', at) - 1 end
  local depth = 1
  while depth > 0 do
    at = string.find(s, '["{}%[%]]', at + 1)
    c = string.byte(s, at)
    if c == 34 then
      at = string_end(s, at)
    else
      depth = depth + ((c == 123 or c == 91) and 1 or -1)
    end
  end
  return at
end
local function members(s, at)
  local found, i = {}, at
  while true do
    i = string.find(s, '["}]', i + 1)
    if string.byte(s, i) == 125 then return found, i end
    local name_end = string_end(s, i)
    local from = string.find(s, '[^%s:]', name_end + 1)
    local to = value_end(s, from)
    found[string.sub(s, i + 1, name_end - 1)] = {from, to}
    i = to
  end
end
local function with_member(s, name, value)
  local all, last = members(s, string.find(s, '{', 1, true))
  local place = all[name]
  if place then return string.sub(s, 1, place[1] - 1) .. value .. string.sub(s, place[2] + 1) end
  return string.sub(s, 1, last - 1) .. (next(all) and ', ' or '') .. '"' .. name .. '": ' .. value .. string.sub(s, last)
end

local function record_of(lane, id)
  local kept = redis.call('GET', lane .. ':event:' .. id)
  local ok, record = pcall(cjson.decode, kept or '')
  if ok and type(record) == 'table' then return record, kept end
end
local function is_open(record) return null(record.consumed_at) and null(record.promoted_at) and null(record.failed_at) end
local function is_reactive(record)
  return part(part(record, 'payload'), 'event').reactive == true or part(part(record, 'task_payload'), 'event').reactive == true
end
local function consume(lane, id, entry, turn)
  local record, kept = record_of(lane, id)
  if record and is_open(record) then
    kept = with_member(kept, 'consumed_at', string.format('%d.%06d', time[1], time[2]))
    redis.call('SET', lane .. ':event:' .. id, with_member(kept, 'consumed_by_turn_id', cjson.encode(turn)))
  end
  if entry then redis.pcall('XACK', lane, promoters, entry) end
end

-- The entry of the event in the stream, and those of later events, the newest first.
local function find_entry(lane, id)
  local later, last = {}, '+'
  for _ = 1, 20 do
    local entries = redis.call('XREVRANGE', lane, last, '-', 'COUNT', 100)
    for _, entry in ipairs(entries) do
      if entry[2][2] == id then return entry[1], later end
      later[#later + 1] = {entry[1], entry[2][2]}
      last = '(' .. entry[1]
    end
    if #entries < 100 then break end
  end
  return nil, later
end

-- The event was worked: so it and those before it that wake nobody are marked.
local function consume_event(e)
  local entry = find_entry(e.k, e.m)
  consume(e.k, e.m, entry, e.t)
  if not entry then return end
  for _, before in ipairs(redis.call('XREVRANGE', e.k, '(' .. entry, '-', 'COUNT', 50)) do
    local record = record_of(e.k, before[2][2])
    if record and not is_open(record) then return end
    if record and not is_reactive(record) then consume(e.k, before[2][2], before[1], e.t) end
  end
end

-- A wake-up for an event of the lane, as JSON; nothing where its record has no task.
local function wake_up(e, id, entry, record, kept)
  local at = members(kept, string.find(kept, '{', 1, true)).task_payload
  if not at or string.byte(kept, at[1]) ~= 123 then return nil end
  local task = members(kept, at[1])
  local function raw(name, otherwise) return task[name] and string.sub(kept, unpack(task[name])) or otherwise end
  local hex = redis.sha1hex(e.k .. id .. whole(now) .. time[2])
  local uuid = string.gsub(hex, '^(%x%x%x%x%x%x%x%x)(%x%x%x%x).(%x%x%x).(%x%x%x)(%x%x%x%x%x%x%x%x%x%x%x%x).*$', '%1-%2-4%3-a%4-%5')
  local function name(v) return null(v) and 'null' or cjson.encode(v) end
  return '{"kind": "external_event_lane_wakeup", "meta": {"task_id": "' .. uuid .. '", "created_at": ' ..
    string.format('%d.%06d', time[1], time[2]) .. ', "instance_id": null}, "routing": ' .. raw('routing', '{}') .. ', "actor": ' ..
    raw('actor', '{}') .. ', "user": ' .. raw('user', '{}') .. ', "event_lane": {"tenant": ' .. name(e.n[1]) .. ', "project": ' ..
    name(e.n[2]) .. ', "user_id": ' .. name(e.n[3]) .. ', "conversation_id": ' .. name(e.n[4]) .. ', "agent_id": ' ..
    name(e.n[5]) .. ', "event_id": ' .. cjson.encode(id) .. ', "sequence": ' ..
    (type(record.sequence) == 'number' and whole(record.sequence) or 'null') .. ', "stream_id": ' .. cjson.encode(entry) ..
    '}, "config": ' .. raw('config', 'null') .. ', "accounting": ' .. raw('accounting', 'null') .. ', "continuation": ' ..
    raw('continuation', 'null') .. ', "event": null, "bundle_call_context": ' .. raw('bundle_call_context', '{}') ..
    ', "reason": "run_to_completion_handoff"}'
end

-- The next events may be handled: those that came later and were not handled are woken anew, unless their wake-ups wait here,
-- the eldest first; at most 200 at once. False: the state is another's just now.
local function finish_lane(e, lane_of_queue, conversation)
  if state_is_locked(e.k) then return false end
  local status, record = state_of(e.k).consumer_status, record_of(e.k, e.m)
  if (null(status) or status == 'none') and record and not is_open(record) then return true end  -- others have done it
  stop_consumer(e.k, e.t)
  local entry, later = find_entry(e.k, e.m)
  if not entry then return true end
  local waits = table.concat(redis.call('LRANGE', own('parked:' .. conversation), 0, 99))
  for i = math.max(1, #later - 199), #later do
    local id = later[i][2]
    local record, kept = record_of(e.k, id)
    if record and is_open(record) and is_reactive(record) and not string.find(waits, cjson.encode(id), 1, true) then
      local element = wake_up(e, id, later[i][1], record, kept)
      if element then back_to_ready(lane_of_queue, element, conversation) end
    end
  end
  return true
end

-- What is to be done for the lane when its message is settled; what the state's lock does not allow yet is done in a moment, by
-- whoever claims or promotes next. on: later events follow; else the same one will be worked again.
local function settle_lane(h, on)
  if not h.e then return end
  local done
  if on then done = finish_lane(h.e, h.l, h.g) else done = stop_consumer(h.e.k, h.e.t) end
  if not done then
    redis.call('ZADD', own('finals'), whole(now + 20), cjson.encode({e = h.e, l = h.l, g = h.g, on = on}))
  end
end
local function settle_lanes(most)
  for _, final in ipairs(redis.call('ZRANGEBYSCORE', own('finals'), '-inf', whole(now), 'LIMIT', 0, most)) do
    redis.call('ZREM', own('finals'), final)
    local h = cjson.decode(final)
    settle_lane(h, h.on)
    redis.call('ZADD', waiting, 'XX', whole(now), h.g)
  end
end
