-- Gives claimed messages back as if they had not been claimed: they are the next ones of their lanes.
--   KEYS   see shared.lua
--   ARGV   for each message: token, element; the last one given stands rightmost
--   reply  for each 1: it is back. 0: the lease had been lost. -1: nobody knows the token: it was settled before
-- Before: the messages were claimed under these tokens. After 1: each stands once in its ready list, or before those that wait
-- for its conversation, whose next one is ready; the attempt is not counted.
--include shared
--include lane
--include record
local reply = {}
for i = 1, #ARGV, 2 do
  local h, why = take_out(ARGV[i], ARGV[i + 1])
  if h then
    back_to_ready(h.l, ARGV[i + 1], h.g)
    settle_lane(h, false)
    release(h.i, h.w)
    release(h.g, h.w)
  end
  reply[#reply + 1] = h and 1 or why
end
return reply
