-- Asks to begin a budget's period: whoever gets the lock reads what the database holds and writes it (begin.lua).
--
-- KEYS  1 the period's marker; 2 its lock
-- ARGV  now in ms or ''; a token of the one who asks; milliseconds that the lock holds
-- Answers  2, epoch   it has begun;   1, epoch   the lock is yours, and this the epoch to begin;   0, 0   another has it

local token, hold = text(), text()
local begun = redis.call('HGET', KEYS[1], 'e')
if begun then
  return { 2, tonumber(begun) }
end
if redis.call('GET', KEYS[2]) == token or redis.call('SET', KEYS[2], token, 'NX', 'PX', hold) then
  redis.call('PEXPIRE', KEYS[2], hold)
  return { 1, now * 1000 }
end
return { 0, 0 }
