-- KEYS: the queue's name, then its ready lists. All other keys are made of the name.
local base, lanes = KEYS[1], #KEYS - 1
local inflight, leases, holders, last_token = base .. ':inflight', base .. ':leases', base .. ':holders', base .. ':token'
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function whole(n) return string.format('%d', n) end  -- of all numbers here, and a third of the time of '%.0f'

-- The elements of a claim, see claims.lua.
local function list_of(name) return base .. ':claim:' .. name end
-- There once the claim was recalled: should it come only now, it takes nothing.
local function recalled(name) return list_of(name) .. ':recalled' end

-- A number that was never given before and grows; never below the clock, so that it grows too when a crash has lost the
-- server's newest writes. It counts as given once it is kept.
local function next_token()
  return math.max(tonumber(redis.call('GET', last_token) or 0), time[1] * 1000000 + time[2]) + 1
end
local function keep_token(token) redis.call('SET', last_token, whole(token)) end
