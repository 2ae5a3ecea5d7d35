-- Says that a replica is alive, and tells who is and which periods have begun.
--
-- KEYS  1 sessions; then markers
-- ARGV  now in ms or ''; replica; generation; 1 if it is to be registered where it is not
-- Answers  now in ms, live replicas, and of each marker its epoch (0 if it has not begun)

local FORGET_MS = 120000

local sessions = next_key()
local replica, generation, register = text(), text(), text() == '1'
if register or redis.call('HEXISTS', sessions, replica) == 1 then
  redis.call('HSET', sessions, replica, generation .. ' ' .. integer(now))
  redis.call('PEXPIRE', sessions, 24 * 3600 * 1000)
end
local alive = 0
local all = redis.call('HGETALL', sessions)
for i = 1, #all, 2 do
  local seen = tonumber(string.match(all[i + 1], ' (%d+)$')) or 0
  if now - seen < DEAD_MS then
    alive = alive + 1
  elseif now - seen > FORGET_MS then
    redis.call('HDEL', sessions, all[i])
  end
end
local answer = { now, alive }
for i = 2, #KEYS do
  answer[#answer + 1] = tonumber(redis.call('HGET', KEYS[i], 'e')) or 0
end
return answer
