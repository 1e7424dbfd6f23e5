-- Claims messages: takes them from the ready lists' right ends, leases them, counts the attempt.
--   KEYS   see shared.lua
--   ARGV   how many at most, lease in ms, name of this claim, bytes from which on no further message is added, then lanes in
--          the order of their turns, each with how many to take of it before the next one's turn
--   reply  length of the ready lists afterwards, then for each message: element, attempt, token, lane
-- Before: any state. After: each message claimed is in flight under a token of its own, greater than all before, with a lease
-- that ends a lease time from now by the server's clock. A message whose group runs is parked behind others of its group.
--include shared
local most, deadline, claim, bytes_left = tonumber(ARGV[1]), whole(now + ARGV[2]), ARGV[3], tonumber(ARGV[4])
local counted = redis.call('EXISTS', attempts) == 1
local taken, running = {}, {}  -- elements; by index, what is known beside them
local parks_left = 1000

-- Whether there are two units before the line's end. Plain searches: this is done for every message.
local function has_group(element)
  local at = string.find(element, '\31', 1, true)
  local second = at and string.find(element, '\31', at + 1, true)
  return second and second < (string.find(element, '\n', at, true) or 0)
end

-- True when the element is to be claimed.
local function admit(lane, element)
  local id, _, group
  if counted or has_group(element) then id, _, group = head_of(element) end
  if group and group ~= '' then
    if running[group] or redis.call('HEXISTS', groups, group) == 1 then
      redis.call('RPUSH', base .. ':parked:' .. group, aside(lane, element))
      redis.call('INCR', parked)
      parks_left = parks_left - 1
      return false
    end
    running[group] = #taken + 1
  end
  taken[#taken + 1] = {element, lane, id, group or ''}
  bytes_left = bytes_left - #element
  return true
end

local function take(lane, quota)
  while quota > 0 and #taken < most and bytes_left > 0 and parks_left > 0 do
    local elements = redis.call('RPOP', ready(lane), math.min(quota, most - #taken))
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

local reply = {0}
if #taken > 0 then
  local ids, before = {}, nil
  if counted then
    for i, each in ipairs(taken) do ids[i] = each[3] end
    before = redis.call('HMGET', attempts, unpack(ids))
  end
  local first = new_tokens(#taken)
  local items, ends, who, plain = {}, {}, {}, {}
  for lane = 1, lanes do plain[lane] = '1:' .. lane .. ':' .. claim .. ':' end
  for i, each in ipairs(taken) do
    local token = whole(first + i - 1)
    local attempt = before and tonumber(before[i] or 0) + 1 or 1
    local holder = plain[each[2]]
    if attempt > 1 or each[4] ~= '' then holder = attempt .. ':' .. each[2] .. ':' .. claim .. ':' .. each[4] end
    items[2 * i - 1], items[2 * i] = token, each[1]
    ends[2 * i - 1], ends[2 * i] = deadline, token
    who[2 * i - 1], who[2 * i] = token, holder
    if each[4] ~= '' then redis.call('HSET', groups, each[4], token) end
    local at = 4 * i - 2
    reply[at], reply[at + 1], reply[at + 2], reply[at + 3] = each[1], attempt, token, each[2]
  end
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
