-- Decides whether a request may be served, and if so counts it: all of its checks at once.
-- The decision is that of decide.rs; what it is made from is answered, so that a denial can be told.
--
-- KEYS  1 the organization's sessions; then for each check, the caller's first and then each route's:
--       of a limit its window; of a budget its period's marker and its counter
-- ARGV  now in ms (tests) or '' for the server's clock; replica; generation; 1 if it counts;
--       expected tokens, cost; 1 if it moves to another route; what it holds of strict budgets: tokens, cost;
--       number of the caller's checks, those checks; number of routes, and of each:
--       input tokens, input cost, output wanted or '-', output at most, price of output, number of checks, checks
--       A check: 'r', requests, tokens   or   'b', tokens, cost, 1 if strict   ('-' for no limit)
-- Answers  granted (1 or 0), route (from 0; -1 for none), output cap (-1 for none), tokens and cost that strict
--       budgets reserve, now in ms, and of each check:
--       of a limit   epoch, requests, wait ms, reset ms, tokens, wait ms, reset ms
--       of a budget  1 if it has begun, its counter's life, tokens and cost spent, tokens and cost reserved

local replica, generation = text(), text()
local counts = text() == '1'
local expected = { number(), number() }
local moves = text() == '1'
local held = { number(), number() }

local session = replica .. ':' .. generation

-- Who is alive: replica -> generation and when it was last heard of. What others have reserved lapses with them.
local sessions = {}
-- When this one was last heard of.
local heard = -math.huge
do
  local all = redis.call('HGETALL', next_key())
  for i = 1, #all, 2 do
    local gen, seen = string.match(all[i + 1], '^(%d+) (%d+)$')
    if gen and now - seen < DEAD_MS then
      local alive = all[i] .. ':' .. gen
      sessions[alive] = true
      if alive == session then
        heard = tonumber(seen)
      end
    end
  end
end
sessions[session] = true

-- Where requests of this second are counted.
local slot = 'r' .. (second % SPAN)

local function read_window(check)
  check.key = next_key()
  local all = redis.call('HMGET', check.key, 'e', 's', 'rs', 'ts', 'ra', 'ta', slot)
  if all[1] and tonumber(all[2]) ~= second then
    advance_window(check.key, tonumber(all[2]))
    all = redis.call('HMGET', check.key, 'e', 's', 'rs', 'ts', 'ra', 'ta', slot)
  end
  check.epoch = tonumber(all[1])
  check.sums = { tonumber(all[3]) or 0, tonumber(all[4]) or 0 }
  check.newest = { tonumber(all[5]) or 0, tonumber(all[6]) or 0 }
  check.counted = tonumber(all[7]) or 0
end

-- Milliseconds until a window's sum is below a limit.
local function wait_below(check, kind, most)
  local prefix = kind == 1 and 'r' or 't'
  local slots = {}
  for s = second - SPAN + 1, second do
    slots[#slots + 1] = prefix .. (s % SPAN)
  end
  local counted = redis.call('HMGET', check.key, unpack(slots))
  local left, free = check.sums[kind], 0
  for i = 1, SPAN do
    if left < most then
      break
    end
    if counted[i] then
      left = left - tonumber(counted[i])
      free = (second + i) * 1000
    end
  end
  return left < most and math.max(free - now, 0) or 0
end

local function read_limit()
  local check = { kind = 'r', limits = { limit() or false, limit() or false } }
  read_window(check)
  check.wait, check.reset = { 0, 0 }, { 0, 0 }
  for kind = 1, 2 do
    local most = check.limits[kind]
    if most then
      if check.sums[kind] >= most then
        check.refuses = true
        check.wait[kind] = check.epoch and wait_below(check, kind, most) or 0
      end
      if check.sums[kind] > 0 then
        check.reset[kind] = math.max((check.newest[kind] + SPAN) * 1000 - now, 0)
      end
    end
  end
  return check
end

local function read_budget()
  local check = { kind = 'b', limits = { limit() or false, limit() or false }, strict = text() == '1' }
  check.marker, check.key = next_key(), next_key()
  check.spent, check.reserved, check.life = { 0, 0 }, { 0, 0 }, 0
  local epoch = tonumber(redis.call('HGET', check.marker, 'e'))
  check.begun = epoch ~= nil
  if not check.begun then
    return check
  end
  check.epoch = epoch
  local all, stored, gone = redis.call('HGETALL', check.key), {}, nil
  for i = 1, #all, 2 do
    local name, value = all[i], all[i + 1]
    if #name == 1 then
      stored[name] = tonumber(value)
    elseif sessions[name] then
      local gt, gc, dt, dc = string.match(value, '^(%-?%d+) (%-?%d+) (%-?%d+) (%-?%d+)$')
      check.reserved[1] = check.reserved[1] + math.max(gt - dt, 0)
      check.reserved[2] = check.reserved[2] + math.max(gc - dc, 0)
      if name == session then
        check.own = { gt, gc, dt, dc }
      end
    else
      gone = gone or {}
      gone[#gone + 1] = name
    end
  end
  if not stored.e or stored.e < epoch then
    check.fresh, check.reserved, check.own = true, { 0, 0 }, nil
    return check
  end
  check.life = stored.r
  check.spent = { stored.t, stored.c }
  if gone then
    redis.call('HDEL', check.key, unpack(gone))
  end
  for kind = 1, 2 do
    local most = check.limits[kind]
    if most and check.spent[kind] + check.reserved[kind] >= most then
      check.refuses = true
    end
  end
  return check
end

local function read_checks()
  local checks = {}
  for i = 1, number() do
    checks[i] = text() == 'r' and read_limit() or read_budget()
  end
  return checks
end

local function refused(checks, with_strict)
  for _, check in ipairs(checks) do
    if check.refuses and (with_strict or not check.strict) then
      return true
    end
  end
  return false
end

-- How many tokens so much money pays for, by long division: products would not be exact.
local function paid_by(price, money)
  if price == 0 then
    return 2 ^ 53
  end
  local tokens, rest = math.floor(money / price), money % price
  for _ = 1, 9 do
    rest = rest * 10
    tokens = tokens * 10 + math.floor(rest / price)
    rest = rest % price
  end
  return tokens
end

-- What so many tokens cost at most.
local function at_most(price, tokens)
  local whole, part = math.floor(price / 1e9), price % 1e9
  return tokens * whole + math.ceil(tokens * part / 1e9)
end

-- What the strict budgets reserve for a route: tokens, cost, cap. Nothing where one of them refuses.
local function strict_need(route, caller)
  local tightest
  for list, checks in ipairs({ caller, route.checks }) do
    for _, check in ipairs(checks) do
      if check.strict and check.begun then
        local left = {}
        for kind = 1, 2 do
          local own = list == 1 and moves and held[kind] or 0
          local used = check.spent[kind] + math.max(check.reserved[kind] - own, 0)
          left[kind] = check.limits[kind] and math.max(check.limits[kind] - used, 0) or 2 ^ 53
          if route.input[kind] > left[kind] then
            return nil
          end
        end
        local affords = math.min(left[1] - route.input[1], paid_by(route.price, left[2] - route.input[2]))
        local output, cap
        if route.wanted then
          output = math.min(route.wanted, route.most)
          if output > affords then
            return nil
          end
        else
          output = math.min(route.most, affords)
          cap = output
          if output < math.min(route.most, 1) then
            return nil
          end
        end
        if not tightest or output < tightest.output then
          tightest = { output = output, cap = cap }
        end
      end
    end
  end
  if not tightest then
    return { expected[1], expected[2], -1 }
  end
  local cost = at_most(route.price, tightest.output)
  return { route.input[1] + tightest.output, route.input[2] + cost, tightest.cap or -1 }
end

local caller = read_checks()
local routes = {}
for i = 1, number() do
  local route = { input = { number(), number() }, wanted = limit(), most = number(), price = number() }
  route.checks = read_checks()
  routes[i] = route
end

local granted, chosen, need = 0, nil, { expected[1], expected[2], -1 }
if moves or not refused(caller, #routes == 0) then
  if #routes == 0 then
    granted = 1
  end
  for i, route in ipairs(routes) do
    if not refused(route.checks, false) then
      local fits = strict_need(route, caller)
      if fits then
        granted, chosen, need = 1, i, fits
        break
      end
    end
  end
end

local function count_window(check)
  if not check.epoch then
    check.epoch = make_window(check.key)
  end
  redis.call(
    'HSET', check.key, slot, integer(check.counted + 1), 'rs', integer(check.sums[1] + 1), 'ra', second)
end

local function reserve(check, amount, credit)
  if not check.begun then
    return
  end
  if check.fresh then
    redis.call('DEL', check.key)
    check.life = math.max(now * 1000, check.epoch)
    redis.call('HSET', check.key, 'e', check.epoch, 'r', check.life, 't', 0, 'c', 0)
    redis.call('PEXPIREAT', check.key, redis.call('HGET', check.marker, 'x'))
  end
  local own = check.own or { 0, 0, '0', '0' }
  local value = string.format(
    '%.0f %.0f %s %s', own[1] + amount[1] - credit[1] + 0, own[2] + amount[2] - credit[2] + 0, own[3], own[4])
  redis.call('HSET', check.key, session, value)
end

local nothing = { 0, 0 }
if granted == 1 and counts then
  if math.abs(now - heard) >= HEARD_MS then
    redis.call('HSET', KEYS[1], replica, generation .. ' ' .. integer(now))
    redis.call('PEXPIRE', KEYS[1], 24 * 3600 * 1000)
  end
  for list, checks in ipairs({ caller, chosen and routes[chosen].checks or {} }) do
    for _, check in ipairs(checks) do
      local again = list == 1 and moves
      if check.kind == 'r' then
        -- Without a limit of requests it is none of the caller's requests.
        if not again and check.limits[1] then
          count_window(check)
        end
      elseif check.strict then
        reserve(check, need, again and held or nothing)
      elseif not again then
        reserve(check, expected, nothing)
      end
    end
  end
end

local answer = { granted, chosen and chosen - 1 or -1, need[3], need[1], need[2], now }
local told = #answer
local function tell(checks)
  for _, check in ipairs(checks) do
    if check.kind == 'r' then
      local sums, wait, reset = check.sums, check.wait, check.reset
      answer[told + 1] = check.epoch or 0
      answer[told + 2] = check.limits[1] and sums[1] or 0
      answer[told + 3], answer[told + 4] = wait[1], reset[1]
      answer[told + 5] = check.limits[2] and sums[2] or 0
      answer[told + 6], answer[told + 7] = wait[2], reset[2]
      told = told + 7
    else
      answer[told + 1], answer[told + 2] = check.begun and 1 or 0, check.life
      answer[told + 3], answer[told + 4] = check.spent[1], check.spent[2]
      answer[told + 5], answer[told + 6] = check.reserved[1], check.reserved[2]
      told = told + 6
    end
  end
end
tell(caller)
for _, route in ipairs(routes) do
  tell(route.checks)
end
return answer
