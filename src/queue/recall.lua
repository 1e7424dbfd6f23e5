-- Gives back what a claim took whose answer was lost, as if it had not been claimed.
--   KEYS   ready, inflight, leases, attempts, holders
--   ARGV   wake channel, name of the claim
--   reply  how many messages were given back
-- Before: nobody works on messages of this claim. After: they stand at the ready list's right end in their old order,
-- without lease. Run again it does nothing.
local wanted, left = {}, 0
local holders = redis.call('HGETALL', KEYS[5])
for i = 2, #holders, 2 do
  if string.sub(holders[i], -#ARGV[2] - 1) == ':' .. ARGV[2] then
    wanted[holders[i - 1]] = true
    left = left + 1
  end
end
if left == 0 then return 0 end
redis.call('HDEL', KEYS[5], '')  -- a write that needs no memory, first: then a full server (OOM) allows the others too

local function id_of(element)  -- as in claim.lua
  return string.match(string.sub(element, 1, 129), '^([^%c]+)\n') or redis.sha1hex(element)
end

-- A claim adds its messages on the left, the oldest first: read from the left, the newest is found first, and goes back
-- first. In small steps, because bodies may be large.
local step, at = 16, 0
local was_empty, back = redis.call('LLEN', KEYS[1]) == 0, 0
while left > 0 do
  local elements = redis.call('LRANGE', KEYS[2], at, at + step - 1)
  if #elements == 0 then break end
  at = at + #elements
  for _, element in ipairs(elements) do
    local id = id_of(element)
    if wanted[id] then
      redis.call('RPUSH', KEYS[1], element)
      redis.call('LREM', KEYS[2], 1, element)
      redis.call('ZREM', KEYS[3], id)
      redis.call('HDEL', KEYS[5], id)
      if redis.call('HINCRBY', KEYS[4], id, -1) <= 0 then redis.call('HDEL', KEYS[4], id) end
      wanted[id] = nil
      left, at, back = left - 1, at - 1, back + 1
    end
  end
end
if back > 0 and was_empty then redis.pcall('PUBLISH', ARGV[1], '') end
return back
