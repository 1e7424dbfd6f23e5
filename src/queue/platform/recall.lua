-- Gives back what a claim took whose answer was lost, as if it had not been claimed.
--   KEYS   see shared.lua
--   ARGV   name of the claim
--   reply  how many messages were given back
-- Before: nobody works on messages of this claim. After: they stand at the ready lists' right ends in their old order, without
-- locks. Run again it does nothing. Its cost grows with what is in flight, which is why only a loss brings it about.
--include shared
--include lane
--include record
local tokens, all = {}, redis.call('HGETALL', holders)
for i = 2, #all, 2 do
  if cjson.decode(all[i]).c == ARGV[1] then tokens[#tokens + 1] = all[i - 1] end
end
table.sort(tokens, function(a, b) return tonumber(a) > tonumber(b) end)  -- the newest goes back first
local count = 0
for _, token in ipairs(tokens) do
  local h = holder_of(token)
  local element = flies(h.l, h.i)
  h = element and take_out(token, element)
  if h then
    back_to_ready(h.l, element, h.g)
    settle_lane(h, false)
    release(h.i, h.w)
    release(h.g, h.w)
    count = count + 1
  end
end
return count
