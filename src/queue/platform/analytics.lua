-- Adds what a process has worked to the platform's analytics.
--   KEYS   for each lane: ready list, analytics, minutes
--   ARGV   seconds that analytics are kept, then for each lane: messages worked, seconds that they had waited together
--   reply  OK
-- Before: any state. After: each lane's JSON has the new sums; figures of today begin anew with the day in UTC, and those of
-- the last hour are of the last sixty minutes. A lane of which nothing was ever said gets no key before there is something.
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local day, minute = math.floor(now / 86400), math.floor(now / 60)

local function last_hour(key, count)
  if count > 0 then redis.call('HINCRBY', key, minute, count) end
  local sum, minutes = 0, redis.call('HGETALL', key)
  for i = 1, #minutes, 2 do
    if tonumber(minutes[i]) > minute - 60 then
      sum = sum + minutes[i + 1]
    else
      redis.call('HDEL', key, minutes[i])
    end
  end
  if count > 0 then redis.call('EXPIRE', key, 3660) end
  return sum
end

for lane = 1, #KEYS / 3 do
  local ready, analytics, minutes = unpack(KEYS, 3 * lane - 2, 3 * lane)
  local count, waited = tonumber(ARGV[2 * lane]), tonumber(ARGV[2 * lane + 1])
  local depth, before = redis.call('LLEN', ready), redis.call('GET', analytics)
  if before or count > 0 or depth > 0 then
    local read, old = pcall(cjson.decode, before or '{}')
    if not read or type(old) ~= 'table' then old = {} end
    local function figure(name) return tonumber(old[name]) or 0 end
    local today = math.floor(figure('last_updated') / 86400) == day
    local total = figure('total_processed') + count
    redis.call('SETEX', analytics, ARGV[1], string.format(
      '{"avg_wait_time": %.6f, "processed_today": %d, "peak_size_today": %d, "last_updated": %.6f, ' ..
      '"throughput_last_hour": %d, "total_processed": %d}',
      total > 0 and (figure('avg_wait_time') * (total - count) + waited) / total or 0,
      (today and figure('processed_today') or 0) + count,
      math.max(today and figure('peak_size_today') or 0, depth),
      now, last_hour(minutes, count), total))
  end
end
return 'OK'
