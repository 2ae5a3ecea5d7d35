-- What every script begins with: arguments in order, whole numbers, the time.
-- Numbers are exact up to 2^53: 9 million dollars in units of 10^-9.

local arguments, keys = ARGV, KEYS
local argument, key = 0, 0
local function text()
  argument = argument + 1
  return arguments[argument]
end
local function number()
  return tonumber(text())
end
local function limit()
  local word = text()
  return word ~= '-' and tonumber(word) or nil
end
local function next_key()
  key = key + 1
  return keys[key]
end
-- Whole numbers as text, which Lua would round. Numbers that Redis is called with it writes exactly by itself,
-- but some versions (7.2.0 to 7.2.4) with an exponent: only for what tonumber reads, and no HINCRBY.
local function integer(value)
  -- Adding zero makes of -0, which is no integer to Redis, 0.
  return string.format('%.0f', value + 0)
end

-- Milliseconds: the first argument in tests, else the server's clock, so that replicas' clocks do not matter.
local now = number()
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local second = math.floor(now / 1000)

-- What a replica has reserved that was not heard of for so long counts for nothing until it is heard of again.
local DEAD_MS = 5000
-- What a replica says of itself is as old at most, while it asks.
local HEARD_MS = 500
