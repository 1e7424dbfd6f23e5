-- Gives claimed messages back: they are the next ones to be claimed.
--   KEYS   ready, inflight, leases, attempts, holders
--   ARGV   wake channel, 1 to take the attempts back or 0 to let them count, then for each message: element, id, holder
--   reply  for each message 1: it is back, or 0: the lease was lost, nothing was changed
-- Before: the messages were claimed by these holders. After 1: it stands once at the ready list's right end, the last one
-- given rightmost, without lease.
redis.call('HDEL', KEYS[5], '')  -- a write that needs no memory, first: then a full server (OOM) allows the others too
local was_empty, any = redis.call('LLEN', KEYS[1]) == 0, false
local reply = {}
for i = 3, #ARGV, 3 do
  local element, id = ARGV[i], ARGV[i + 1]
  local held = redis.call('HGET', KEYS[5], id) == ARGV[i + 2]
  if held then
    redis.call('RPUSH', KEYS[1], element)
    redis.call('LREM', KEYS[2], -1, element)
    redis.call('ZREM', KEYS[3], id)
    redis.call('HDEL', KEYS[5], id)
    if ARGV[2] == '1' and redis.call('HINCRBY', KEYS[4], id, -1) <= 0 then redis.call('HDEL', KEYS[4], id) end
    any = true
  end
  reply[#reply + 1] = held and 1 or 0
end
if any and was_empty then redis.pcall('PUBLISH', ARGV[1], '') end
return reply
