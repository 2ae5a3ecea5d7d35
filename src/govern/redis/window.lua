-- A window: what was counted in the last 60 seconds, and in the one that runs. A hash:
--   e        its epoch: when it was made, microseconds
--   s        the second up to which it has been advanced
--   r<0..60> requests, t<0..60> tokens of a second, by its remainder; rs, ts their sums; ra, ta the newest
--   n:<replica> the last batch that was added from there

local SPAN = 61
-- From when it was made or advanced, so once a second: long enough for what is counted at that second's end.
local WINDOW_MS = 65000

-- A Redis that is full refuses a script's first write, if it is one that needs room, and lets every later
-- one pass: so whatever needs none comes behind one that does.

local function make_window(name)
  redis.call('HSET', name, 'e', now * 1000, 's', second, 'rs', 0, 'ts', 0)
  redis.call('PEXPIRE', name, WINDOW_MS)
  return now * 1000
end

-- All that is counted is held to have happened now: where the clock went back.
local function redate_window(name)
  local sums = redis.call('HMGET', name, 'rs', 'ts')
  for s = 0, SPAN - 1 do
    redis.call('HDEL', name, 'r' .. s, 't' .. s)
  end
  local slot = second % SPAN
  redis.call('HSET', name, 's', second, 'r' .. slot, sums[1], 't' .. slot, sums[2], 'ra', second, 'ta', second)
end

-- Takes what has run out since the second `from` off the sums.
local function advance_window(name, from)
  redis.call('HSET', name, 's', second)
  redis.call('PEXPIRE', name, WINDOW_MS)
  if from > second then
    redate_window(name)
    return
  end
  local slots, gone, less = {}, {}, { 0, 0 }
  for s = math.max(from + 1, second - SPAN + 1), second do
    slots[#slots + 1] = 'r' .. (s % SPAN)
    slots[#slots + 1] = 't' .. (s % SPAN)
  end
  local counted = redis.call('HMGET', name, unpack(slots))
  for i, slot in ipairs(slots) do
    if counted[i] then
      local kind = (i % 2 == 1) and 1 or 2
      less[kind] = less[kind] + tonumber(counted[i])
      gone[#gone + 1] = slot
    end
  end
  if #gone > 0 then
    redis.call('HDEL', name, unpack(gone))
    redis.call('HINCRBY', name, 'rs', integer(-less[1]))
    redis.call('HINCRBY', name, 'ts', integer(-less[2]))
  end
end
