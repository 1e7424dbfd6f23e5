-- Gives claimed messages back as if they had not been claimed: they are the next ones of their lanes.
--   KEYS   see start.lua
--   ARGV   for each message: name of its claim, place; the last one given stands rightmost
--   reply  for each 1: it is back. 0: the lease had been lost. -1: nobody knows the message: it was settled before
-- Before: the messages were claimed under these names. After 1: each stands once in its ready list; the attempt is not
-- counted.
--include start
--include clock
--include shared
--include claims
local reply = {}
redis.call('HDEL', holders, '')  -- a write that needs no memory, first: then a full server (OOM) allows the others too
for i = 1, #ARGV, 2 do
  local m, why = take(ARGV[i], tonumber(ARGV[i + 1]))
  if m then
    free_group(m.group, m.token, true)
    redis.call('RPUSH', ready(m.lane), m.element)
  end
  reply[#reply + 1] = m and 1 or why
end
keep_claims()
return reply
