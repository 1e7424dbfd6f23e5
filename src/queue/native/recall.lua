-- Gives back what a claim took whose answer was lost, as if it had not been claimed.
--   KEYS   see shared.lua
--   ARGV   name of the claim
--   reply  how many messages were given back
-- Before: nobody works on messages of this claim. After: they stand at the ready lists' right ends in their old order,
-- without lease. Run again it does nothing. Its cost grows with what is in flight, which is why only a loss brings it about.
--include shared
local tokens, all = {}, redis.call('HGETALL', holders)
for i = 2, #all, 2 do
  local _, _, claim = holder_of(all[i])
  if claim == ARGV[1] then tokens[#tokens + 1] = all[i - 1] end
end
table.sort(tokens, function(a, b) return tonumber(a) > tonumber(b) end)  -- the newest goes back first
for _, token in ipairs(tokens) do
  local _, lane, _, group = holder_of(redis.call('HGET', holders, token))
  local element = redis.call('HGET', inflight, token)
  forget(token, group, true)
  redis.call('RPUSH', ready(lane), element)
end
return #tokens
