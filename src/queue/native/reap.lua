-- Brings back what dead consumers held: messages in flight whose lease has ended are claimed next, or dead after too many
-- attempts, or dead as interrupted where they are not to be worked twice.
--   KEYS   see start.lua
--   ARGV   name of who reaps, ms for which no other does (twice the time between passes and a second), most attempts or 0, 1 to
--          interrupt, most messages and bytes of one call, ms of a lease, cursor of the last reply or 0
--   reply  {-1} when another one reaps; else how many came back, how many died, cursor to go on with or 0, then the elements of
--          those that were interrupted
-- Before: any state. After: of the claims looked at none has an ended lease, and the messages that were not settled are known as
-- lost for an hour. A claim that has no lease, because other hands removed it, gets one. Claims are brought back whole, until
-- the messages are as many as one call may look at.
--include start
--include clock
--include shared
--include claims
--include endings
--include turn
local name, hold, most, interrupt = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1'
local limit, bytes_left, lease = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
redis.call('ZREMRANGEBYSCORE', lost, '-inf', whole(now - 3600000))  -- needs no memory: then a full server (OOM) allows the rest

local not_mine = not_now(base .. ':reaper', name, hold)
if not_mine then return not_mine end

-- The last token is never below a time that a claim or a pass has seen. Where it is above the clock, that went back, and the
-- leases given before end late by as much: they get a new one, which whoever lives renews.
local far = {}
local micros, last = time[1] * 1000000 + time[2], tonumber(redis.call('GET', last_token) or 0)
if last < micros then
  redis.call('SET', last_token, whole(micros))
elseif last > micros + 1000000 then
  far = redis.call('ZRANGEBYSCORE', leases, '(' .. whole(now + 2 * lease + 1000), '+inf', 'LIMIT', 0, limit)
  for _, claim in ipairs(far) do redis.call('ZADD', leases, whole(now + lease), claim) end
end

local reply, seen, looked = {0, 0, 0}, 0, 0
local back = {}
local function bring_back(element, token, attempt, lane, group)
  local id = head_of(element)
  local dies = interrupt or most > 0 and attempt >= most
  free_group(group, token, not dies)
  bytes_left = bytes_left - #element
  if interrupt then
    bury(token, id, attempt, lane, element, 'interrupted: its worker was lost')
    reply[2], reply[#reply + 1] = reply[2] + 1, element
    return
  end
  note(id, attempt, name, 'its lease ended')
  if dies then
    bury(token, id, attempt, lane, element, 'attempt ' .. attempt .. ' of ' .. most .. ': its lease ended')
    reply[2] = reply[2] + 1
  else
    redis.call('HSET', attempts, id, attempt)
    back[#back + 1] = {lane, element}
  end
end

local ended = redis.call('ZRANGEBYSCORE', leases, '-inf', whole(now), 'LIMIT', 0, limit)
for _, claim in ipairs(ended) do
  if bytes_left <= 0 or looked >= limit then break end
  seen = seen + 1
  local elements = redis.call('LRANGE', list_of(claim), 0, -1)
  local c = claim_of(claim)
  if not c then  -- other hands were here
    c = read_holder(claim, whole(next_token()) .. ' ' .. #elements .. ' ' .. #elements .. ' 1 0 ')
    claims[claim] = c
    if #elements > 0 then
      keep_token(c.first + #elements)
      redis.call('INCRBY', inflight, #elements)
    end
  end
  local gone = {}
  for i, element in ipairs(elements) do
    local place = i - 1
    if not is_settled(c, place) then
      local attempt, lane, group = told_of(c, place)
      bring_back(element, whole(c.first + place), attempt, lane, group)
      gone[#gone + 1], gone[#gone + 2] = whole(now), claim .. ':' .. place
      looked = looked + 1
    end
  end
  if #gone > 0 then redis.call('ZADD', lost, unpack(gone)) end
  c.left = 0
  if c.before == 0 then redis.call('ZREM', leases, claim) end  -- nothing is left of it
end
for i = #back, 1, -1 do redis.call('RPUSH', ready(back[i][1]), back[i][2]) end  -- the oldest is claimed next
keep_claims()
reply[1] = #back
if seen < #ended or #ended == limit or #far == limit then
  reply[3] = 1
elseif redis.call('HLEN', holders) > redis.call('ZCARD', leases) then
  local cursor = tonumber(ARGV[8])
  local step = redis.call('HSCAN', holders, whole(cursor > 1 and cursor - 2 or 0), 'COUNT', 200)
  for i = 1, #step[2], 2 do redis.call('ZADD', leases, 'NX', whole(now + lease), step[2][i]) end
  reply[3] = step[1] == '0' and 0 or tonumber(step[1]) + 2
end
return reply
