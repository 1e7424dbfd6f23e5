local inflight, leases, holders, lost, attempts, history, groups, parked, delayed, delayed_items, dead, dead_items, dead_notes,
  last_token, base = unpack(KEYS, 1, 15)
local function ready(lane) return KEYS[15 + lane] end
local lanes = #KEYS - 15

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function whole(n) return string.format('%d', n) end  -- of all numbers here, and a third of the time of '%.0f'

-- What stands before an element's body: id, when it was put, group. Other hands may have put no head: then the id is the SHA1.
local function head_of(element)
  local line = string.match(string.sub(element, 1, 300), '^([^\n]*)\n')
  local id, at, group = nil, nil, ''
  if line then
    id, at, group = string.match(line, '^([^%c]+)\31(%d+)\31([^%c]*)$')
    if not id then id, at = string.match(line, '^([^%c]+)\31(%d+)$') end
    if not id then id = string.match(line, '^[^%c]+$') end
  end
  return id or redis.sha1hex(element), tonumber(at or 0), group or ''
end

-- "lane RS element", as it is kept aside.
local function aside(lane, element) return lane .. '\30' .. element end
local function from_aside(kept)
  local at = string.find(kept, '\30', 1, true)
  local lane = tonumber(string.sub(kept, 1, at - 1))
  return lane <= lanes and lane or 1, string.sub(kept, at + 1)  -- the queue may have been opened with fewer lanes since
end

local function holder_of(value)
  local attempt, lane, claim, group = string.match(value, '^(%d+):(%d+):([^:]*):(.*)$')
  lane = tonumber(lane)
  return tonumber(attempt), lane <= lanes and lane or 1, claim, group
end

-- A number that was never given before and grows; never below the clock, so that it grows too when a crash has lost the
-- server's newest writes. It counts as given once it is kept.
local function next_token()
  return math.max(tonumber(redis.call('GET', last_token) or 0), time[1] * 1000000 + time[2]) + 1
end
local function keep_token(token) redis.call('SET', last_token, whole(token)) end

-- The group runs no more: the next message of it that was parked is the next one to be claimed. `returns`: the message that
-- ran comes back to the right end; then it stays the first of its group, and will free the group itself.
local function free_group(group, token, returns)
  if group == '' or redis.call('HGET', groups, group) ~= token then return end
  redis.call('HDEL', groups, group)
  if returns then return end
  local next = redis.call('LPOP', base .. ':parked:' .. group)
  if next then
    local lane, element = from_aside(next)
    redis.call('RPUSH', ready(lane), element)
    redis.call('DECR', parked)
  end
end

-- Ends a claim. The first write needs no memory: then a full server (OOM) allows the others too.
local function forget(token, group, returns)
  redis.call('HDEL', holders, token)
  redis.call('HDEL', inflight, token)
  redis.call('ZREM', leases, token)
  free_group(group, token, returns)
end

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

-- 0: the lease was taken away. -1: nobody knows the token, so it was settled before.
local function not_held(token) return redis.call('ZSCORE', lost, token) and 0 or -1 end
