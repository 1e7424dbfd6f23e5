-- Acknowledges messages: they were worked and are removed.
--   KEYS   see shared.lua
--   ARGV   tokens
--   reply  for each 1: removed now. 0: the lease had been lost. -1: nobody knows the token: it was settled before
-- Before: the messages were claimed under these tokens. After 1 and -1: they are nowhere. After 0: nothing was changed. A lease
-- that is past its end but was taken by nobody still counts as held.
--include shared
local held = redis.call('HMGET', holders, unpack(ARGV))
local reply, tokens = {}, {}
local tried, grouped = {}, false  -- tokens of messages that had been tried before
for i, token in ipairs(ARGV) do
  local holder = held[i]
  if not holder then
    reply[i] = not_held(token)
  else
    reply[i], tokens[#tokens + 1] = 1, token
    local one, colon = string.byte(holder, 1, 2)
    if one ~= 49 or colon ~= 58 then tried[#tried + 1] = token end  -- not '1:'
    grouped = grouped or string.byte(holder, -1) ~= 58
  end
end
if #tokens == 0 then return reply end
if #tried > 0 then
  local ids = {}
  for i, element in ipairs(redis.call('HMGET', inflight, unpack(tried))) do ids[i] = element and (head_of(element)) or '' end
  redis.call('HDEL', attempts, unpack(ids))
  redis.call('HDEL', history, unpack(ids))
end
redis.call('HDEL', holders, unpack(tokens))
redis.call('HDEL', inflight, unpack(tokens))
redis.call('ZREM', leases, unpack(tokens))
if not grouped then return reply end
for i, token in ipairs(ARGV) do
  if held[i] then
    local _, _, _, group = holder_of(held[i])
    free_group(group, token)
  end
end
return reply
