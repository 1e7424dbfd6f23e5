-- Records of a lane's events, and what is done with them when a message is settled. Needs lane.lua.
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
-- whoever claims or promotes next. on: later events follow; else the same one will be worked again. Keys of another type, which
-- others have put there, do not keep the message from being settled.
local function settle_lane(h, on)
  if not h.e then return end
  local ok, done
  if on then
    ok, done = pcall(finish_lane, h.e, h.l, h.g)
  else
    ok, done = pcall(stop_consumer, h.e.k, h.e.t)
  end
  if ok and not done then
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
