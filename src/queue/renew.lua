-- Renews all leases of a consumer at once.
--   KEYS   leases, holders
--   ARGV   lease in ms, then for each message: id, holder
--   reply  the holders whose lease was lost
-- Before: each message was claimed by its holder. After: the leases that are still held end a lease time from now by
-- the server's clock; nothing else was changed. One that is past its end but was taken by nobody is held again.
redis.call('HDEL', KEYS[2], '')  -- a write that needs no memory, first: then a full server (OOM) allows the others too
local time = redis.call('TIME')
local deadline = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[1])
local lost = {}
for i = 2, #ARGV, 2 do
  if redis.call('HGET', KEYS[2], ARGV[i]) == ARGV[i + 1] then
    redis.call('ZADD', KEYS[1], deadline, ARGV[i])
  else
    lost[#lost + 1] = ARGV[i + 1]
  end
end
return lost
