local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- A number that was never given before and grows; never below the clock, so that it grows too when a crash has lost the
-- server's newest writes. It counts as given once it is kept.
local function next_token()
  return math.max(tonumber(redis.call('GET', last_token) or 0), time[1] * 1000000 + time[2]) + 1
end
local function keep_token(token) redis.call('SET', last_token, whole(token)) end
