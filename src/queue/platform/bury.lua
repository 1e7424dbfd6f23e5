-- Puts messages on the dead list.
--   KEYS   see shared.lua
--   ARGV   name of the consumer, then for each message: token, element, reason
--   reply  for each 1: done. 0: the lease had been lost. -1: nobody knows the token: it was settled before
-- Before: the messages were claimed under these tokens. After 1: each is dead, with its history; its locks are free. The event
-- of a wake-up stays open, so that it is worked when the message is put back.
--include shared
--include lane
--include record
local by, reply = ARGV[1], {}
for i = 2, #ARGV, 3 do
  local token, element, reason = unpack(ARGV, i, i + 2)
  local h, why = take_out(token, element)
  if h then
    note(h.i, h.a, by, reason)
    bury(token, h.i, h.a, h.l, element, reason)
    settle_lane(h, true)
    release(h.i, h.w)
    release(h.g, h.w)
  end
  reply[#reply + 1] = h and 1 or why
end
return reply
