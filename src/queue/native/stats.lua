-- What a queue holds.
--   KEYS   see start.lua
--   reply  in flight, delayed, parked, dead, then for each lane: ready, ms since the message was put that is claimed next or -1
-- Nothing is changed.
--include start
--include clock
--include shared
local reply = {tonumber(redis.call('GET', inflight) or 0), redis.call('ZCARD', delayed),
  tonumber(redis.call('GET', parked) or 0), redis.call('ZCARD', dead)}
for lane = 1, lanes do
  local age, oldest = -1, redis.call('LINDEX', ready(lane), -1)
  if oldest then
    local _, at = head_of(oldest)
    if at > 0 then age = math.max(0, now - at) end
  end
  reply[#reply + 1] = redis.call('LLEN', ready(lane))
  reply[#reply + 1] = age
end
return reply
