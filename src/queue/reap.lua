-- Brings back what dead consumers held: messages in flight whose lease has ended go back to the ready list.
--   KEYS   ready, inflight, leases, attempts, holders
--   ARGV   wake channel, lease in ms, cursor of the last reply or 0, elements and bytes to look at in one call at most
--   reply  how many went back, how many got their first lease, cursor to go on with or 0 at the end of the list
-- Before: any state. After: of the elements looked at, none has an ended lease, and each has a lease: one that had none,
-- because other hands moved it, gets one and so comes back later. Leases of messages that are not in flight any more go.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ended = string.format('%.0f', now)
if redis.call('ZCOUNT', KEYS[3], '-inf', ended) == 0 and redis.call('LLEN', KEYS[2]) <= redis.call('ZCARD', KEYS[3]) then
  return {0, 0, 0}
end
redis.call('HDEL', KEYS[5], '')  -- a write that needs no memory, first: then a full server (OOM) allows the others too

local function id_of(element)  -- as in claim.lua
  return string.match(string.sub(element, 1, 129), '^([^%c]+)\n') or redis.sha1hex(element)
end

-- From the right, where the oldest stand; in small steps, because bodies may be large.
local step, start = 16, tonumber(ARGV[3])
local at, bytes, leased, finished = start, 0, 0, false
local back = {}
while not finished and at < start + ARGV[4] and bytes < tonumber(ARGV[5]) do
  local elements = redis.call('LRANGE', KEYS[2], -at - step, -at - 1)
  for i = #elements, 1, -1 do
    local id = id_of(elements[i])
    local deadline = redis.call('ZSCORE', KEYS[3], id)
    if not deadline then
      redis.call('ZADD', KEYS[3], string.format('%.0f', now + ARGV[2]), id)
      leased = leased + 1
    elseif tonumber(deadline) <= now then
      back[#back + 1] = {id, elements[i]}
    end
    bytes = bytes + #elements[i]
  end
  at = at + #elements
  finished = #elements < step
end

-- The newest goes back first, so that the oldest is the next to be claimed.
local was_empty = redis.call('LLEN', KEYS[1]) == 0
for i = #back, 1, -1 do
  redis.call('RPUSH', KEYS[1], back[i][2])
  redis.call('LREM', KEYS[2], -1, back[i][2])
  redis.call('ZREM', KEYS[3], back[i][1])
  redis.call('HDEL', KEYS[5], back[i][1])
end
if #back > 0 and was_empty then redis.pcall('PUBLISH', ARGV[1], '') end

-- Seen whole, the list holds none of the messages whose lease still stands ended.
if finished and start == 0 then
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', ended)) do
    redis.call('ZREM', KEYS[3], id)
    redis.call('HDEL', KEYS[4], id)
    redis.call('HDEL', KEYS[5], id)
  end
end
return {#back, leased, finished and 0 or at - #back}
