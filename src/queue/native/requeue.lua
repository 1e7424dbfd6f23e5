-- Puts dead messages back on their ready lists, behind all that is there, their attempts forgotten.
--   KEYS   see start.lua
--   ARGV   most messages of one call, then numbers of messages; none: all
--   reply  how many, 1 when there may be more
-- After: the messages are ready and not dead.
--include start
--include clock
--include shared
local numbers, more = {unpack(ARGV, 2)}, 0
if #numbers == 0 then
  numbers = redis.call('ZRANGE', dead, 0, tonumber(ARGV[1]) - 1)
  more = redis.call('ZCARD', dead) > #numbers and 1 or 0
end
local count = 0
for _, number in ipairs(numbers) do
  local kept = redis.call('HGET', dead_items, number)
  if kept then
    local lane, element = from_aside(kept)
    redis.call('LPUSH', ready(lane), element)
    redis.call('HDEL', dead_items, number)
    redis.call('HDEL', dead_notes, number)
    redis.call('ZREM', dead, number)
    count = count + 1
  end
end
return {count, more}
