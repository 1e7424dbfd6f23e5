-- Puts groups of messages, each group whole or not at all, with the checks of the platform's own producers, in their order.
--   KEYS   see shared.lua
--   ARGV   window of idempotency keys in ms, most messages of the queue or 0, capacity of the fleet or '' for no admission, then
--          for each lane "<how many messages the queue may hold>:<which limit that is>", then for each group: number of its
--          messages, then of each: id, lane, idempotency key, due ('', "+<ms from now>" or "<server's ms>"), element, number of
--          its events, and where that is not 0 their lane, then of each: id, record
--   reply  length of the ready lists, then for each group 1, or {1, index from 1, id of the first time, ...} where keys were
--          known, or {0, reason, messages of the queue}
-- Before: any state. After: the messages of a group that was put stand at the left ends of their ready lists, or are delayed, and
-- their events in their lanes. Of a group that was refused nothing is left, but that a lane may be there without an entry.
--include shared
local window, most, capacity = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local limits = {'hard_limit_exceeded', 'paid_threshold_exceeded', 'registered_threshold_exceeded', 'anonymous_threshold_exceeded'}

local total = 0
for lane = 1, lanes do
  total = total + redis.call('LLEN', ready(lane)) + redis.call('LLEN', inflight(lane)) +
    (tonumber(redis.call('GET', KEYS[16 + lane])) or 0)
end

local function refusal(lane)
  if capacity and capacity <= 0 then return 'no_healthy_processes' end
  if most > 0 and total >= most then return 'queue_size_exceeded' end
  local limit, which = string.match(ARGV[3 + lane], '^(%d+):(%d)$')
  if capacity and total >= tonumber(limit) then return limits[tonumber(which)] end
end

local undo = {}  -- what takes back what was written of a group, in order
local function try(...)
  local r = redis.pcall(...)
  if type(r) == 'table' and r.err then return nil end
  return r or true
end
local function undone(...)
  local command = {...}
  undo[#undo + 1] = function() redis.pcall(unpack(command)) end
end

local function put_events(events)
  for i = 2, #events, 2 do
    local id, record = events[i], events[i + 1]
    if id == '' or record == '' then return 'invalid_lane_event_records' end
    local entry = try('XADD', events[1], '*', 'message_id', id)
    if not entry then return 'lane_stream_write_failed' end
    undone('XDEL', events[1], entry)
    if not try('SET', events[1] .. ':event:' .. id, record) then return 'lane_event_write_failed' end
    undone('DEL', events[1] .. ':event:' .. id)
  end
end

local function delay(item)
  local due = string.sub(item.due, 1, 1) == '+' and now + tonumber(string.sub(item.due, 2)) or tonumber(item.due)
  local ok, number = pcall(new_token)
  if not ok or not try('HSET', delayed_items, number, aside(item.lane, item.element)) then return 'queue_push_failed' end
  undone('HDEL', delayed_items, number)
  if not try('ZADD', delayed, whole(due), number) then return 'queue_push_failed' end
  undone('ZREM', delayed, number)
end

-- Nothing when it was put, or why it was not.
local function put(item)
  if item.key ~= '' then
    if not try('SET', own('idem:' .. item.key), item.id, 'NX', 'PX', window) then return 'queue_push_failed' end
    undone('DEL', own('idem:' .. item.key))
  end
  local why = put_events(item.events)
  if why then return why end
  if item.due ~= '' then return delay(item) end
  if not try('LPUSH', ready(item.lane), item.element) then return 'queue_push_failed' end
  undone('LREM', ready(item.lane), 1, item.element)
  if not try('INCR', KEYS[16]) then return 'capacity_counter_failed' end
  undone('DECR', KEYS[16])
  try('EXPIRE', KEYS[16], 300)
end

local function read_group(at)
  local items, count = {}, tonumber(ARGV[at])
  at = at + 1
  for i = 1, count do
    local id, lane, key, due, element, events = unpack(ARGV, at, at + 5)
    local last = at + 5 + (events ~= '0' and 1 + 2 * events or 0)
    items[i] = {id = id, lane = tonumber(lane), key = key, due = due, element = element, events = {unpack(ARGV, at + 6, last)}}
    at = last + 1
  end
  return items, at
end

local function put_group(items)
  local before, outcome, refused, depth = total, {1}, nil, nil
  undo = {}
  for i, item in ipairs(items) do
    local known = item.key ~= '' and redis.call('GET', own('idem:' .. item.key))
    if known then
      outcome[#outcome + 1], outcome[#outcome + 2] = i, known
    else
      refused = refusal(item.lane) or put(item)
      if refused then break end
      if item.due == '' then total = total + 1 end
    end
  end
  if not refused then return #outcome > 1 and outcome or 1 end
  depth, total = total, before
  for i = #undo, 1, -1 do undo[i]() end
  return {0, refused, depth}
end

local reply, at = {0}, 4 + lanes
while at <= #ARGV do
  local items
  items, at = read_group(at)
  reply[#reply + 1] = put_group(items)
end
for lane = 1, lanes do reply[1] = reply[1] + redis.call('LLEN', ready(lane)) end
return reply
