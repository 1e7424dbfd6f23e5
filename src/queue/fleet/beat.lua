-- Writes, or removes, what a process says of itself.
--   KEYS   process, index, instance, index of instances, draining, index of draining ones, registry
--   ARGV   1  "working", "draining" or "gone"
--          2  the heartbeat's JSON up to the time
--          3  and from behind it
--          4  the instance's JSON up to total_processes
--          5  begin of the process keys of the instance
--          6  seconds that what is said is good for
--          7  seconds that the indices are
--          8  port where the process can be asked, or ''
--   reply  1: it was written. 0: the process drains or is gone, and this is an older word of it
-- Before: any state. After "working": the process is in the index, and its key holds the heartbeat. After "draining": it is
-- not, its key is gone, and the draining key holds the heartbeat. After "gone": none of the three. In all: the instance's
-- key holds the sum of its processes that are left, or is gone with the last one; indices name nobody who was not heard
-- for longer than they last. The registry has "localhost:<port>" while a process of the instance works there.
local process, index, instance, instances, draining, drains, registry = unpack(KEYS)
local state, head, tail, instance_head, siblings, good_for, listed_for, port = unpack(ARGV)
if state == 'working' and redis.call('EXISTS', draining) == 1 then return 0 end

local time = redis.call('TIME')
local now = string.format('%d.%06d', time[1], time[2])
local heartbeat = head .. now .. tail

local function list(key, member)
  redis.call('ZADD', key, now, member)
  redis.call('EXPIRE', key, listed_for)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('(%.6f', time[1] - listed_for))
end

if state == 'working' then
  redis.call('SETEX', process, good_for, heartbeat)
  list(index, process)
else
  redis.call('DEL', process)
  redis.call('ZREM', index, process)
  if state == 'draining' then
    redis.call('SETEX', draining, good_for, heartbeat)
    list(drains, draining)
  else
    redis.call('DEL', draining)
    redis.call('ZREM', drains, draining)
  end
end

local healthy, load, capacity, details, asked = 0, 0, 0, {}, false
for _, member in ipairs(redis.call('ZRANGE', index, 0, -1)) do
  local text = string.sub(member, 1, #siblings) == siblings and redis.call('GET', member)
  if text then
    local read, one = pcall(cjson.decode, text)
    if read and type(one) == 'table' then
      if one.health_status == 'ServiceHealth.HEALTHY' then healthy = healthy + 1 end
      load = load + (tonumber(one.current_load) or 0)
      capacity = capacity + (tonumber(one.max_capacity) or 0)
      asked = asked or tostring(one.port) == port
      details[#details + 1] = text
    end
  end
end
if asked then
  redis.call('SADD', registry, 'localhost:' .. port)
  redis.call('EXPIRE', registry, good_for)
elseif port ~= '' then
  redis.call('SREM', registry, 'localhost:' .. port)
end
if #details == 0 then
  redis.call('DEL', instance)
  redis.call('ZREM', instances, instance)
else
  local health = healthy == 0 and 'UNHEALTHY' or healthy * 2 < #details and 'DEGRADED' or 'HEALTHY'
  redis.call('SETEX', instance, good_for, instance_head .. string.format(
    '%d, "healthy_processes": %d, "total_load": %d, "total_capacity": %d, "overall_health": "ServiceHealth.%s", ' ..
    '"process_details": [%s], "last_updated": %s}',
    #details, healthy, load, capacity, health, table.concat(details, ', '), now))
  list(instances, instance)
end
return 1
