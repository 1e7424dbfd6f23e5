-- Gives a claimed message back: it is the next one to be claimed.
--   KEYS   ready, inflight, leases, attempts, holders
--   ARGV   wake channel, element, id, holder, 1 to take the attempt back or 0 to let it count
--   reply  1: it is back. 0: the lease was lost, nothing was changed
-- Before: the message was claimed by this holder. After 1: it stands once at the ready list's right end, without lease.
if redis.call('HGET', KEYS[5], ARGV[3]) ~= ARGV[4] then return 0 end
redis.call('HDEL', KEYS[5], ARGV[3])  -- needs no memory, and first: then a full server (OOM) allows the others too
if redis.call('RPUSH', KEYS[1], ARGV[2]) == 1 then redis.pcall('PUBLISH', ARGV[1], '') end
redis.call('LREM', KEYS[2], -1, ARGV[2])
redis.call('ZREM', KEYS[3], ARGV[3])
if ARGV[5] == '1' and redis.call('HINCRBY', KEYS[4], ARGV[3], -1) <= 0 then redis.call('HDEL', KEYS[4], ARGV[3]) end
return 1
