-- Takes over what a replica has settled: of windows what is to be added, of budgets how much it has used altogether
-- and how much of its reservations is free again. A call that is repeated counts once.
--
-- KEYS  for each entry: of a limit its window; of a budget its period's marker, its counter and its parts
-- ARGV  now in ms (tests) or ''; replica; generation; ledger; number of entries, and of each
--       'w', epoch, batch, number of seconds, and of each: second, requests (may be negative), tokens
--       'b', epoch, life, batch, part, tokens and cost used behind the mark, position of the last record,
--       tokens and cost freed (altogether; negative for what was reserved in an earlier life)
-- Answers  now in ms, and for each entry
--       of a limit   1, epoch   if it was added; 0, epoch   if the window is another one by now
--       of a budget  1, epoch, life, tokens, cost, 0   if it was taken over, with what is spent by all;
--                    0, epoch, life, 0, 0, mark   if the counter has begun anew (epoch 0: it has not begun)

local replica, generation, ledger = text(), text(), text()
local answer = { now }
local function tell(...)
  for _, value in ipairs({ ... }) do
    answer[#answer + 1] = value
  end
end

local function add_seconds(name, count)
  local oldest = second - SPAN
  local requests, tokens, last = 0, 0, { 0, 0 }
  for _ = 1, count do
    local at, more, used = math.min(number(), second), number(), number()
    if at > oldest then
      if more ~= 0 then
        -- What is taken back may have run out meanwhile.
        local slot = 'r' .. (at % SPAN)
        local there = tonumber(redis.call('HGET', name, slot)) or 0
        more = math.max(more, -there)
        redis.call('HINCRBY', name, slot, integer(more))
        requests = requests + more
        last[1] = math.max(last[1], at)
      end
      if used ~= 0 then
        redis.call('HINCRBY', name, 't' .. (at % SPAN), integer(used))
        tokens = tokens + used
        last[2] = math.max(last[2], at)
      end
    end
  end
  redis.call('HINCRBY', name, 'rs', integer(requests))
  redis.call('HINCRBY', name, 'ts', integer(tokens))
  local known = redis.call('HMGET', name, 'ra', 'ta')
  for kind, field in ipairs({ 'ra', 'ta' }) do
    if last[kind] > (tonumber(known[kind]) or 0) then
      redis.call('HSET', name, field, integer(last[kind]))
    end
  end
end

local function settle_window()
  local name, epoch, batch, count = next_key(), number(), number(), number()
  local head = redis.call('HMGET', name, 'e', 's', 'n:' .. replica)
  local there = tonumber(head[1])
  if not there then
    there = make_window(name)
  end
  if there ~= epoch then
    argument = argument + 3 * count
    tell(0, there)
    return
  end
  if tonumber(head[2]) ~= second then
    advance_window(name, tonumber(head[2]))
  end
  if batch > (tonumber(head[3]) or 0) then
    add_seconds(name, count)
    redis.call('HSET', name, 'n:' .. replica, integer(batch))
  else
    argument = argument + 3 * count
  end
  tell(1, there)
end

local function settle_budget()
  local marker, name, parts = next_key(), next_key(), next_key()
  local epoch, life, batch = number(), number(), number()
  local id = replica .. '/' .. text()
  local used, position, freed = { number(), number() }, text(), { number(), number() }
  local begun = redis.call('HMGET', marker, 'e', 'x', 'k:' .. ledger)
  local there = tonumber(begun[1])
  if not there then
    tell(0, 0, 0, 0, 0, 0)
    return
  end
  local head = redis.call('HMGET', name, 'e', 'r', 't', 'c')
  local mark = begun[3]
  local current, alive = tonumber(head[1]), tonumber(head[2])
  if not current or current < there then
    current, alive = there, math.max(now * 1000, there)
    head[3], head[4] = '0', '0'
    redis.call('HSET', name, 'e', integer(current))
    redis.call('DEL', name, parts)
    redis.call('HSET', name, 'e', integer(current), 'r', integer(alive), 't', '0', 'c', '0')
    redis.call('PEXPIREAT', name, begun[2])
  elseif current > there then
    mark = redis.call('HGET', parts, 'k:' .. ledger)
  end
  if current ~= epoch or alive ~= life then
    tell(0, current, alive, 0, 0, mark or '0')
    return
  end
  local before = redis.call('HMGET', parts, 'n:' .. id, 't:' .. id, 'c:' .. id)
  local spent = { tonumber(head[3]), tonumber(head[4]) }
  if batch > (tonumber(before[1]) or 0) then
    spent[1] = spent[1] + used[1] - (tonumber(before[2]) or 0)
    spent[2] = spent[2] + used[2] - (tonumber(before[3]) or 0)
    redis.call('HSET', name, 't', integer(spent[1]), 'c', integer(spent[2]))
    redis.call('HSET', parts, 'n:' .. id, integer(batch), 't:' .. id, integer(used[1]), 'c:' .. id, integer(used[2]),
      'p:' .. id, position, 'l:' .. id, ledger)
    redis.call('PEXPIREAT', parts, begun[2])
    local session = replica .. ':' .. generation
    local own = redis.call('HGET', name, session)
    local gt, gc = string.match(own or '0 0 0 0', '^(%-?%d+) (%-?%d+)')
    if own or freed[1] ~= 0 or freed[2] ~= 0 then
      redis.call('HSET', name, session, gt .. ' ' .. gc .. ' ' .. integer(freed[1]) .. ' ' .. integer(freed[2]))
    end
  end
  tell(1, current, alive, spent[1], spent[2], 0)
end

for _ = 1, number() do
  if text() == 'w' then
    settle_window()
  else
    settle_budget()
  end
end
return answer
