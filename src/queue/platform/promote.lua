-- Makes messages ready whose time has come, or whose lock is free: they are the next ones of their lanes.
--   KEYS   see shared.lua
--   ARGV   most messages and bytes of one call, most locks to look at
--   reply  how many, ms until the next one is due or -1
-- Before: any state. After: of the messages looked at, those that are due stand in their ready lists.
--include shared
--include lane
--include record
--include look
local bytes_left, moved = tonumber(ARGV[2]), {}
redis.call('HDEL', holders, '')  -- a write that needs no memory, first: then a full server (OOM) allows the others too
local due = redis.call('ZRANGEBYSCORE', delayed, '-inf', whole(now), 'LIMIT', 0, tonumber(ARGV[1]))
for _, number in ipairs(due) do
  if bytes_left <= 0 then break end
  local kept = redis.call('HGET', delayed_items, number)
  moved[#moved + 1] = {number, kept}
  bytes_left = bytes_left - #(kept or '')
end
for i = #moved, 1, -1 do  -- the one due first is claimed first
  local number, kept = unpack(moved[i])
  if kept then
    local lane, element = from_aside(kept)
    redis.call('RPUSH', ready(lane), element)
  end
  redis.call('ZREM', delayed, number)
  redis.call('HDEL', delayed_items, number)
end
local count = #moved + look_around(tonumber(ARGV[3]))
local next_due = -1
for _, key in ipairs({delayed, own('finals')}) do
  local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  if first[2] then
    local wait = math.max(0, tonumber(first[2]) - now)
    next_due = next_due < 0 and wait or math.min(next_due, wait)
  end
end
return {count, next_due}
