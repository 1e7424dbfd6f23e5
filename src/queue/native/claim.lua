-- Claims messages: takes them from the ready lists' right ends, leases them, counts the attempt.
--   KEYS   see shared.lua
--   ARGV   how many at most, lease in ms, name of this claim, bytes from which on no further message is added, then lanes in
--          the order of their turns, each with how many to take of it before the next one's turn
--   reply  length of the ready lists afterwards, token of the first message claimed, "index:attempt:lane;" of each one that is
--          not of the first lane and claimed the first time, then the elements; each one's token is the next number
-- Before: any state. After: each message claimed is in flight under a token of its own, greater than all before, with a lease
-- that ends a lease time from now by the server's clock. A message whose group runs is parked behind others of its group.
--include shared
local most, deadline, claim, bytes_left = tonumber(ARGV[1]), whole(now + ARGV[2]), ARGV[3], tonumber(ARGV[4])
local counted = redis.call('EXISTS', attempts) == 1
local first, count, parks_left = next_token(), 0, 1000
local reply, items, ends, who = {0, first, ''}, {}, {}, {}
local ids, group_of, lane_of = {}, {}, {}  -- by index, where they are needed
local running, plain = {}, {}
for lane = 1, lanes do plain[lane] = '1:' .. lane .. ':' .. claim .. ':' end

-- Whether there are two units before the line's end. Plain searches: this is done for every message.
local function has_group(element)
  local at = string.find(element, '\31', 1, true)
  local second = at and string.find(element, '\31', at + 1, true)
  return second and second < (string.find(element, '\n', at, true) or 0)
end

local function park(group, lane, element)
  redis.call('RPUSH', base .. ':parked:' .. group, aside(lane, element))
  redis.call('INCR', parked)
  parks_left = parks_left - 1
end

-- True when the element is claimed.
local function admit(lane, element)
  local id, _, group
  if counted or has_group(element) then id, _, group = head_of(element) end
  local token = whole(first + count)
  if group and group ~= '' then
    if running[group] or redis.call('HEXISTS', groups, group) == 1 then return park(group, lane, element) end
    running[group] = true
    redis.call('HSET', groups, group, token)
  end
  count = count + 1
  local at = 2 * count
  items[at - 1], items[at] = token, element
  ends[at - 1], ends[at] = deadline, token
  who[at - 1], who[at] = token, plain[lane]
  if group and group ~= '' then
    who[at] = who[at] .. group
    group_of[count] = group
  end
  if counted or lanes > 1 then ids[count], lane_of[count] = id, lane end
  reply[3 + count] = element
  bytes_left = bytes_left - #element
  return true
end

local function take(lane, quota)
  while quota > 0 and count < most and bytes_left > 0 and parks_left > 0 do
    local elements = redis.call('RPOP', ready(lane), math.min(quota, most - count))
    if not elements then return end
    for i = 1, #elements do
      if bytes_left <= 0 then
        for j = #elements, i, -1 do redis.call('RPUSH', ready(lane), elements[j]) end
        return
      end
      if admit(lane, elements[i]) then quota = quota - 1 end
    end
  end
end

for i = 5, #ARGV, 2 do take(tonumber(ARGV[i]), tonumber(ARGV[i + 1])) end
for i = 5, #ARGV, 2 do take(tonumber(ARGV[i]), most) end

if count > 0 then
  local before = counted and redis.call('HMGET', attempts, unpack(ids)) or {}
  local others = {}
  for i = 1, (counted or lanes > 1) and count or 0 do
    local attempt, lane = tonumber(before[i] or 0) + 1, lane_of[i]
    if attempt > 1 then who[2 * i] = attempt .. ':' .. lane .. ':' .. claim .. ':' .. (group_of[i] or '') end
    if attempt > 1 or lane > 1 then others[#others + 1] = i .. ':' .. attempt .. ':' .. lane .. ';' end
  end
  reply[3] = table.concat(others)
  keep_token(first + count - 1)
  redis.call('HSET', inflight, unpack(items))
  if redis.call('EXISTS', leases) == 0 then
    -- Begun with a long member it is a skip list from the first: in a small set each ZADD looks at all that is there.
    local long = string.rep('-', 100)
    redis.call('ZADD', leases, deadline, long, unpack(ends))
    redis.call('ZREM', leases, long)
  else
    redis.call('ZADD', leases, unpack(ends))
  end
  redis.call('HSET', holders, unpack(who))
end
for lane = 1, lanes do reply[1] = reply[1] + redis.call('LLEN', ready(lane)) end
return reply
