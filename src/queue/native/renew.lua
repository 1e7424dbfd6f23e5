-- Renews all leases of a consumer at once.
--   KEYS   see start.lua
--   ARGV   lease in ms, then names of claims
--   reply  the names of those whose lease was lost
-- Before: messages were claimed under these names. After: the leases that are still held end a lease time from now by the
-- server's clock; nothing else was changed. One that is past its end but was taken by nobody is held again.
--include start
--include clock
--include shared
local deadline, gone = whole(now + ARGV[1]), {}
redis.call('HDEL', holders, '')  -- a write that needs no memory, first: then a full server (OOM) allows the others too
for i = 2, #ARGV do
  if redis.call('HEXISTS', holders, ARGV[i]) == 1 then
    redis.call('ZADD', leases, deadline, ARGV[i])
  else
    gone[#gone + 1] = ARGV[i]
  end
end
return gone
