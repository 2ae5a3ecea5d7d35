-- Takes over what a replica has settled: of windows what is to be added, of budgets how much it has used altogether
-- and how much of its reservations is free again. A call that is repeated counts once.
--
-- KEYS  1 the organization's sessions; then for each entry: of a limit its window; of a budget its period's marker, its counter and its parts
-- ARGV  now in ms (tests) or ''; replica; generation; ledger; number of entries, and of each
--       'w', epoch, batch, number of seconds, and of each: second, requests (may be negative), tokens
--       'b', epoch, life (0: it was granted nothing in any), batch, part, tokens and cost used behind the mark,
--       position of the last record, tokens and cost freed (altogether; negative for what was reserved in an earlier
--       life)
-- Answers  now in ms, and for each entry
--       of a limit   1, epoch   if it was added; 0, epoch   if the window is another one by now
--       of a budget  1, epoch, life, tokens, cost, 0   if it was taken over, with what is spent by all;
--                    0, epoch, life, 0, 0, mark   if the counter has begun anew (epoch 0: it has not begun)

local sessions = next_key()
local replica, generation, ledger = text(), number(), text()
local answer = { now }
local function tell(...)
  for _, value in ipairs({ ... }) do
    answer[#answer + 1] = value
  end
end

-- What is to be added to a window, in order: second, requests, tokens. Where it is counted goes into `fields`.
local function read_seconds(count, fields)
  local seconds = {}
  for _ = 1, count do
    local at, requests, tokens = math.min(number(), second), number(), number()
    -- What is older has run out.
    if at > second - SPAN then
      local slot = at % SPAN
      seconds[#seconds + 1] = { at, 'r' .. slot, requests, 't' .. slot, tokens }
      fields[#fields + 1], fields[#fields + 2] = 'r' .. slot, 't' .. slot
    end
  end
  return seconds
end

-- Adds them, all at once: `there` is what the fields hold.
local function add_seconds(name, seconds, there, batch)
  local changes, order = {}, {}
  local function set(field, value)
    if not changes[field] then
      order[#order + 1] = field
    end
    changes[field], there[field] = value, value
  end
  local function add(kind, field, more, at)
    local before = there[field] or 0
    -- What is taken back may have run out meanwhile.
    more = math.max(more, -before)
    if more ~= 0 then
      set(field, before + more)
      set(kind .. 's', (there[kind .. 's'] or 0) + more)
      set(kind .. 'a', math.max(there[kind .. 'a'] or 0, at))
    end
  end
  for _, of in ipairs(seconds) do
    add('r', of[2], of[3], of[1])
    add('t', of[4], of[5], of[1])
  end
  set('n:' .. replica, batch)
  local fields = {}
  for i, field in ipairs(order) do
    fields[2 * i - 1], fields[2 * i] = field, integer(changes[field])
  end
  redis.call('HSET', name, unpack(fields))
end

local function settle_window()
  local name, epoch, batch, count = next_key(), number(), number(), number()
  local fields = { 'e', 's', 'n:' .. replica, 'rs', 'ts', 'ra', 'ta' }
  local seconds = read_seconds(count, fields)
  local all = redis.call('HMGET', name, unpack(fields))
  local made = tonumber(all[1])
  if not made then
    made = make_window(name)
  elseif made == epoch and tonumber(all[2]) ~= second then
    advance_window(name, tonumber(all[2]))
    all = redis.call('HMGET', name, unpack(fields))
  end
  if made ~= epoch then
    tell(0, made)
    return
  end
  local there = {}
  for i, field in ipairs(fields) do
    there[field] = tonumber(all[i])
  end
  if batch > (there['n:' .. replica] or 0) then
    add_seconds(name, seconds, there, batch)
  end
  tell(1, made)
end

-- What a replica has reserved, once it has told what is free again of what its session was granted.
local function reserved_with(value, freed, batch)
  local gen, gt, gc, _, ft, fc = string.match(value or '', RESERVED)
  gen = tonumber(gen) or generation
  if gen > generation then
    -- A newer session tells by itself what is free of its own.
    freed = { ft, fc }
  elseif gen < generation or not gt then
    gen, gt, gc = generation, 0, 0
  end
  return table.concat({ integer(gen), gt, gc, integer(freed[1]), integer(freed[2]), integer(batch) }, ' ')
end

-- This session is known before it tells what it has reserved.
local is_known = false
local function make_known()
  if is_known then
    return
  end
  is_known = true
  local known = tonumber(string.match(redis.call('HGET', sessions, replica) or '', '^(%d+) '))
  if not known or known < generation then
    say_alive(sessions, replica, generation)
  end
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
  local head = redis.call('HMGET', name, 'e', 'r', 't', 'c', replica)
  local mark = begun[3]
  local current, alive = tonumber(head[1]), tonumber(head[2])
  if not current or current < there then
    current, alive = there, math.max(now * 1000, there)
    head[3], head[4], head[5] = '0', '0', false
    redis.call('HSET', name, 'e', integer(current))
    redis.call('DEL', name, parts)
    redis.call('HSET', name, 'e', integer(current), 'r', integer(alive), 't', '0', 'c', '0')
    redis.call('PEXPIREAT', name, begun[2])
  elseif current > there then
    mark = redis.call('HGET', parts, 'k:' .. ledger)
  end
  if current ~= epoch or (life ~= 0 and alive ~= life) then
    tell(0, current, alive, 0, 0, mark or '0')
    return
  end
  local before = redis.call('HMGET', parts, 'n:' .. id, 't:' .. id, 'c:' .. id)
  local spent = { tonumber(head[3]), tonumber(head[4]) }
  if batch > (tonumber(before[1]) or 0) then
    spent[1] = spent[1] + used[1] - (tonumber(before[2]) or 0)
    spent[2] = spent[2] + used[2] - (tonumber(before[3]) or 0)
    make_known()
    local own = reserved_with(head[5], freed, batch)
    redis.call('HSET', name, 't', integer(spent[1]), 'c', integer(spent[2]), replica, own)
    redis.call('HSET', parts, 'n:' .. id, integer(batch), 't:' .. id, integer(used[1]), 'c:' .. id, integer(used[2]),
      'p:' .. id, position, 'l:' .. id, ledger)
    if not before[1] then
      redis.call('PEXPIREAT', parts, begun[2])
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
