-- Puts messages on the dead list.
--   KEYS   see shared.lua
--   ARGV   name of the consumer, then for each message: token, reason
--   reply  for each 1: done. 0: the lease had been lost. -1: nobody knows the token: it was settled before
-- Before: the messages were claimed under these tokens. After 1: each is dead, with its history.
--include shared
local by, reply = ARGV[1], {}
for i = 2, #ARGV, 2 do
  local token, reason = ARGV[i], ARGV[i + 1]
  local held = redis.call('HGET', holders, token)
  if held then
    local attempt, lane, _, group = holder_of(held)
    local element = redis.call('HGET', inflight, token)
    local id = head_of(element)
    forget(token, group)
    note(id, attempt, by, reason)
    bury(token, id, attempt, lane, element, reason)
    reply[#reply + 1] = 1
  else
    reply[#reply + 1] = not_held(token)
  end
end
return reply
