-- A page of the dead list, the longest dead first.
--   KEYS   see start.lua
--   ARGV   number of the last message of the page before or '', most messages, most bytes
--   reply  1 when there are more, then for each message: number, when it died, lane, element, notes: "<attempts> LF <reason>
--          LF <history, one JSON object a line>"
-- Nothing is changed.
--include start
--include clock
--include shared
local first, count, bytes_left = 0, tonumber(ARGV[2]), tonumber(ARGV[3])
if ARGV[1] ~= '' then
  local rank = redis.call('ZRANK', dead, ARGV[1])
  -- One that is gone meanwhile: numbers grow with time, so it stood before all that died later.
  first = rank and rank + 1 or redis.call('ZCOUNT', dead, '-inf', '(' .. whole(math.floor(tonumber(ARGV[1]) / 1000)))
end
local reply, numbers = {0}, redis.call('ZRANGE', dead, first, first + count, 'WITHSCORES')
for i = 1, #numbers, 2 do
  if i > 2 * count or bytes_left <= 0 then
    reply[1] = 1
    break
  end
  local kept = redis.call('HGET', dead_items, numbers[i])
  if kept then
    local lane, element = from_aside(kept)
    bytes_left = bytes_left - #element
    local notes = redis.call('HGET', dead_notes, numbers[i]) or '0\n\n'
    for _, value in ipairs({numbers[i], numbers[i + 1], lane, element, notes}) do reply[#reply + 1] = value end
  end
end
return reply
