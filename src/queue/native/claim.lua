-- Claims messages: takes them from the ready lists' right ends, leases them, counts the attempt.
--   KEYS   see start.lua
--   ARGV   how many at most, lease in ms, name of this claim, bytes from which on no further message is added, then lanes in
--          the order of their turns, each with how many to take of it before the next one's turn
--   reply  length of the ready lists afterwards, how many were claimed, token of the first, "index:attempt:lane;" of each one
--          that is not of the first lane and claimed the first time, 0 when groups were not looked at; each one's token is the
--          next number. The elements are in the list of the claim, to be read from there: a string that passes through here is
--          hashed in full. That of a single plain message is told too
-- Before: any state. After: each message claimed is in flight under a token of its own, greater than all before, and the claim
-- has a lease that ends a lease time from now by the server's clock. A message whose group runs is parked behind others of
-- its group.
--include start
--include clock
local most, deadline, name, bytes_left = tonumber(ARGV[1]), whole(now + ARGV[2]), ARGV[3], tonumber(ARGV[4])
local list = list_of(name)

local looking = redis.call('EXISTS', base .. ':attempts', base .. ':grouped', recalled(name)) > 0
if looking and redis.call('EXISTS', recalled(name)) == 1 then return {0, 0, 0, ''} end
local length = lanes == 1 and not looking and redis.call('LLEN', KEYS[2])
if length == 0 then return {0, 0, 0, ''} end
local micros = time[1] * 1000000 + time[2]

-- The last token is mostly below the clock: then one command reads and writes it. Returns the first of so many.
local function take_tokens(count)
  local last = tonumber(redis.call('SET', last_token, whole(micros + count), 'GET') or 0)
  if last > micros then keep_token(last + count) end
  return math.max(last, micros) + 1
end

-- One plain message, for a consumer that waits: as little as can be, for the script is not in the processor's caches then.
if length == 1 or length and most == 1 then
  local element = redis.pcall('LMOVE', KEYS[2], list, 'RIGHT', 'LEFT')
  if type(element) == 'string' then
    local first = take_tokens(1)
    redis.call('HSET', holders, name, whole(first) .. (#element > 65536 and ' 1 1 1 1 ' or ' 1 1 1 0 '))
    redis.call('ZADD', leases, deadline, name)
    redis.call('INCRBY', inflight, '1')
    return {length - 1, 1, first, '', 0, element}
  end
end

-- Numbers are given as strings, for Redis writes others out to 17 digits first.
local function hold(first, count, left, large, main, others, told, seen)
  local n = whole(count)
  redis.call('HSET', holders, name, table.concat({whole(first), n, n, main, large, others}, ' '))
  redis.call('ZADD', leases, deadline, name)
  redis.call('INCRBY', inflight, n)
  return {left, count, first, told, seen}
end

-- Without a look at the messages, where none is of a group, was tried before, or may be too long. As few commands as can be,
-- and no function or name that only the other way needs: this is most of what a claim costs. Where a command fails, because
-- the server is full (OOM) or forbids it (SORT counts as dangerous), nothing was changed, and the other way is gone.
local function take_unseen(from, count)
  local n = whole(count)
  local ends = #redis.call('LINDEX', from, '-1') + #redis.call('LINDEX', from, '-' .. n)
  if ends / 2 * count > bytes_left then return end
  -- SORT without sorting copies the right end of a list to another one.
  if redis.pcall('SORT', from, 'BY', 'nosort', 'DESC', 'LIMIT', '0', n, 'STORE', list) ~= count then return end
  local bytes = redis.call('MEMORY', 'USAGE', list, 'SAMPLES', '0')
  if bytes <= bytes_left then
    redis.call('LTRIM', from, '0', '-' .. whole(count + 1))
    return bytes
  end
  redis.call('UNLINK', list)
end

local plain = length and math.min(most, length) or 1
if plain > 1 then
  local bytes = take_unseen(KEYS[2], plain)
  if bytes then return hold(take_tokens(plain), plain, length - plain, bytes > 65536 and '1' or '0', '1', '', '', 0) end
end

--include shared
local first, count = next_token(), 0
local counted, parks_left, bytes = redis.call('EXISTS', attempts) == 1, 1000, 0
local items, ids, lane_of, group_of, running = {}, {}, {}, {}, {}  -- items, ids, lane_of: by index

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
  if group and group ~= '' then
    if running[group] or redis.call('HEXISTS', groups, group) == 1 then return park(group, lane, element) end
    running[group] = true
    redis.call('HSET', groups, group, whole(first + count))
  end
  count = count + 1
  items[count], ids[count], lane_of[count], group_of[count] = element, id, lane, group or ''
  bytes = bytes + #element
  return true
end

local function take(lane, quota)
  while quota > 0 and count < most and bytes < bytes_left and parks_left > 0 do
    local elements = redis.call('RPOP', ready(lane), math.min(quota, most - count))
    if not elements then return end
    for i = 1, #elements do
      if bytes >= bytes_left then
        for j = #elements, i, -1 do redis.call('RPUSH', ready(lane), elements[j]) end
        return
      end
      if admit(lane, elements[i]) then quota = quota - 1 end
    end
  end
end

for i = 5, #ARGV, 2 do take(tonumber(ARGV[i]), tonumber(ARGV[i + 1])) end
for i = 5, #ARGV, 2 do take(tonumber(ARGV[i]), most) end
local left = 0
for lane = 1, lanes do left = left + redis.call('LLEN', ready(lane)) end
if count == 0 then return {left, 0, 0, ''} end

local before, others, told, main = counted and redis.call('HMGET', attempts, unpack(ids)) or {}, {}, {}, lane_of[1]
for i = 1, count do
  local attempt, lane = tonumber(before[i] or 0) + 1, lane_of[i]
  if attempt > 1 or lane ~= main or group_of[i] ~= '' then
    others[#others + 1] = '\n' .. (i - 1) .. ' ' .. attempt .. ' ' .. lane .. ' ' .. group_of[i]
  end
  if attempt > 1 or lane > 1 then told[#told + 1] = i .. ':' .. attempt .. ':' .. lane .. ';' end
end
redis.call('RPUSH', list, unpack(items))
keep_token(first + count - 1)
return hold(first, count, left, bytes > 65536 and '1' or '0', whole(main), table.concat(others), table.concat(told), 1)
