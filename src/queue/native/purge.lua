-- Removes dead messages for good.
--   KEYS   see start.lua
--   ARGV   most messages of one call, then numbers of messages; none: all
--   reply  how many, 1 when there may be more
--include start
--include clock
--include shared
local numbers, more = {unpack(ARGV, 2)}, 0
if #numbers == 0 then
  numbers = redis.call('ZRANGE', dead, 0, tonumber(ARGV[1]) - 1)
  more = redis.call('ZCARD', dead) > #numbers and 1 or 0
end
if #numbers == 0 then return {0, 0} end
redis.call('HDEL', dead_items, unpack(numbers))
redis.call('HDEL', dead_notes, unpack(numbers))
return {redis.call('ZREM', dead, unpack(numbers)), more}
