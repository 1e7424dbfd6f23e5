-- Looks at locks that messages wait for, those first that were looked at longest ago, and wakes the next message of each that
-- is free. One that was woken and is still ready goes first, which is why it is looked for; other hands may have taken it.
local function look_around(most)
  settle_lanes(most)
  local seen = 0
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', waiting, '-inf', whole(now), 'LIMIT', 0, most)) do
    local held, first = redis.call('EXISTS', lock .. name) == 1, redis.call('HGET', woken, name)
    if first and not held then
      local lane, element = from_aside(first)
      held = redis.call('LPOS', ready(lane), element, 'RANK', -1, 'MAXLEN', 1000)
    end
    redis.call('ZADD', waiting, whole(now + 250), name)
    if not held then
      redis.call('HDEL', woken, name)
      wake(name)
      seen = seen + 1
    end
  end
  return seen
end
