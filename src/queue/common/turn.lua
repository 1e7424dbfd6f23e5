-- Whose turn it is to reap. `key`: who reaps, until when, when anybody last asked to, whether that pass was left out. `hold`:
-- ms for which no other one does, twice the time between passes and a second.
local function keep_turn(key, who, till, left_out, hold)
  redis.call('SET', key, who .. ' ' .. string.format('%d', till) .. ' ' .. string.format('%d', now) .. ' ' .. left_out, 'PX',
    string.format('%d', 4 * hold))
end

-- Nothing when it is the caller's turn; else the reply that says that it is not, or not yet.
local function not_now(key, name, hold)
  local who, till, asked, left_out = string.match(redis.call('GET', key) or '', '^(.*) (%d+) (%d+) (%d)$')
  till = tonumber(till or 0)
  if who and who ~= name and till > now and till <= now + hold then  -- a hold that ends later is of before the clock went back
    keep_turn(key, who, till, left_out, hold)
    return {-1}
  end
  -- A pass that comes late: the server was away or stood still, and so were those who renew leases. They come first.
  local late = not asked or now - tonumber(asked) > 1.1 * (hold - 1000) / 2 + 300
  local leave_out = late and left_out ~= '1'
  keep_turn(key, name, now + hold, leave_out and '1' or '0', hold)
  if leave_out then return {0, 0, 0} end
end
