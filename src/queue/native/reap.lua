-- Brings back what dead consumers held: messages in flight whose lease has ended are claimed next, or dead after too many
-- attempts, or dead as interrupted where they are not to be worked twice.
--   KEYS   see shared.lua
--   ARGV   name of who reaps, ms for which no other does (twice the time between passes and a second), most attempts or 0, 1 to
--          interrupt, most messages and bytes of one call, ms of a lease, cursor of the last reply or 0
--   reply  {-1} when another one reaps; else how many came back, how many died, cursor to go on with or 0, then the elements of
--          those that were interrupted
-- Before: any state. After: of the messages looked at none is in flight with an ended lease, and the tokens of those that
-- were are known as lost for an hour. A message in flight that has no lease, because other hands removed it, gets one.
--include shared
local name, hold, most, interrupt = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1'
local limit, bytes_left, lease = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
redis.call('ZREMRANGEBYSCORE', lost, '-inf', whole(now - 3600000))  -- needs no memory: then a full server (OOM) allows the rest

-- Who reaps, until when, when anybody last asked to, whether that pass was left out.
local key = base .. ':reaper'
local who, till, asked, left_out = string.match(redis.call('GET', key) or '', '^(.*) (%d+) (%d+) (%d)$')
local function keep(reaper, hold_ends, out)
  redis.call('SET', key, reaper .. ' ' .. whole(hold_ends) .. ' ' .. whole(now) .. ' ' .. out, 'PX', whole(4 * hold))
end
till = tonumber(till or 0)
if who and who ~= name and till > now and till <= now + hold then  -- a hold that ends later is of before the clock went back
  keep(who, till, left_out)
  return {-1}
end
-- A pass that comes late: the server was away or stood still, and so were those who renew leases. They come first.
local late = not asked or now - tonumber(asked) > 1.1 * (hold - 1000) / 2 + 300
if late and left_out ~= '1' then
  keep(name, now + hold, '1')
  return {0, 0, 0}
end
keep(name, now + hold, '0')

-- The last token is never below a time that a claim or a pass has seen. Where it is above the clock, that went back, and the
-- leases given before end late by as much: they get a new one, which whoever lives renews.
local far = {}
local micros, last = time[1] * 1000000 + time[2], tonumber(redis.call('GET', last_token) or 0)
if last < micros then
  redis.call('SET', last_token, whole(micros))
elseif last > micros + 1000000 then
  far = redis.call('ZRANGEBYSCORE', leases, '(' .. whole(now + 2 * lease + 1000), '+inf', 'LIMIT', 0, limit)
  for _, token in ipairs(far) do redis.call('ZADD', leases, whole(now + lease), token) end
end

local reply, seen = {0, 0, 0}, 0
local ended = redis.call('ZRANGEBYSCORE', leases, '-inf', whole(now), 'LIMIT', 0, limit)
local back = {}
for i, token in ipairs(ended) do
  if bytes_left <= 0 then break end
  seen = i
  local element = redis.call('HGET', inflight, token)
  if element then
    local held = redis.call('HGET', holders, token) or '1:1::'  -- without one, other hands were here
    local attempt, lane, _, group = holder_of(held)
    local id = head_of(element)
    local dies = interrupt or most > 0 and attempt >= most
    forget(token, group, not dies)
    redis.call('ZADD', lost, whole(now), token)
    bytes_left = bytes_left - #element
    if interrupt then
      bury(token, id, attempt, lane, element, 'interrupted: its worker was lost')
      reply[2], reply[#reply + 1] = reply[2] + 1, element
    elseif dies then
      note(id, attempt, name, 'its lease ended')
      bury(token, id, attempt, lane, element, 'attempt ' .. attempt .. ' of ' .. most .. ': its lease ended')
      reply[2] = reply[2] + 1
    else
      note(id, attempt, name, 'its lease ended')
      redis.call('HSET', attempts, id, attempt)
      back[#back + 1] = {lane, element}
    end
  else
    redis.call('ZREM', leases, token)
    redis.call('HDEL', holders, token)
  end
end
for i = #back, 1, -1 do redis.call('RPUSH', ready(back[i][1]), back[i][2]) end  -- the oldest is claimed next
reply[1] = #back
if seen < #ended or #ended == limit or #far == limit then
  reply[3] = 1
elseif redis.call('HLEN', inflight) > redis.call('ZCARD', leases) then
  local cursor = tonumber(ARGV[8])
  local step = redis.call('HSCAN', inflight, whole(cursor > 1 and cursor - 2 or 0), 'COUNT', 200)
  for i = 1, #step[2], 2 do redis.call('ZADD', leases, 'NX', whole(now + lease), step[2][i]) end
  reply[3] = step[1] == '0' and 0 or tonumber(step[1]) + 2
end
return reply
