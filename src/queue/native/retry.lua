-- Gives messages back to be tried again later; after too many attempts to the dead list.
--   KEYS   see shared.lua
--   ARGV   most attempts or 0, name of the consumer, then for each message: token, reason, due: "+<ms from now>",
--          "<server's ms>", or '' for at once
--   reply  for each 1: done. 0: the lease had been lost. -1: nobody knows the token: it was settled before
-- Before: the messages were claimed under these tokens. After 1: each is delayed, or the next to be claimed of its lane, or
-- dead, with its attempt counted and the reason in its history.
--include shared
local most, by = tonumber(ARGV[1]), ARGV[2]
local reply = {}
for i = 3, #ARGV, 3 do
  local token, reason, due = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local held = redis.call('HGET', holders, token)
  if held then
    local attempt, lane, _, group = holder_of(held)
    local element = redis.call('HGET', inflight, token)
    local id = head_of(element)
    local dies = most > 0 and attempt >= most
    forget(token, group, not dies and due == '')
    note(id, attempt, by, reason)
    if dies then
      bury(token, id, attempt, lane, element, 'attempt ' .. attempt .. ' of ' .. most .. ': ' .. reason)
    else
      redis.call('HSET', attempts, id, attempt)
      if due == '' then
        redis.call('RPUSH', ready(lane), element)
      else
        due = string.sub(due, 1, 1) == '+' and now + tonumber(string.sub(due, 2)) or tonumber(due)
        redis.call('ZADD', delayed, whole(due), token)
        redis.call('HSET', delayed_items, token, aside(lane, element))
      end
    end
    reply[#reply + 1] = 1
  else
    reply[#reply + 1] = not_held(token)
  end
end
return reply
