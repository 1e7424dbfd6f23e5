-- Brings back what dead consumers held: messages in flight whose lease has ended are claimed next, or dead after too many
-- attempts, or dead as interrupted where they are not to be worked twice.
--   KEYS   see shared.lua
--   ARGV   name of who reaps, ms for which no other does, most attempts or 0, 1 to interrupt, most messages and bytes of one call,
--          ms of a lease, cursor of the last reply or 0
--   reply  {-1} when another one reaps; else how many came back, how many died, cursor to go on with or 0, then the elements of
--          those that were interrupted
-- Before: any state. After: of the messages looked at none is in flight with an ended lease, and the tokens of those that
-- were are known as lost for an hour. A message in flight that has no lease, because other hands removed it, gets one.
--include shared
local name, hold, most, interrupt = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1'
local limit, bytes_left = tonumber(ARGV[5]), tonumber(ARGV[6])
local key = base .. ':reaper'
local who = redis.call('GET', key)
if who and who ~= name then return {-1} end
local ended = redis.call('ZRANGEBYSCORE', leases, '-inf', whole(now), 'LIMIT', 0, limit)
redis.call('ZREMRANGEBYSCORE', lost, '-inf', whole(now - 3600000))  -- needs no memory: then a full server (OOM) allows the rest
redis.call('SET', key, name, 'PX', hold)

local reply, seen = {0, 0, 0}, 0
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
if seen < #ended or #ended == limit then
  reply[3] = 1
elseif redis.call('HLEN', inflight) > redis.call('ZCARD', leases) then
  local cursor = tonumber(ARGV[8])
  local step = redis.call('HSCAN', inflight, whole(cursor > 1 and cursor - 2 or 0), 'COUNT', 200)
  for i = 1, #step[2], 2 do redis.call('ZADD', leases, 'NX', whole(now + ARGV[7]), step[2][i]) end
  reply[3] = step[1] == '0' and 0 or tonumber(step[1]) + 2
end
return reply
