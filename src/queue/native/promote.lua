-- Makes delayed messages ready whose time has come: they are the next ones of their lanes.
--   KEYS   see start.lua
--   ARGV   most messages and bytes of one call
--   reply  how many are ready now, ms until the next one is due or -1
-- Before: any state. After: of the messages looked at, those that are due stand in their ready lists, or are parked where
-- others of their group were parked before them.
--include start
--include clock
--include shared
local bytes_left, moved = tonumber(ARGV[2]), {}
for _, number in ipairs(redis.call('ZRANGEBYSCORE', delayed, '-inf', whole(now), 'LIMIT', 0, tonumber(ARGV[1]))) do
  if bytes_left <= 0 then break end
  local kept = redis.call('HGET', delayed_items, number)
  redis.call('ZREM', delayed, number)
  redis.call('HDEL', delayed_items, number)
  if kept then
    local lane, element = from_aside(kept)
    bytes_left = bytes_left - #element
    local _, _, group = head_of(element)
    if group ~= '' and redis.call('EXISTS', base .. ':parked:' .. group) == 1 then
      redis.call('RPUSH', base .. ':parked:' .. group, kept)
      redis.call('INCR', parked)
    else
      moved[#moved + 1] = {lane, element}
    end
  end
end
for i = #moved, 1, -1 do redis.call('RPUSH', ready(moved[i][1]), moved[i][2]) end  -- the one due first is claimed first
local next = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
return {#moved, next[2] and math.max(0, tonumber(next[2]) - now) or -1}
