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
