-- KEYS 1 to 5: ready, 6 to 10: in flight, by lane (privileged, registered, anonymous, paid, external); 11: what our own keys
-- begin with; 12: what locks begin with; 13: what the lanes of events begin with; 14, 15: tenant and project; 16: counter of
-- puts; 17 to 21: counts of mailboxes.
-- Our own keys: holders HASH token -> who holds a message, tasks HASH id -> token, lost ZSET token -> when it was taken away,
-- attempts and history HASH id -> what failed before, parked:<lock> LIST of messages that wait until nobody has the lock,
-- waiting ZSET lock -> when to look again whether it is free, woken HASH lock -> the message that was parked and is ready
-- while others are still parked, finals ZSET what is to be done for a lane of events -> when, unlocked ZSET id -> when it was
-- first seen in flight without a lock; the others as their names say.
local base, lock = KEYS[11], KEYS[12] .. ':'
local function own(name) return base .. ':' .. name end
local holders, tasks, lost, attempts, history = own('holders'), own('tasks'), own('lost'), own('attempts'), own('history')
local waiting, woken, parked, last_token = own('waiting'), own('woken'), own('parked'), own('token')
local delayed, delayed_items = own('delayed'), own('delayed:items')
local dead, dead_items, dead_notes = own('dead'), own('dead:items'), own('dead:notes')
local lanes = 5
local function ready(lane) return KEYS[lane] end
local function inflight(lane) return KEYS[lanes + lane] end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function whole(n) return string.format('%.0f', n) end
local function text(v) return type(v) == 'string' and v ~= '' and v or nil end
local function part(t, name) return type(t[name]) == 'table' and t[name] or {} end

-- The item and its id, or nothing and why it is none.
local function read(element)
  local ok, item = pcall(cjson.decode, element)
  if not ok or type(item) ~= 'table' then return nil, 'it is no JSON object' end
  local id = part(item, 'meta').task_id
  if not text(id) and type(id) ~= 'number' then id = item.task_id end
  if type(id) == 'number' then id = string.format('%.14g', id) end
  if not text(id) then return nil, 'it has no task id' end
  return item, id
end

local function safe(s)
  s = string.gsub(string.match(s, '^%s*(.-)%s*$'), '[^A-Za-z0-9_.@-]+', '_')
  return s == '' and '_' or s
end

-- Id of the conversation and name of its lock; nothing where the item names none.
local function conversation_of(item)
  local routing, actor, user, lane = part(item, 'routing'), part(item, 'actor'), part(item, 'user'), part(item, 'event_lane')
  local id = text(routing.conversation_id) or text(routing.session_id) or text(lane.conversation_id)
  if not id then return '', '' end
  return id, 'conversation:' .. safe(text(actor.tenant_id) or KEYS[14]) .. ':' .. safe(text(actor.project_id) or KEYS[15]) ..
    ':' .. safe(text(user.user_id) or text(user.fingerprint) or '') .. ':' .. safe(id)
end

-- "lane RS element", as it is kept aside.
local function aside(lane, element) return lane .. '\30' .. element end
local function from_aside(kept) return tonumber(string.sub(kept, 1, 1)), string.sub(kept, 3) end

-- A number that was never given before and grows; never below the clock, so that it grows too when a crash has lost the
-- server's newest writes. ahead: how many more may be wanted.
local tokens_next, tokens_last = 1, 0
local function new_token(ahead)
  if tokens_next > tokens_last then
    tokens_next = math.max(tonumber(redis.call('GET', last_token) or 0), time[1] * 1000000 + time[2]) + 1
    tokens_last = tokens_next + (ahead or 0)
    redis.call('SET', last_token, whole(tokens_last))
  end
  tokens_next = tokens_next + 1
  return whole(tokens_next - 1)
end

-- Whether messages are parked at all; asked once, for it is rare.
local parking
local function anything_parked()
  if parking == nil then parking = redis.call('EXISTS', waiting) == 1 end
  return parking
end
local function is_waited_for(name) return anything_parked() and redis.call('EXISTS', own('parked:' .. name)) == 1 end

-- Kept until nobody has the lock; at the front when it was parked there before.
local function park(name, lane, element, at_front, look)
  parking = true
  redis.call(at_front and 'LPUSH' or 'RPUSH', own('parked:' .. name), aside(lane, element))
  redis.call('INCR', parked)
  redis.call('ZADD', waiting, at_front and 'LT' or 'NX', whole(look or now), name)
end

local function unpark(name)
  local kept = redis.call('LPOP', own('parked:' .. name))
  if kept then redis.call('DECR', parked) end
  if redis.call('EXISTS', own('parked:' .. name)) == 0 then
    redis.call('ZREM', waiting, name)
    redis.call('HDEL', woken, name)
  end
  return kept
end

-- Nobody has the lock: the next message that waits for it is the next one to be claimed.
local function wake(name)
  local kept = anything_parked() and unpark(name)
  if not kept then return end
  local lane, element = from_aside(kept)
  redis.call('RPUSH', ready(lane), element)
  if redis.call('EXISTS', own('parked:' .. name)) == 1 then
    redis.call('HSET', woken, name, kept)
    redis.call('ZADD', waiting, whole(now + 250), name)
  end
end

local function release(name, value)
  if name == '' then return end
  local held = redis.call('GET', lock .. name)
  if held and held ~= value then return end
  if held then redis.call('DEL', lock .. name) end
  wake(name)
end

-- The next one to be claimed; before those of its conversation that wait, which is why it is called before the lock's release.
local function back_to_ready(lane, element, conversation)
  if conversation ~= '' and is_waited_for(conversation) then
    redis.call('HDEL', woken, conversation)
    park(conversation, lane, element, true)
  else
    redis.call('RPUSH', ready(lane), element)
  end
end

-- a: attempt, l: lane, c: claim, i: id, w: value of its locks, g: name of the conversation's lock, s: it is marked as started,
-- e: the event of a lane that it is for. tasks has the token of each under its id.
local function holder_of(token)
  local kept = redis.call('HGET', holders, token)
  return kept and cjson.decode(kept)
end

-- Ends a claim. The first write needs no memory: then a full server (OOM) allows the others too.
local function forget(token, h)
  redis.call('HDEL', holders, token)
  redis.call('HDEL', tasks, h.i)
end
local function lose(token, h)
  forget(token, h)
  redis.call('ZADD', lost, whole(now), token)
end

-- Takes a held message out of flight: who held it, or nothing and 0: the lease was lost, -1: it was settled before. A lease
-- that is past its end but was taken by nobody still counts as held. What other hands put back although the lock is ours
-- is taken from there.
local function take_out(token, element)
  local h = holder_of(token)
  if not h then return nil, redis.call('ZSCORE', lost, token) and 0 or -1 end
  local value = redis.call('GET', lock .. h.i)
  local found = (not value or value == h.w) and redis.call('LREM', inflight(h.l), 1, element) > 0
  if not found and value == h.w then
    found = redis.call('LREM', ready(h.l), 1, element) > 0
    if not found and redis.call('LREM', own('parked:' .. h.i), 1, aside(h.l, element)) > 0 then
      redis.call('DECR', parked)
      found = true
    end
  end
  if found then
    forget(token, h)
    if h.s then redis.call('DEL', lock .. 'started:' .. h.i) end
    return h
  end
  lose(token, h)
  release(h.i, h.w)
  release(h.g, h.w)
  return nil, 0
end

-- Whether the element with this id is in flight.
local function flies(lane, id)
  for at = 0, 100000, 100 do
    local some = redis.call('LRANGE', inflight(lane), at, at + 99)
    for _, element in ipairs(some) do
      if string.find(element, id, 1, true) then
        local item, its = read(element)
        if item and its == id then return element end
      end
    end
    if #some < 100 then return nil end
  end
end

--include endings
