-- Acknowledges a message: it was worked and is removed.
--   KEYS   inflight, leases, attempts, holders
--   ARGV   element, id, holder
--   reply  1: removed now. 0: the lease was lost, the message is ready or held by another claim. -1: nobody knows the
--          message any more: it was acknowledged before
-- Before: the message was claimed by this holder. After 1 and -1: it is nowhere. After 0: nothing was changed.
-- A lease that is past its end but was taken by nobody still counts as held.
if redis.call('HGET', KEYS[4], ARGV[2]) ~= ARGV[3] then
  -- Attempts are counted until a message is acknowledged: where there is a count, the message still exists.
  return redis.call('HEXISTS', KEYS[3], ARGV[2]) - 1
end
redis.call('LREM', KEYS[1], -1, ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[2])
redis.call('HDEL', KEYS[3], ARGV[2])
redis.call('HDEL', KEYS[4], ARGV[2])
return 1
