-- A claim: its elements are a list, in the order in which they were taken, the places counted from 0; the message at place i
-- has the token first + i. `holders` knows of each claim "<first> <how many> <not settled> <lane> <1: large> <marks>", then
-- for each message that is of another lane, of a group, or not claimed for the first time "LF <place> <attempt> <lane>
-- <group>". A mark tells for each place whether it is settled, 0 or 1; none of them: no place is.
local function read_holder(name, value)
  local first, count, left, lane, large, marks, others = string.match(value, '^(%d+) (%d+) (%d+) (%d+) ([01]) ([01]*)(.*)$')
  return {name = name, first = tonumber(first), count = tonumber(count), left = tonumber(left), before = tonumber(left),
    lane = lane_or_first(tonumber(lane)), large = large == '1', marks = marks, others = others}
end
local function write_holder(c)
  return whole(c.first) .. ' ' .. c.count .. ' ' .. c.left .. ' ' .. c.lane .. ' ' .. (c.large and 1 or 0) .. ' ' .. c.marks .. c.others
end

local claims = {}  -- those that this call looks at, by name; false: nobody holds it
local function claim_of(name)
  local c = claims[name]
  if c == nil then
    local value = redis.call('HGET', holders, name)
    c = value and read_holder(name, value) or false
    claims[name] = c
  end
  return c
end

local function is_settled(c, place)
  return place >= c.count or string.byte(c.marks, place + 1) == 49
end

-- Attempt, lane, group of a message.
local function told_of(c, place)
  if c.others == '' then return 1, c.lane, '' end
  local attempt, lane, group = string.match(c.others, '\n' .. place .. ' (%d+) (%d+) ([^\n]*)')
  if not attempt then return 1, c.lane, '' end
  return tonumber(attempt), lane_or_first(tonumber(lane)), group
end

-- Marks a message; keep_claims() has to follow.
local function settle(c, place)
  if c.marks == '' then c.marks = string.rep('0', c.count) end
  c.marks = string.sub(c.marks, 1, place) .. '1' .. string.sub(c.marks, place + 2)
  c.left = c.left - 1
  if c.large and c.left > 0 then
    redis.call('HDEL', holders, '')  -- a write that needs no memory, first: then a full server (OOM) allows the next too
    redis.call('LSET', list_of(c.name), place, '')
  end
end

-- Takes a message out of its claim and returns it; else nil, and the reply that says why not.
local function take(name, place)
  local c = claim_of(name)
  if not c then return nil, redis.call('ZSCORE', lost, name .. ':' .. place) and 0 or -1 end
  if is_settled(c, place) then return nil, -1 end
  local m = {element = redis.call('LINDEX', list_of(name), place), token = whole(c.first + place)}
  m.attempt, m.lane, m.group = told_of(c, place)
  settle(c, place)
  if not m.element then return nil, 0 end  -- other hands removed it
  return m
end

-- Writes what became of the claims looked at. The first write needs no memory: then a full server (OOM) allows the others.
local function keep_claims()
  local over, lists, kept, settled = {''}, {}, {}, 0
  for name, c in pairs(claims) do
    if c and c.left < c.before then
      settled = settled + c.before - c.left
      if c.left == 0 then
        over[#over + 1], lists[#lists + 1] = name, list_of(name)
      else
        kept[#kept + 1], kept[#kept + 2] = name, write_holder(c)
      end
    end
  end
  if settled == 0 then return end
  redis.call('HDEL', holders, unpack(over))
  if #lists > 0 then
    redis.call('UNLINK', unpack(lists))
    redis.call('ZREM', leases, unpack(over))
  end
  if #kept > 0 then redis.call('HSET', holders, unpack(kept)) end
  if redis.call('DECRBY', inflight, whole(settled)) <= 0 then redis.call('DEL', inflight) end
end

-- The group runs no more: the next message of it that was parked is the next one to be claimed. `returns`: the message that
-- ran comes back to the right end; then it stays the first of its group, and will free the group itself.
local function free_group(group, token, returns)
  if group == '' or redis.call('HGET', groups, group) ~= token then return end
  redis.call('HDEL', groups, group)
  if returns then return end
  local next = redis.call('LPOP', base .. ':parked:' .. group)
  if next then
    local lane, element = from_aside(next)
    redis.call('RPUSH', ready(lane), element)
    redis.call('DECR', parked)
  end
end
