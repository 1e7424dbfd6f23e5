local inflight, leases, holders, lost, attempts, history, groups, parked, delayed, delayed_items, dead, dead_items, dead_notes,
  last_token, base = unpack(KEYS, 1, 15)
local function ready(lane) return KEYS[15 + lane] end
local lanes = #KEYS - 15
local grouped = base .. ':grouped'  -- set for good once a message of a group was put

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function whole(n) return string.format('%d', n) end  -- of all numbers here, and a third of the time of '%.0f'

-- What stands before an element's body: id, when it was put, group. Other hands may have put no head: then the id is the SHA1.
local function head_of(element)
  local line = string.match(string.sub(element, 1, 300), '^([^\n]*)\n')
  local id, at, group = nil, nil, ''
  if line then
    id, at, group = string.match(line, '^([^%c]+)\31(%d+)\31([^%c]*)$')
    if not id then id, at = string.match(line, '^([^%c]+)\31(%d+)$') end
    if not id then id = string.match(line, '^[^%c]+$') end
  end
  return id or redis.sha1hex(element), tonumber(at or 0), group or ''
end

-- The queue may have been opened with fewer lanes since.
local function lane_or_first(lane) return lane <= lanes and lane or 1 end

-- "lane RS element", as it is kept aside.
local function aside(lane, element) return lane .. '\30' .. element end
local function from_aside(kept)
  local at = string.find(kept, '\30', 1, true)
  return lane_or_first(tonumber(string.sub(kept, 1, at - 1))), string.sub(kept, at + 1)
end

-- A number that was never given before and grows; never below the clock, so that it grows too when a crash has lost the
-- server's newest writes. It counts as given once it is kept.
local function next_token()
  return math.max(tonumber(redis.call('GET', last_token) or 0), time[1] * 1000000 + time[2]) + 1
end
local function keep_token(token) redis.call('SET', last_token, whole(token)) end

-- The elements of a claim, see claims.lua.
local function list_of(name) return base .. ':claim:' .. name end
-- There once the claim was recalled: should it come only now, it takes nothing.
local function recalled(name) return list_of(name) .. ':recalled' end
