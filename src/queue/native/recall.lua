-- Gives back what a claim took whose answer was lost, as if it had not been claimed.
--   KEYS   see start.lua
--   ARGV   name of the claim, 1 when messages of groups were claimed without regard to them: later claims look for groups
--   reply  how many messages were given back
-- Before: nobody works on messages of this claim. After: they stand at the ready lists' right ends in their old order,
-- without lease. Run again it does nothing; a claim of this name that comes only now takes nothing, for ten minutes.
--include start
--include clock
--include shared
--include claims
local name, c = ARGV[1], claim_of(ARGV[1])
redis.call('HDEL', holders, '')  -- a write that needs no memory, first: then a full server (OOM) allows the others too
redis.call('SET', recalled(name), '1', 'PX', '600000')
if not c then return 0 end
if ARGV[2] == '1' then redis.call('SET', grouped, 1) end
local elements, count = redis.call('LRANGE', list_of(name), 0, -1), 0
for place = #elements - 1, 0, -1 do  -- the newest goes back first
  if not is_settled(c, place) then
    local _, lane, group = told_of(c, place)
    free_group(group, whole(c.first + place), true)
    redis.call('RPUSH', ready(lane), elements[place + 1])
    count = count + 1
  end
end
c.left = 0
keep_claims()
return count
