-- Begins a budget's period: writes counters from what the database holds, and at last the marker that puts them in
-- force. Only the holder of the lock may, so what is written is one state of the database and never added twice.
--
-- A marker is a hash: e its epoch, x when its keys expire (ms), k:<ledger> up to where the database held a ledger.
--
-- KEYS  1 marker; 2 lock; then counters, each with its parts
-- ARGV  now in ms or ''; token; epoch; when keys expire (ms); number of counters, tokens and cost of each;
--       number of marks or '-' if more counters follow, and of each: ledger, position
-- Answers  1, or 0 where the lock was lost

local marker, lock = next_key(), next_key()
local token, epoch, expiry = text(), number(), text()
if redis.call('GET', lock) ~= token or redis.call('EXISTS', marker) == 1 then
  return 0
end
for _ = 1, number() do
  local name, parts = next_key(), next_key()
  redis.call('DEL', name, parts)
  redis.call('HSET', name, 'e', integer(epoch), 'r', integer(epoch), 't', text(), 'c', text())
  redis.call('PEXPIREAT', name, expiry)
end
local marks = limit()
if marks then
  redis.call('HSET', marker, 'e', integer(epoch), 'x', expiry)
  for _ = 1, marks do
    redis.call('HSET', marker, 'k:' .. text(), text())
  end
  redis.call('PEXPIREAT', marker, expiry)
  redis.call('DEL', lock)
end
return 1
