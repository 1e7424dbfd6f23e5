-- What an unsuccessful attempt leaves: a line of its message's history; and the dead list. token: the number under which the
-- dead message is kept.
local function note(id, attempt, by, reason)
  local lines = redis.call('HGET', history, id)
  local line = cjson.encode({attempt = attempt, at = now, by = by, reason = string.sub(reason, 1, 512)})
  lines = lines and lines .. '\n' .. line or line
  if attempt > 25 then lines = string.match(lines, '^[^\n]*\n(.*)$') or lines end
  redis.call('HSET', history, id, lines)
end

local function bury(token, id, attempt, lane, element, reason)
  redis.call('ZADD', dead, whole(now), token)
  redis.call('HSET', dead_items, token, aside(lane, element))
  redis.call('HSET', dead_notes, token,
    attempt .. '\n' .. string.gsub(string.sub(reason, 1, 512), '%c', ' ') .. '\n' .. (redis.call('HGET', history, id) or ''))
  redis.call('HDEL', attempts, id)
  redis.call('HDEL', history, id)
end
