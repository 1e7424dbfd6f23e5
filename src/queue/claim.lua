-- Claims messages: moves them in flight, leases them, counts the attempt.
--   KEYS   ready, inflight, leases, attempts, holders, token
--   ARGV   how many at most, lease in ms, name of this claim, bytes from which on no further message is added
--   reply  length of the ready list afterwards, then for each message: id, element, attempt, token
-- Before: any state. After: each message claimed is in flight, has one lease that ends a lease time from now by the
-- server's clock, one attempt more, and the holder "<token>:<claim>"; tokens only ever grow.
redis.call('HDEL', KEYS[5], '')  -- a write that needs no memory, first: then a full server (OOM) allows the others too
local time = redis.call('TIME')
local deadline = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2])

-- The id is the first line; an element put by other hands that has none goes by its SHA1.
local function id_of(element)
  return string.match(string.sub(element, 1, 129), '^([^%c]+)\n') or redis.sha1hex(element)
end

-- Never below the clock in microseconds, so that tokens grow too when a crash has lost the server's newest writes.
local function raise_token()
  local clock = time[1] * 1000000 + time[2]
  if tonumber(redis.call('GET', KEYS[6]) or 0) < clock then redis.call('SET', KEYS[6], string.format('%.0f', clock)) end
end

local reply, bytes = {0}, 0
for i = 1, tonumber(ARGV[1]) do
  local element = redis.call('LMOVE', KEYS[1], KEYS[2], 'RIGHT', 'LEFT')
  if not element then break end
  if i == 1 then raise_token() end
  local id = id_of(element)
  local token = string.format('%.0f', redis.call('INCR', KEYS[6]))
  redis.call('ZADD', KEYS[3], deadline, id)
  redis.call('HSET', KEYS[5], id, token .. ':' .. ARGV[3])
  reply[#reply + 1] = id
  reply[#reply + 1] = element
  reply[#reply + 1] = redis.call('HINCRBY', KEYS[4], id, 1)
  reply[#reply + 1] = token
  bytes = bytes + #element
  if bytes >= tonumber(ARGV[4]) then break end
end
reply[1] = redis.call('LLEN', KEYS[1])
return reply
