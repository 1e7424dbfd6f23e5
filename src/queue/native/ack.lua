-- Acknowledges messages: they were worked and are removed.
--   KEYS   see shared.lua
--   ARGV   for each claim: its name, then places of its messages, "<first>-<last>" of each run, separated by ','
--   reply  for each claim 1: all removed now; else a character for each message. 1: removed now. 0: the lease had been lost.
--          -: nobody knows the message: it was settled before
-- Before: the messages were claimed under these names. After 1 and -: they are nowhere. After 0: nothing was changed. A lease
-- that is past its end but was taken by nobody still counts as held.
--include shared
--include claims
local reply, tried, freed = {}, {}, {}

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

for i = 1, #ARGV, 2 do
  local name, places = ARGV[i], ARGV[i + 1]
  local c = claim_of(name)
  if c and c.left == c.count and c.others == '' and places == '0-' .. c.count - 1 then
    c.left, reply[#reply + 1] = 0, 1
  else
    local answers, same = {}, true
    for first, last in string.gmatch(places, '(%d+)-(%d+)') do
      for place = tonumber(first), tonumber(last) do
        local answer = ack(c, name, place)
        answers[#answers + 1] = answer
        same = same and answer == '1'
      end
    end
    reply[#reply + 1] = same and 1 or table.concat(answers)
  end
end
keep_claims()
if #tried > 0 then
  redis.call('HDEL', attempts, unpack(tried))
  redis.call('HDEL', history, unpack(tried))
end
for _, each in ipairs(freed) do free_group(each[1], each[2]) end
return reply
