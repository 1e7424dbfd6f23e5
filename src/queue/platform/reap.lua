-- Brings back what dead consumers held: messages in flight whose lock has ended are claimed next, or dead after too many
-- attempts, or dead as interrupted where they had been handed out and are not to be worked twice.
--   KEYS   see shared.lua
--   ARGV   name of who reaps, ms for which no other does (twice the time between passes and a second), most attempts or 0, 1 to interrupt, most messages and bytes of one call,
--          ms for which a message that none of ours held has to be without a lock, cursor of the last reply or 0
--   reply  {-1} when another one reaps; else how many came back, how many died, cursor to go on with or 0, then for each that
--          was interrupted: id, element, record of its event
-- Before: any state. After: of the messages looked at none of ours is in flight without a lock. Others may still be between
-- their move and their lock: those are seen first, and come back when they are seen again.
-- The list is turned: what was looked at goes to its left end. So no step has to find its place in a long list.
--include shared
--include lane
--include record
--include turn
local name, hold, most, interrupt = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1'
local limit, bytes_left, grace, cursor = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local unlocked, one_lane = own('unlocked'), 1099511627776
redis.call('ZREMRANGEBYSCORE', lost, '-inf', whole(now - 3600000))  -- needs no memory: then a full server (OOM) allows the rest
redis.call('ZREMRANGEBYSCORE', unlocked, '-inf', whole(now - 3600000))
local not_mine = not_now(own('reaper'), name, hold)
if not_mine then return not_mine end
local reply = {0, 0, 0}

-- Who held it, where its lease has ended; nothing where it is to be left alone.
local function ended(element)
  local item, id = read(element)
  if not item then return {unreadable = id} end
  if redis.call('EXISTS', lock .. id) == 1 then
    redis.call('ZREM', unlocked, id)
    return nil
  end
  local token = redis.call('HGET', tasks, id)
  local h = token and holder_of(token)
  if not h then
    local since = tonumber(redis.call('ZSCORE', unlocked, id) or now)
    if now - since < grace then
      redis.call('ZADD', unlocked, 'NX', whole(now), id)
      return nil
    end
    local _, group = conversation_of(item)
    h, token = {a = tonumber(redis.call('HGET', attempts, id) or 0) + 1, g = group, i = id, w = ''}, nil
    h.e = is_wake(item) and event_of(item) or nil
  end
  h.token, h.started = token, redis.call('EXISTS', lock .. 'started:' .. id) == 1
  return h
end

-- The element goes where it belongs before it leaves the list.
local function bring_back(lane, element, h)
  if h.unreadable then
    bury(new_token(), redis.sha1hex(element), 0, lane, element, 'it cannot be worked: ' .. h.unreadable)
    reply[2] = reply[2] + 1
    return
  end
  if h.token then lose(h.token, h) end
  redis.call('DEL', lock .. 'started:' .. h.i)
  redis.call('ZREM', unlocked, h.i)
  local over = most > 0 and h.a >= most
  note(h.i, h.a, name, 'its lease ended')
  if interrupt and h.started then
    bury(new_token(), h.i, h.a, lane, element, 'interrupted: its worker was lost')
    local record = h.e and redis.call('GET', h.e.k .. ':event:' .. h.e.m) or ''
    for _, v in ipairs({h.i, element, record}) do reply[#reply + 1] = v end
    reply[2], over = reply[2] + 1, true
  elseif over then
    bury(new_token(), h.i, h.a, lane, element, 'attempt ' .. h.a .. ' of ' .. most .. ': its lease ended')
    reply[2] = reply[2] + 1
  else
    redis.call('HSET', attempts, h.i, h.a)
    back_to_ready(lane, element, h.g)
    reply[1] = reply[1] + 1
  end
  h.l = lane
  settle_lane(h, over)
  wake(h.i)
  if redis.call('GET', lock .. h.g) == h.w then redis.call('DEL', lock .. h.g) end
  if h.g ~= '' and redis.call('EXISTS', lock .. h.g) == 0 then wake(h.g) end
end

-- Looks at the oldest `count` messages of a lane; how many there were.
local function look(lane, count)
  local elements = redis.call('LRANGE', inflight(lane), -count, -1)
  local found, kept = {}, 0
  for i, element in ipairs(elements) do  -- all are read before anything is changed
    local ok, h = pcall(ended, element)
    if not ok then h = {unreadable = type(h) == 'table' and h.err or tostring(h)} end
    found[i] = h
    bytes_left = bytes_left - #element
  end
  for i, element in ipairs(elements) do  -- the newest first, so that the oldest is claimed next
    if found[i] then
      bring_back(lane, element, found[i])
      redis.call('LREM', inflight(lane), -1, element)
    else
      kept = kept + 1
    end
  end
  if redis.call('LLEN', inflight(lane)) > kept then
    for _ = 1, kept do redis.call('LMOVE', inflight(lane), inflight(lane), 'RIGHT', 'LEFT') end
  end
  return #elements
end

-- Messages that are in flight no more, because other hands removed them, are nobody's.
local function look_at_holders(at)
  local step = redis.call('HSCAN', holders, whole(at), 'COUNT', 50)
  for i = 1, #step[2], 2 do
    local token, h = step[2][i], cjson.decode(step[2][i + 1])
    local held = redis.call('GET', lock .. h.i)
    if limit > 0 and held ~= h.w and not flies(h.l, h.i) then
      limit = limit - 8
      lose(token, h)
      release(h.g, h.w)
    end
  end
  return tonumber(step[1])
end

local lane = math.floor(cursor / one_lane)
local left = cursor % one_lane
if lane == 0 then lane, left = 1, redis.call('LLEN', inflight(1)) end
while lane <= lanes and limit > 0 and bytes_left > 0 do
  local looked = left > 0 and look(lane, math.min(left, 16)) or 0
  limit, left = limit - looked, left - looked
  if left <= 0 or looked == 0 then
    lane = lane + 1
    left = lane <= lanes and redis.call('LLEN', inflight(lane)) or 0
  end
end
if lane > lanes and limit > 0 and bytes_left > 0 then
  left = look_at_holders(left)
  if left == 0 then return reply end
end
reply[3] = lane * one_lane + left
return reply
