-- Gives claimed messages back as if they had not been claimed: they are the next ones of their lanes.
--   KEYS   see shared.lua
--   ARGV   tokens; the last one given stands rightmost
--   reply  for each 1: it is back. 0: the lease had been lost. -1: nobody knows the token: it was settled before
-- Before: the messages were claimed under these tokens. After 1: each stands once in its ready list; the attempt is not counted.
--include shared
local reply = {}
for i, token in ipairs(ARGV) do
  local held = redis.call('HGET', holders, token)
  if held then
    local _, lane, _, group = holder_of(held)
    local element = redis.call('HGET', inflight, token)
    forget(token, group, true)
    redis.call('RPUSH', ready(lane), element)
    reply[i] = 1
  else
    reply[i] = not_held(token)
  end
end
return reply
