-- Makes a cool-down or a reset of a route known to all replicas.
--
-- KEYS: what is known by route, the order in which it became known, when it lapses, the count of changes
-- ARGV: the route, the new entry's id (36 letters), 'e' (ejected) or 'r' (reset), milliseconds until it
--       lapses, the rest of the entry, 'new' if whatever is known of the route stands
-- Answers the id of the entry that stands, and 1 if the route was known to be ejected.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

for _, lapsed in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now, 'LIMIT', 0, 100)) do
  redis.call('HDEL', KEYS[1], lapsed)
  redis.call('ZREM', KEYS[2], lapsed)
  redis.call('ZREM', KEYS[3], lapsed)
end

local route, id, kind, lasts = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local ejected = 0
local known = redis.call('HGET', KEYS[1], route)
local lapses = tonumber(redis.call('ZSCORE', KEYS[3], route) or now)
if known and lapses > now and ARGV[6] == 'new' then
  return { string.sub(known, 1, 36), ejected }
end
if known and lapses > now and string.sub(known, 37, 37) == 'e' then
  ejected = 1
  if kind == 'e' and (lapses - now) * 2 >= lasts then
    return { string.sub(known, 1, 36), ejected }
  end
end

-- A count that begins anew, because Redis was emptied, is above any that was heard before.
redis.call('SET', KEYS[4], string.format('%.0f', now * 1000), 'NX')
redis.call('HSET', KEYS[1], route, id .. kind .. ARGV[5])
redis.call('ZADD', KEYS[2], redis.call('INCR', KEYS[4]), route)
redis.call('ZADD', KEYS[3], now + lasts, route)
local last = redis.call('ZRANGE', KEYS[3], -1, -1, 'WITHSCORES')[2]
for _, key in ipairs(KEYS) do
  redis.call('PEXPIREAT', key, math.ceil(tonumber(last)) + 60000)
end
return { id, ejected }
