-- Acknowledges messages: they were worked and are removed.
--   KEYS   see start.lua
--   ARGV   for each claim: its name, then places of its messages, "<first>-<last>" of each run, separated by ','
--   reply  for each claim 1: all removed now; else a character for each message. 1: removed now. 0: the lease had been lost.
--          -: nobody knows the message: it was settled before
-- Before: the messages were claimed under these names. After 1 and -: they are nowhere. After 0: nothing was changed. A lease
-- that is past its end but was taken by nobody still counts as held.
--include start
local reply, rest = {}, {}

-- Most claims are done whole, plain ones. Nothing else is begun before: a script's functions and names cost more than this.
local over, lists, count_of_all, values = {}, {}, 0, {}
for i = 1, #ARGV, 2 do
  local name = ARGV[i]
  local value = redis.call('HGET', holders, name)
  local count = string.match(value or '', '^%d+ (%d+) %1 %d+ [01] $')
  if count and ARGV[i + 1] == '0-' .. whole(count - 1) then
    over[#over + 1], lists[#lists + 1], count_of_all = name, list_of(name), count_of_all + count
    reply[(i + 1) / 2] = 1
  else
    rest[#rest + 1], values[name] = i, value
  end
end
if #over > 0 then
  redis.call('HDEL', holders, unpack(over))  -- needs no memory: then a full server (OOM) allows the rest
  redis.call('ZREM', leases, unpack(over))
  redis.call('UNLINK', unpack(lists))
  if redis.call('DECRBY', inflight, whole(count_of_all)) <= 0 then redis.call('DEL', inflight) end
end
if #rest == 0 then return reply end

--include clock
--include shared
--include claims
local tried, freed = {}, {}

local function ack(c, name, place)
  if not c then return redis.call('ZSCORE', lost, name .. ':' .. place) and '0' or '-' end
  if is_settled(c, place) then return '-' end
  if c.others ~= '' then
    local attempt, _, group = told_of(c, place)
    if attempt > 1 then tried[#tried + 1] = head_of(redis.call('LINDEX', list_of(name), place) or '') end
    if group ~= '' then freed[#freed + 1] = {group, whole(c.first + place)} end
  end
  settle(c, place)
  return '1'
end

for _, i in ipairs(rest) do
  local name, answers, same = ARGV[i], {}, true
  local c = values[name] and read_holder(name, values[name])
  claims[name] = c
  for first, last in string.gmatch(ARGV[i + 1], '(%d+)-(%d+)') do
    for place = tonumber(first), tonumber(last) do
      local answer = ack(c, name, place)
      answers[#answers + 1] = answer
      same = same and answer == '1'
    end
  end
  reply[(i + 1) / 2] = same and 1 or table.concat(answers)
end
keep_claims()
if #tried > 0 then
  redis.call('HDEL', attempts, unpack(tried))
  redis.call('HDEL', history, unpack(tried))
end
for _, each in ipairs(freed) do free_group(each[1], each[2]) end
return reply
