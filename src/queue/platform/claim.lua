-- Claims messages: takes them from the ready lists' right ends, leases them, counts the attempt.
--   KEYS   see shared.lua
--   ARGV   how many at most, lease in ms, name of this claim, bytes from which on no further message is added, most in flight of
--          a lane, "<instance>:<pid>", ms for which a message that was handed out is marked as started or 0, then lanes in the
--          order of their turns, each with how many to take of it before the next one's turn
--   reply  length of the ready lists afterwards, 1 where something is left although nothing more may be claimed just now, then
--          for each message: element, id, attempt, token, lane, conversation, ms when it was made, record of its event, why it
--          is not to be worked
-- Before: any state. After: each message claimed is in flight, its lock and that of its conversation are set for the time of
-- the lease, and its token is greater than all before. A message whose lock or conversation another has is parked until it is
-- free; one that cannot be read is dead.
--include shared
--include lane
--include record
--include look
local most, lease, claim, bytes_left = tonumber(ARGV[1]), ARGV[2], ARGV[3], tonumber(ARGV[4])
local bound, who, marked = tonumber(ARGV[5]), ARGV[6], tonumber(ARGV[7])
local reply, taken, looks_left, full = {0, 0}, 0, 4 * most + 64, false

redis.call('HDEL', holders, '')  -- a write that needs no memory, first: then a full server (OOM) allows the others too
look_around(8)
local counted = redis.call('EXISTS', attempts) == 1

local function started(id, item)
  local routing, actor = part(item, 'routing'), part(item, 'actor')
  local function member(name, value) return '"' .. name .. '": ' .. (value and cjson.encode(value) or 'null') end
  return '{' .. table.concat({member('task_id', id),
    member('request_id', text(part(part(item, 'accounting'), 'envelope').request_id) or id),
    '"started_at": ' .. string.format('%d.%06d', time[1], time[2]),
    member('tenant', text(actor.tenant_id) or KEYS[14]), member('project', text(actor.project_id) or KEYS[15]),
    member('conversation_id', text(routing.conversation_id)), member('turn_id', text(routing.turn_id)),
    member('session_id', text(routing.session_id)), member('by_instance', who)}, ', ') .. '}'
end

-- Leases it. False: it was parked once more.
local function hold(lane, element, item, id, conversation, group)
  local what, more, event, record = 'run', nil, nil, ''
  if is_wake(item) then
    event, record = event_of(item)
    if not event then error('the record of its event is missing', 0) end
    what, more = resolve(event.k, record)
  end
  if what == 'later' then
    if group == '' then error('it wakes no conversation', 0) end
    park(group, lane, element, true, now + more)
    full = full or more <= 50
    return false
  end
  local value, token = who .. ':' .. id, new_token(most - taken)
  if redis.call('HSETNX', tasks, id, token) == 0 then  -- of a claim whose lease other hands have ended
    local before = redis.call('HGET', tasks, id)
    local h = holder_of(before)
    if h then lose(before, h) end
    redis.call('HSET', tasks, id, token)
  end
  redis.call('SET', lock .. id, value, 'PX', lease)
  if group ~= '' then redis.call('SET', lock .. group, value, 'PX', lease) end
  if marked > 0 then redis.call('SET', lock .. 'started:' .. id, started(id, item), 'PX', marked) end
  local attempt = (counted and tonumber(redis.call('HGET', attempts, id)) or 0) + 1
  redis.call('HSET', holders, token, cjson.encode({a = attempt, l = lane, c = claim, i = id, w = value, g = group,
    s = marked > 0 or nil, e = what == 'run' and event or nil}))
  local made = tonumber(part(item, 'meta').created_at) or 0
  for _, v in ipairs({element, id, attempt, token, lane, conversation, whole(made * 1000), record, what == 'ignored' and more or ''}) do
    reply[#reply + 1] = v
  end
  taken, bytes_left = taken + 1, bytes_left - #element - #record
  return true
end

-- True when it stays in flight.
local function admit(lane, element)
  local item, id = read(element)
  if not item then error(id, 0) end
  local conversation, group = conversation_of(item)
  local busy = redis.call('EXISTS', lock .. id, lock .. (group == '' and id or group)) > 0
  if busy and redis.call('EXISTS', lock .. id) == 1 then
    park(id, lane, element)
    return false
  end
  if group ~= '' and (busy or (anything_parked() and redis.call('HDEL', woken, group) == 0 and is_waited_for(group))) then
    park(group, lane, element)
    if not busy then wake(group) end  -- the one that waits longest goes first
    return false
  end
  return hold(lane, element, item, id, conversation, group)
end

local function take(lane, quota)
  local from, flying = taken, redis.call('LLEN', inflight(lane))
  while taken - from < quota and taken < most and bytes_left > 0 and looks_left > 0 do
    if flying >= bound then
      full = full or redis.call('EXISTS', ready(lane)) == 1
      return
    end
    local element = redis.call('LMOVE', ready(lane), inflight(lane), 'RIGHT', 'LEFT')
    if not element then return end
    looks_left = looks_left - 1
    local ok, stays = pcall(admit, lane, element)
    if not ok then
      local why = type(stays) == 'table' and stays.err or tostring(stays)
      bury(new_token(), redis.sha1hex(element), 0, lane, element, 'it cannot be worked: ' .. why)
    end
    if ok and stays then
      flying = flying + 1
    else
      redis.call('LREM', inflight(lane), 1, element)
    end
  end
end

for i = 8, #ARGV, 2 do take(tonumber(ARGV[i]), tonumber(ARGV[i + 1])) end
for i = 8, #ARGV, 2 do take(tonumber(ARGV[i]), most) end
for lane = 1, lanes do reply[1] = reply[1] + redis.call('LLEN', ready(lane)) end
if taken < most and (full or looks_left <= 0) then reply[2] = 1 end
return reply
