-- KEYS: the queue's name, then its ready lists. All other keys are made of the name.
local base, lanes = KEYS[1], #KEYS - 1
local inflight, leases, holders, last_token = base .. ':inflight', base .. ':leases', base .. ':holders', base .. ':token'
local function whole(n) return string.format('%d', n) end  -- of all numbers here, and a third of the time of '%.0f'

-- The elements of a claim, see claims.lua.
local function list_of(name) return base .. ':claim:' .. name end
-- There once the claim was recalled: should it come only now, it takes nothing.
local function recalled(name) return list_of(name) .. ':recalled' end
