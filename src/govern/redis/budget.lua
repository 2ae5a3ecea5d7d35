-- A budget's counter in one period. A hash:
--   e          the state of the database that it began with: when that was read, microseconds
--   r          its life: when it was made
--   t, c       tokens and cost that are spent
--   <replica>  what that one has reserved: its session's generation, then tokens and cost that it was granted in that
--              session altogether, how much of them is free again, and its last batch that was taken over

local RESERVED = '^(%d+) (%-?%d+) (%-?%d+) ((%-?%d+) (%-?%d+) (%d+))$'

-- Says among an organization's sessions that this replica is alive: what is reserved by one of whom nothing is known
-- there is removed.
local function say_alive(sessions, replica, generation)
  redis.call('HSET', sessions, replica, integer(generation) .. ' ' .. integer(now))
  redis.call('PEXPIRE', sessions, 24 * 3600 * 1000)
end
