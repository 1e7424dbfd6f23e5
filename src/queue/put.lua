-- Puts messages on the ready list in one step, all or none; the first of them is claimed first.
--   KEYS   ready
--   ARGV   wake channel, then elements "<id>\n<body>"
--   reply  length of the ready list afterwards
-- Before: any state. After: the elements stand at the ready list's left end, behind all that was there.
-- The channel is told only when the list had been empty: a consumer claims until it sees it empty, and then waits.
local before = redis.call('LLEN', KEYS[1])
for first = 2, #ARGV, 1000 do
  redis.call('LPUSH', KEYS[1], unpack(ARGV, first, math.min(first + 999, #ARGV)))
end
-- pcall: a user that may not publish is not refused after the push; consumers then find the messages by their poll.
if before == 0 then redis.pcall('PUBLISH', ARGV[1], '') end
return before + #ARGV - 1
