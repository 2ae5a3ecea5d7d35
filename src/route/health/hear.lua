-- What replicas have told since a count of changes.
--
-- KEYS: as in tell.lua
-- ARGV: the count when the caller heard last
-- Answers the count now; then, for each entry that became known since and has not lapsed, its route, the
-- entry and the milliseconds until it lapses.

local count = tonumber(redis.call('GET', KEYS[4]) or 0)
local since = tonumber(ARGV[1])
if since == count then
  return { count }
end
-- What was counted is gone: Redis was emptied.
if since > count then
  since = 0
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local heard = { count }
for _, route in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. since, '+inf')) do
  local entry = redis.call('HGET', KEYS[1], route)
  local left = tonumber(redis.call('ZSCORE', KEYS[3], route) or 0) - now
  if entry and left > 0 then
    heard[#heard + 1] = route
    heard[#heard + 1] = entry
    heard[#heard + 1] = left
  end
end
return heard
