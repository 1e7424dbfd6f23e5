-- Gives messages back to be tried again later; after too many attempts to the dead list.
--   KEYS   see start.lua
--   ARGV   most attempts or 0, name of the consumer, then for each message: name of its claim, place, reason, due: "+<ms from
--          now>", "<server's ms>", or '' for at once
--   reply  for each 1: done. 0: the lease had been lost. -1: nobody knows the message: it was settled before
-- Before: the messages were claimed under these names. After 1: each is delayed, or the next to be claimed of its lane, or
-- dead, with its attempt counted and the reason in its history.
--include start
--include clock
--include shared
--include claims
--include endings
local most, by = tonumber(ARGV[1]), ARGV[2]
local reply = {}

local function retry(m, reason, due)
  local id, dies = head_of(m.element), most > 0 and m.attempt >= most
  free_group(m.group, m.token, not dies and due == '')
  note(id, m.attempt, by, reason)
  if dies then
    return bury(m.token, id, m.attempt, m.lane, m.element, 'attempt ' .. m.attempt .. ' of ' .. most .. ': ' .. reason)
  end
  redis.call('HSET', attempts, id, m.attempt)
  if due == '' then return redis.call('RPUSH', ready(m.lane), m.element) end
  due = string.sub(due, 1, 1) == '+' and now + tonumber(string.sub(due, 2)) or tonumber(due)
  redis.call('ZADD', delayed, whole(due), m.token)
  redis.call('HSET', delayed_items, m.token, aside(m.lane, m.element))
end

redis.call('HDEL', holders, '')  -- a write that needs no memory, first: then a full server (OOM) allows the others too
for i = 3, #ARGV, 4 do
  local m, why = take(ARGV[i], tonumber(ARGV[i + 1]))
  if m then retry(m, ARGV[i + 2], ARGV[i + 3]) end
  reply[#reply + 1] = m and 1 or why
end
keep_claims()
return reply
