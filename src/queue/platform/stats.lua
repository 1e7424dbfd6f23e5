-- What a queue holds.
--   KEYS   see shared.lua
--   reply  delayed, parked, dead, then for each lane: ready, in flight, ms since the message was made that is claimed next or -1
-- Nothing is changed.
--include shared
local reply = {redis.call('ZCARD', delayed), tonumber(redis.call('GET', parked) or 0), redis.call('ZCARD', dead)}
for lane = 1, lanes do
  local age, oldest = -1, redis.call('LINDEX', ready(lane), -1)
  local item = oldest and read(oldest)
  local made = item and tonumber(part(item, 'meta').created_at)
  if made and made > 0 then age = math.max(0, now - math.floor(made * 1000)) end
  reply[#reply + 1] = redis.call('LLEN', ready(lane))
  reply[#reply + 1] = redis.call('LLEN', inflight(lane))
  reply[#reply + 1] = age
end
return reply
