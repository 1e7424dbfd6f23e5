-- Puts groups of messages, each group whole or not at all. The first message of a lane is claimed first.
--   KEYS   see start.lua
--   ARGV   window of idempotency keys in ms, most messages ready and in flight or 0, capacity of the fleet or '' for no
--          admission, then for each lane how many messages may be ready and in flight, then for each group: number of its
--          messages, then of each: head, body. A head is the id, or id US lane US group US idempotency key US due, where
--          due is '' or "+<ms from now>" or "<server's ms>", or '' where the body is an element of the first lane and of no
--          group, head and all: each string that is made here is hashed in full, so that one more for each message costs as
--          much as its push
--   reply  length of the ready lists, the server's clock in ms, then for each group 1, or {1, index from 1, id of the first time,
--          ...} where keys were known, or {0, reason, messages ready and in flight}
-- Before: any state. After: the messages of a group that was put stand at the left ends of their ready lists, or are delayed.
--include start
--include clock
--include shared
local window, most, capacity = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local admitting = capacity ~= nil or most > 0
local stamp = '\31' .. whole(now)

local function lengths()
  local sum = 0
  for lane = 1, lanes do sum = sum + redis.call('LLEN', ready(lane)) end
  return sum
end
local held = admitting and lengths() + tonumber(redis.call('GET', inflight) or 0) or 0

local function read_head(head)
  if head == '' then return nil, 1, '', '', '' end
  if not string.find(head, '\31', 1, true) then return head, 1, '', '', '' end
  local id, lane, group, key, due = string.match(head, '^([^\31]*)\31([^\31]*)\31([^\31]*)\31([^\31]*)\31([^\31]*)$')
  return id, tonumber(lane), group, key, due
end

local limits = {'hard_limit_exceeded', 'paid_threshold_exceeded', 'registered_threshold_exceeded', 'anonymous_threshold_exceeded'}
local reason_of = {}
for lane = 1, lanes do
  local limit, which = string.match(ARGV[3 + lane], '^(%d+):(%d)$')
  reason_of[lane] = {tonumber(limit), limits[tonumber(which)]}
end
local function refusal(lane)
  if capacity and capacity <= 0 then return 'no_healthy_processes' end
  if most > 0 and held >= most then return 'queue_size_exceeded' end
  if capacity and held >= reason_of[lane][1] then return reason_of[lane][2] end
end

local heads = {}  -- by lane: elements to be pushed
local function push(lane)
  local elements = heads[lane]
  for first = 1, #elements, 1000 do
    redis.call('LPUSH', ready(lane), unpack(elements, first, math.min(first + 999, #elements)))
  end
end

local function put_aside(id, lane, group, due, body)
  due = string.sub(due, 1, 1) == '+' and now + tonumber(string.sub(due, 2)) or tonumber(due)
  local token = next_token()
  keep_token(token)
  local number = whole(token)
  local element = id .. stamp .. (group ~= '' and '\31' .. group or '') .. '\n' .. body
  redis.call('ZADD', delayed, whole(due), number)
  redis.call('HSET', delayed_items, number, aside(lane, element))
end

local groups_known = false
local function put_one(i)
  local id, lane, group, key, due = read_head(ARGV[i])
  if key ~= '' and not redis.call('SET', base .. ':idem:' .. key, id, 'NX', 'PX', window) then return end
  if admitting then held = held + 1 end
  if group ~= '' and not groups_known then
    redis.call('SET', grouped, 1)
    groups_known = true
  end
  if due ~= '' then return put_aside(id, lane, group, due, ARGV[i + 1]) end
  local elements = heads[lane]
  if not elements then
    elements = {}
    heads[lane] = elements
  end
  elements[#elements + 1] = not id and ARGV[i + 1] or id .. stamp .. (group ~= '' and '\31' .. group or '') .. '\n' .. ARGV[i + 1]
end

local reply, at = {0, now}, 4 + lanes
while at <= #ARGV do
  local first, last = at + 1, at + 2 * tonumber(ARGV[at])
  local outcome, refused, before, keys = 1, nil, held, {}
  for i = first, last, 2 do
    local id, lane, group, key = read_head(ARGV[i])
    local known = key ~= '' and (redis.call('GET', base .. ':idem:' .. key) or keys[key])
    if not known then keys[key] = id end
    if known then
      if outcome == 1 then outcome = {1} end
      outcome[#outcome + 1] = (i - first) / 2 + 1
      outcome[#outcome + 1] = known
    elseif admitting then
      refused = refusal(lane)
      if refused then break end
      held = held + 1
    end
  end
  local depth = held
  held = before
  if refused then
    reply[#reply + 1] = {0, refused, depth}
  else
    for i = first, last, 2 do put_one(i) end
    reply[#reply + 1] = outcome
  end
  at = last + 1
end
for lane in pairs(heads) do push(lane) end
reply[1] = lengths()
return reply
