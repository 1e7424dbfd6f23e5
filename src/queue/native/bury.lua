-- Puts messages on the dead list.
--   KEYS   see start.lua
--   ARGV   name of the consumer, then for each message: name of its claim, place, reason
--   reply  for each 1: done. 0: the lease had been lost. -1: nobody knows the message: it was settled before
-- Before: the messages were claimed under these names. After 1: each is dead, with its history.
--include start
--include clock
--include shared
--include claims
--include endings
local by, reply = ARGV[1], {}
redis.call('HDEL', holders, '')  -- a write that needs no memory, first: then a full server (OOM) allows the others too
for i = 2, #ARGV, 3 do
  local m, why = take(ARGV[i], tonumber(ARGV[i + 1]))
  if m then
    local id, reason = head_of(m.element), ARGV[i + 2]
    free_group(m.group, m.token)
    note(id, m.attempt, by, reason)
    bury(m.token, id, m.attempt, m.lane, m.element, reason)
  end
  reply[#reply + 1] = m and 1 or why
end
keep_claims()
return reply
