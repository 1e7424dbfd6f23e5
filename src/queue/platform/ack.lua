-- Acknowledges messages: they were worked and are removed.
--   KEYS   see shared.lua
--   ARGV   for each message: token, element
--   reply  for each 1: removed now. 0: the lease had been lost. -1: nobody knows the token: it was settled before
-- Before: the messages were claimed under these tokens. After 1: each is nowhere, its conversation is free and the next one of
-- it ready; the event of a wake-up is marked as consumed and its lane may be handled on. After 0: nobody has a lock under this
-- token. The lock of the message, had it ended or not, ends 3 s later: a reaper of the platform reads the list in flight, then each lock, and would
-- put back what was acknowledged in between.
--include shared
--include lane
--include record
local reply = {}
for i = 1, #ARGV, 2 do
  local h, why = take_out(ARGV[i], ARGV[i + 1])
  if h then
    if h.a > 1 then
      redis.call('HDEL', attempts, h.i)
      redis.call('HDEL', history, h.i)
    end
    if h.e then
      pcall(consume_event, h.e)
      settle_lane(h, true)
    end
    redis.call('SET', lock .. h.i, h.w, 'PX', 3000)
    release(h.g, h.w)
  end
  reply[#reply + 1] = h and 1 or why
end
return reply
