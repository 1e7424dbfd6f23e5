-- Renews all leases of a consumer at once.
--   KEYS   see shared.lua
--   ARGV   lease in ms, ms of the mark of a message that was handed out or 0, then tokens
--   reply  the tokens whose lease was lost
-- Before: the messages were claimed under these tokens. After: the locks that are still held, and those of their
-- conversations, end a lease time from now. A lock that is past its end is taken again while the message is in flight and
-- nobody else has it. Of those that were lost nobody has a lock under this token.
--include shared
redis.call('HDEL', holders, '')  -- a write that needs no memory, first: then a full server (OOM) allows the others too
local lease, marked = ARGV[1], ARGV[2]

-- True when the lock is ours for a lease time from now.
local function keep(name, value)
  local held = redis.call('GET', lock .. name)
  if held == value then return redis.call('PEXPIRE', lock .. name, lease) == 1 end
  return not held and redis.call('SET', lock .. name, value, 'PX', lease) and true
end

local function renew(token)
  local h = holder_of(token)
  if not h then return false end
  local held = redis.call('EXISTS', lock .. h.i) == 1
  if held or flies(h.l, h.i) then
    if keep(h.i, h.w) and (h.g == '' or keep(h.g, h.w)) then
      if marked ~= '0' then redis.call('PEXPIRE', lock .. 'started:' .. h.i, marked) end
      return true
    end
  end
  lose(token, h)
  for _, name in ipairs({h.i, h.g}) do
    if name ~= '' and redis.call('GET', lock .. name) == h.w then release(name, h.w) end
  end
  return false
end

local gone = {}
for i = 3, #ARGV do
  if not renew(ARGV[i]) then gone[#gone + 1] = ARGV[i] end
end
return gone
