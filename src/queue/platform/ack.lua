-- Acknowledges messages: they were worked and are removed.
--   KEYS   see shared.lua
--   ARGV   for each message: token, element
--   reply  for each 1: removed now. 0: the lease had been lost. -1: nobody knows the token: it was settled before
-- Before: the messages were claimed under these tokens. After 1: each is nowhere, its locks are free and the next one of its
-- conversation is ready; the event of a wake-up is marked as consumed and its lane may be handled on. After 0: nobody has a
-- lock under this token.
--include shared
--include lane
local reply = {}
for i = 1, #ARGV, 2 do
  local h, why = take_out(ARGV[i], ARGV[i + 1])
  if h then
    redis.call('HDEL', attempts, h.i)
    redis.call('HDEL', history, h.i)
    if h.e then
      consume_event(h.e)
      settle_lane(h, true)
    end
    release(h.i, h.w)
    release(h.g, h.w)
  end
  reply[#reply + 1] = h and 1 or why
end
return reply
