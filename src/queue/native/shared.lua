local lost, attempts, history, groups, parked = base .. ':lost', base .. ':attempts', base .. ':history', base .. ':groups',
  base .. ':parked'
local delayed, delayed_items = base .. ':delayed', base .. ':delayed:items'
local dead, dead_items, dead_notes = base .. ':dead', base .. ':dead:items', base .. ':dead:notes'
local grouped = base .. ':grouped'  -- set for good once a message of a group was put
local function ready(lane) return KEYS[1 + lane] end

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
