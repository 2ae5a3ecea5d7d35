-- Says that a replica is alive, and tells who is, since when these keys are kept, and which periods have begun.
--
-- KEYS  1 sessions; 2 since when they are kept; then markers
-- ARGV  now in ms or ''; replica; generation; 1 if it is to be registered where it is not
-- Answers  now in ms, live replicas, how many of them come before the caller in the order of their names, since when the keys are kept (another number after Redis has forgotten
--          everything), and of each marker its epoch (0 if it has not begun)

-- A replica that was not heard of for so long is forgotten, and then removed with what it has reserved. More than the
-- silence after which it begins another session by itself (keep.rs).
local FORGET_MS = 120000

local sessions = next_key()
local replica, generation, register = text(), text(), text() == '1'
if register or redis.call('HEXISTS', sessions, replica) == 1 then
  redis.call('HSET', sessions, replica, generation .. ' ' .. integer(now))
  redis.call('PEXPIRE', sessions, 24 * 3600 * 1000)
end
local alive, before = 0, 0
local all = redis.call('HGETALL', sessions)
for i = 1, #all, 2 do
  local seen = tonumber(string.match(all[i + 1], ' (%d+)$')) or 0
  if now - seen < DEAD_MS then
    alive = alive + 1
    if all[i] < replica then
      before = before + 1
    end
  elseif now - seen > FORGET_MS then
    redis.call('HDEL', sessions, all[i])
  end
end
-- Only beats write it: what is missing when one finds it so is missing for every request since.
local kept = next_key()
redis.call('SET', kept, integer(now * 1000), 'NX')
redis.call('PEXPIRE', kept, 24 * 3600 * 1000)
local answer = { now, alive, before, tonumber(redis.call('GET', kept)) }
for i = 3, #KEYS do
  answer[#answer + 1] = tonumber(redis.call('HGET', KEYS[i], 'e')) or 0
end
return answer
