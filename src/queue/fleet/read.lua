-- Reads the heartbeats of the processes of a service.
--   KEYS   index of the processes
--   ARGV   how many seconds old a heartbeat may be
--   reply  the server's time in seconds as text, then the heartbeats: JSON
-- Before, after: any state; nothing is changed. Processes that are in the index but not heard any more are left out: their
-- keys have ended.
local time = redis.call('TIME')
local reply = {string.format('%d.%06d', time[1], time[2])}
local oldest = string.format('%.6f', time[1] - ARGV[1])
local members = redis.call('ZRANGEBYSCORE', KEYS[1], oldest, '+inf')
for first = 1, #members, 1000 do
  for _, heartbeat in ipairs(redis.call('MGET', unpack(members, first, math.min(first + 999, #members)))) do
    if heartbeat then reply[#reply + 1] = heartbeat end
  end
end
return reply
