-- Gives messages back to be tried again later; after too many attempts to the dead list.
--   KEYS   see shared.lua
--   ARGV   most attempts or 0, name of the consumer, then for each message: token, element, reason, due: "+<ms from now>",
--          "<server's ms>", or '' for at once
--   reply  for each 1: done. 0: the lease had been lost. -1: nobody knows the token: it was settled before
-- Before: the messages were claimed under these tokens. After 1: each is delayed, or the next to be claimed of its lane, or
-- dead, with its attempt counted and the reason in its history; its locks are free.
--include shared
--include lane
--include record
local most, by = tonumber(ARGV[1]), ARGV[2]
local reply = {}
for i = 3, #ARGV, 4 do
  local token, element, reason, due = unpack(ARGV, i, i + 3)
  local h, why = take_out(token, element)
  if h then
    local over = most > 0 and h.a >= most
    note(h.i, h.a, by, reason)
    if over then
      bury(token, h.i, h.a, h.l, element, 'attempt ' .. h.a .. ' of ' .. most .. ': ' .. reason)
    else
      redis.call('HSET', attempts, h.i, h.a)
      if due == '' then
        back_to_ready(h.l, element, h.g)
      else
        due = string.sub(due, 1, 1) == '+' and now + tonumber(string.sub(due, 2)) or tonumber(due)
        redis.call('HSET', delayed_items, token, aside(h.l, element))
        redis.call('ZADD', delayed, whole(due), token)
      end
    end
    settle_lane(h, over)
    release(h.i, h.w)
    release(h.g, h.w)
  end
  reply[#reply + 1] = h and 1 or why
end
return reply
