-- Sets idle counters to what the database holds, where they differ. Not while a replica has settled what the
-- database does not hold yet; a dead one is waited for a minute.
--
-- A counter that is set begins anew under an epoch of its own, with the marks in its parts: what a replica has still
-- to tell is then taken from behind those marks.
--
-- KEYS  1 sessions; then of each counter its period's marker, itself, its parts
-- ARGV  now in ms or ''; number of marks, of each ledger and position; number of counters, of each tokens and cost
-- Answers  of each counter  1 it was right, 2 it was set, 0 the database does not hold all, -1 it has not begun

local WAIT_MS = 60000

local sessions = next_key()
local marks = {}
for _ = 1, number() do
  local ledger = text()
  marks[ledger] = text()
end

local function is_behind(parts)
  local stored = {}
  local all = redis.call('HGETALL', parts)
  for i = 1, #all, 2 do
    stored[all[i]] = all[i + 1]
  end
  for name, position in pairs(stored) do
    local part = string.match(name, '^p:(.*)$')
    if part then
      local replica = string.match(part, '^(.*)/%d+$')
      local held = tonumber(marks[stored['l:' .. part]]) or 0
      if tonumber(position) > held then
        local seen = string.match(redis.call('HGET', sessions, replica) or '', ' (%d+)$')
        if seen and now - tonumber(seen) < WAIT_MS then
          return true
        end
      end
    end
  end
  return false
end

local function reconcile()
  local marker, name, parts = next_key(), next_key(), next_key()
  local tokens, cost = text(), text()
  local begun = redis.call('HMGET', marker, 'e', 'x')
  local epoch = tonumber(begun[1])
  if not epoch then
    return -1
  end
  local head = redis.call('HMGET', name, 'e', 't', 'c')
  local current = tonumber(head[1])
  if not current or current < epoch then
    if tonumber(tokens) == 0 and tonumber(cost) == 0 then
      return 1
    end
    redis.call('DEL', name, parts)
    redis.call('HSET', name, 'r', integer(math.max(now * 1000, epoch)))
    current, head = epoch, {}
  end
  if head[2] == tokens and head[3] == cost then
    return 1
  end
  if is_behind(parts) then
    return 0
  end
  redis.call('HSET', name, 'e', integer(math.max(now * 1000, current + 1)), 't', tokens, 'c', cost)
  redis.call('DEL', parts)
  for ledger, position in pairs(marks) do
    redis.call('HSET', parts, 'k:' .. ledger, position)
  end
  redis.call('PEXPIREAT', name, begun[2])
  redis.call('PEXPIREAT', parts, begun[2])
  return 2
end

local answer = {}
for i = 1, number() do
  answer[i] = reconcile()
end
return answer
