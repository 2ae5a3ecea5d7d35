-- Decides whether requests may be served, and if so counts them: each with all of its checks at once, in order, and
-- each as if it were alone. A counter that several of them meet is read and written once.
-- The decision is that of decide.rs; what it is made from is answered, so that a denial can be told.
--
-- KEYS  1 the organization's sessions; then for each check: of a limit its window; of a budget its period's marker
--       and its counter
-- ARGV  now in ms (tests) or '' for the server's clock; replica; generation; number of checks, and of each:
--       'r', requests, tokens, then what the replica has settled by the last request of the call ('-' for nothing):
--       its last batch, tokens in that, later ones
--       or 'b', tokens, cost, its manner   ('-' for no limit), and what the replica has settled likewise:
--       epoch and life of the counter that it was settled on; its last batch, tokens and cost in that, in later
--       ones; what is free again of all it was granted: tokens, cost;
--       number of kinds of requests, and of each:
--       1 if it counts; expected tokens, cost;
--       1 if it moves to another route; what it holds of strict budgets: tokens, cost;
--       number of the caller's checks, those checks by their number; number of routes, and of each:
--       input tokens, input cost, output wanted or '-', output at most, number of answers, price of output,
--       number of checks, checks by their number;
--       number of requests, and of each its kind by its number
--       A budget's manner: 0 refuses when it is used up; 1 strict; 2 refuses nothing, and is only read
-- Answers  for each request a list, empty where every number is as far from that of the request before it as that
--       one is from that of the one before:
--       granted (1 or 0), route (from 0; -1 for none), output cap of each answer (-1 for none), tokens and
--       cost that strict budgets reserve, now in ms, and of each of its checks:
--       of a limit   epoch, requests, wait ms, reset ms, tokens, wait ms, reset ms
--       of a budget  its counter's epoch (0 if it has not begun) and life, tokens and cost spent, how much of that
--                    this replica has not told of, tokens and cost reserved

local replica, generation = text(), number()

-- Who is known: replica -> generation, or false while it is not heard of: then what it has reserved counts for
-- nothing, but stays, for it may come back. What others have reserved lapses with their sessions.
local sessions = {}
-- When this one was last heard of.
local heard = -math.huge
do
  local all = redis.call('HGETALL', next_key())
  for i = 1, #all, 2 do
    local gen, seen = string.match(all[i + 1], '^(%d+) (%d+)$')
    sessions[all[i]] = gen and now - seen < DEAD_MS and tonumber(gen)
    -- A late call of an older session says nothing of this one.
    if all[i] == replica and gen and tonumber(gen) >= generation then
      heard = tonumber(gen) == generation and tonumber(seen) or now
    end
  end
end

-- Counters by their keys, as they are with what was granted so far, and those of them that are to be written.
local windows, budgets, changed = {}, {}, {}

local function change(counter)
  if not counter.changed then
    counter.changed = true
    changed[#changed + 1] = counter
  end
end

-- Where requests of this second are counted.
local slot = 'r' .. (second % SPAN)
-- Where it says which batch of this replica was added last.
local batches = 'n:' .. replica

local function window_of(name)
  local window = windows[name]
  if window then
    return window
  end
  local all = redis.call('HMGET', name, 'e', 's', 'rs', 'ts', 'ra', 'ta', slot, batches)
  if all[1] and tonumber(all[2]) ~= second then
    advance_window(name, tonumber(all[2]))
    all = redis.call('HMGET', name, 'e', 's', 'rs', 'ts', 'ra', 'ta', slot, batches)
  end
  window = {
    key = name,
    epoch = tonumber(all[1]),
    sums = { tonumber(all[3]) or 0, tonumber(all[4]) or 0 },
    newest = { tonumber(all[5]) or 0, tonumber(all[6]) or 0 },
    counted = tonumber(all[7]) or 0,
    told = tonumber(all[8]) or 0,
  }
  windows[name] = window
  return window
end

-- Milliseconds until a window's sum, and what this replica has not told of it, are below a limit.
local function wait_below(window, kind, most, untold)
  local prefix = kind == 1 and 'r' or 't'
  local slots = {}
  for s = second - SPAN + 1, second do
    slots[#slots + 1] = prefix .. (s % SPAN)
  end
  local counted = redis.call('HMGET', window.key, unpack(slots))
  if kind == 1 then
    counted[SPAN] = window.counted
  end
  local left, free = window.sums[kind] + untold, 0
  for i = 1, SPAN do
    if left < most then
      break
    end
    if counted[i] then
      left = left - tonumber(counted[i])
      free = (second + i) * 1000
    end
  end
  if left >= most and untold > 0 then
    left, free = left - untold, (second + SPAN) * 1000
  end
  return left < most and math.max(free - now, 0) or 0
end

local function limit_of()
  local rule = { limits = { limit() or false, limit() or false } }
  local untold, window = text(), window_of(next_key())
  rule.window, rule.untold = window, 0
  if untold ~= '-' then
    local batch, sent, later = string.match(untold, '^(%d+) (%d+) (%d+)$')
    batch = tonumber(batch)
    -- What was told in the meantime is counted by now.
    rule.untold = (window.told < batch and sent + 0 or 0) + (window.told <= batch and later + 0 or 0)
  end
  return rule
end

-- Milliseconds until nothing is counted any more.
local function reset_of(newest)
  return math.max((newest + SPAN) * 1000 - now, 0)
end

-- How a request finds a limit.
local function look_at_limit(rule)
  local window, limits, untold = rule.window, rule.limits, rule.untold
  local requests, tokens = window.sums[1], window.sums[2] + untold
  local check = { limits = limits, window = window, requests = 0, requests_wait = 0, requests_reset = 0,
    tokens = 0, tokens_wait = 0, tokens_reset = 0 }
  local most = limits[1]
  if most then
    check.requests = requests
    if requests >= most then
      check.refuses = true
      check.requests_wait = window.epoch and wait_below(window, 1, most, 0) or 0
    end
    if requests > 0 then
      check.requests_reset = reset_of(window.newest[1])
    end
  end
  most = limits[2]
  if most then
    check.tokens = tokens
    if tokens >= most then
      check.refuses = true
      check.tokens_wait = (window.epoch or untold > 0) and wait_below(window, 2, most, untold) or 0
    end
    if tokens > 0 then
      check.tokens_reset = reset_of(untold > 0 and second or window.newest[2])
    end
  end
  return check
end

-- What this replica has settled on a budget and not told: tokens and cost it has used, and how much of what it
-- was granted altogether is free again. Nothing where the counter has begun anew since; it has met none (life 0)
-- where it was granted nothing.
local function take_untold(budget, word)
  local of, life, batch, st, sc, lt, lc, ft, fc =
    string.match(word, '^(%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%-?%d+) (%-?%d+)$')
  if tonumber(of) ~= budget.epoch or (life ~= '0' and tonumber(life) ~= budget.life) then
    return
  end
  local own = budget.own
  local told = own and own.told or 0
  -- What was told in the meantime is counted by now.
  batch = tonumber(batch)
  if told < batch then
    budget.untold = { st + lt, sc + lc }
  elseif told == batch then
    budget.untold = { lt + 0, lc + 0 }
  end
  if told <= batch and not (own and own.is_late) then
    budget.freed = { ft + 0, fc + 0 }
  end
end

local nothing = { 0, 0 }

local function add_reserved(others, gt, gc, ft, fc)
  others[1] = others[1] + math.max(gt - ft, 0)
  others[2] = others[2] + math.max(gc - fc, 0)
end

-- What this session has reserved, and how much of that is free again.
local function read_own(value, others)
  local gen, gt, gc, rest, ft, fc, told = string.match(value, RESERVED)
  gen = tonumber(gen)
  if gen == generation then
    return { tonumber(gt), tonumber(gc), rest = rest, told = tonumber(told) }, { ft + 0, fc + 0 }
  end
  -- Another session's lapses for a newer one, and stays as it is for an older one whose call was late.
  if gen > generation then
    add_reserved(others, gt, gc, ft, fc)
  end
  return { 0, 0, rest = '0 0 ' .. told, told = tonumber(told), is_late = gen > generation }, nothing
end

local function budget_of(marker, name, untold)
  local budget = budgets[name]
  if budget then
    return budget
  end
  budget = { marker = marker, key = name, spent = nothing, others = nothing, life = 0, untold = nothing,
    freed = nothing }
  budgets[name] = budget
  budget.epoch = tonumber(redis.call('HGET', marker, 'e'))
  if not budget.epoch then
    return budget
  end
  local all, stored, others, own, freed, gone = redis.call('HGETALL', name), {}, { 0, 0 }, nil, nothing, nil
  for i = 1, #all, 2 do
    local field, value = all[i], all[i + 1]
    if #field == 1 then
      stored[field] = tonumber(value)
    elseif field == replica then
      own, freed = read_own(value, others)
    elseif sessions[field] then
      local gen, gt, gc, _, ft, fc = string.match(value, RESERVED)
      if tonumber(gen) >= sessions[field] then
        add_reserved(others, gt, gc, ft, fc)
      end
    elseif sessions[field] == nil then
      gone = gone or {}
      gone[#gone + 1] = field
    end
  end
  budget.fresh = not stored.e or stored.e < budget.epoch
  if budget.fresh then
    gone = nil
  else
    -- It may have been set anew since the period began.
    budget.epoch, budget.life, budget.spent = stored.e, stored.r, { stored.t, stored.c }
    budget.others, budget.own, budget.freed = others, own, freed
  end
  if untold ~= '-' then
    take_untold(budget, untold)
    budget.spent = { budget.spent[1] + budget.untold[1], budget.spent[2] + budget.untold[2] }
  end
  if gone then
    redis.call('HSET', name, 'e', budget.epoch)
    redis.call('HDEL', name, unpack(gone))
  end
  return budget
end

local function reserved(budget, kind)
  local own = budget.own and budget.own[kind] or 0
  return budget.others[kind] + math.max(own - budget.freed[kind], 0)
end

local function budget_rule()
  local rule = { limits = { limit() or false, limit() or false } }
  local manner, untold = text(), text()
  local marker, name = next_key(), next_key()
  rule.strict, rule.serves = manner == '1', manner == '2'
  rule.budget = budget_of(marker, name, untold)
  return rule
end

-- How a request finds a budget.
local function look_at_budget(rule)
  local budget = rule.budget
  local check = { limits = rule.limits, strict = rule.strict, serves = rule.serves, budget = budget,
    begun = budget.epoch ~= nil, spent = budget.spent, reserved = { reserved(budget, 1), reserved(budget, 2) } }
  if check.begun and not check.serves then
    for kind = 1, 2 do
      local most = check.limits[kind]
      if most and check.spent[kind] + check.reserved[kind] >= most then
        check.refuses = true
      end
    end
  end
  return check
end

-- Requests of a call meet mostly the same checks.
local rules = {}
for i = 1, number() do
  rules[i] = text() == 'r' and limit_of() or budget_rule()
end

local function look_at(list)
  local checks = {}
  for i, rule in ipairs(list) do
    checks[i] = rule.window and look_at_limit(rule) or look_at_budget(rule)
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
local function strict_need(route, request)
  local tightest
  for list, checks in ipairs({ request.caller, route.checks }) do
    for _, check in ipairs(checks) do
      if check.strict and check.begun then
        local left = {}
        for kind = 1, 2 do
          local own = list == 1 and request.moves and request.held[kind] or 0
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
          -- Each answer gets the same, and at least a token.
          cap = math.floor(math.min(route.most, affords) / route.answers)
          output = cap * route.answers
          if cap < math.min(route.most, 1) then
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
    return { request.expected[1], request.expected[2], -1 }
  end
  local cost = at_most(route.price, tightest.output)
  return { route.input[1] + tightest.output, route.input[2] + cost, tightest.cap or -1 }
end

local function read_rules()
  local list = {}
  for i = 1, number() do
    list[i] = rules[number()]
  end
  return list
end

-- What requests of a call have in common, mostly all of them.
local function read_kind()
  local kind = { counts = text() == '1' }
  kind.expected = { number(), number() }
  kind.moves = text() == '1'
  kind.held = { number(), number() }
  kind.caller = read_rules()
  kind.routes = {}
  for i = 1, number() do
    local route = { input = { number(), number() }, wanted = limit(), most = number() }
    route.answers, route.price = number(), number()
    route.rules = read_rules()
    kind.routes[i] = route
  end
  return kind
end

local function request_of(kind)
  local request = { kind = kind, expected = kind.expected, moves = kind.moves, held = kind.held,
    caller = look_at(kind.caller), routes = {} }
  for i, route in ipairs(kind.routes) do
    request.routes[i] = { input = route.input, wanted = route.wanted, most = route.most, answers = route.answers,
      price = route.price, checks = look_at(route.rules) }
  end
  return request
end

-- The first route that takes the request, and what strict budgets reserve for it.
local function decide(request)
  local routes = request.routes
  if request.moves or not refused(request.caller, #routes == 0) then
    if #routes == 0 then
      request.granted = true
    end
    for i, route in ipairs(routes) do
      if not refused(route.checks, false) then
        local fits = strict_need(route, request)
        if fits then
          request.granted, request.chosen, request.need = true, i, fits
          break
        end
      end
    end
  end
  request.need = request.need or { request.expected[1], request.expected[2], -1 }
end

local function count_in(window)
  if not window.epoch then
    window.epoch = make_window(window.key)
  end
  window.counted, window.sums[1], window.newest[1] = window.counted + 1, window.sums[1] + 1, second
  change(window)
end

local function reserve(budget, amount, credit)
  if not budget.epoch then
    return
  end
  if budget.fresh then
    redis.call('HSET', budget.key, 'e', budget.epoch)
    redis.call('DEL', budget.key)
    budget.fresh, budget.life = false, math.max(now * 1000, budget.epoch)
    redis.call('HSET', budget.key, 'e', budget.epoch, 'r', budget.life, 't', 0, 'c', 0)
    redis.call('PEXPIREAT', budget.key, redis.call('HGET', budget.marker, 'x'))
  end
  local own = budget.own or { 0, 0, rest = '0 0 0' }
  own[1], own[2] = own[1] + amount[1] - credit[1], own[2] + amount[2] - credit[2]
  budget.own = own
  if not own.is_late then
    change(budget)
  end
end

local function count(request)
  local chosen = request.chosen
  for list, checks in ipairs({ request.caller, chosen and request.routes[chosen].checks or {} }) do
    for _, check in ipairs(checks) do
      local again = list == 1 and request.moves
      if check.window then
        -- Without a limit of requests it is none of the caller's requests.
        if not again and check.limits[1] then
          count_in(check.window)
        end
      elseif check.strict then
        reserve(check.budget, request.need, again and request.held or nothing)
      elseif not again and not check.serves then
        reserve(check.budget, request.expected, nothing)
      end
    end
  end
end

local function answer_to(request)
  local chosen, need = request.chosen, request.need
  local answer = { request.granted and 1 or 0, chosen and chosen - 1 or -1, need[3], need[1], need[2], now }
  local told = #answer
  local function tell(checks)
    for _, check in ipairs(checks) do
      if check.window then
        answer[told + 1] = check.window.epoch or 0
        answer[told + 2], answer[told + 3], answer[told + 4] = check.requests, check.requests_wait, check.requests_reset
        answer[told + 5], answer[told + 6], answer[told + 7] = check.tokens, check.tokens_wait, check.tokens_reset
        told = told + 7
      else
        answer[told + 1], answer[told + 2] = check.budget.epoch or 0, check.budget.life
        answer[told + 3], answer[told + 4] = check.spent[1], check.spent[2]
        answer[told + 5], answer[told + 6] = check.budget.untold[1], check.budget.untold[2]
        answer[told + 7], answer[told + 8] = check.reserved[1], check.reserved[2]
        told = told + 8
      end
    end
  end
  tell(request.caller)
  for _, route in ipairs(request.routes) do
    tell(route.checks)
  end
  return answer
end

local function write(counter)
  local own = counter.own
  if own then
    local value = string.format('%.0f %.0f %.0f %s', generation, own[1] + 0, own[2] + 0, own.rest)
    redis.call('HSET', counter.key, replica, value)
  else
    redis.call(
      'HSET', counter.key, slot, integer(counter.counted), 'rs', integer(counter.sums[1]), 'ra', second)
  end
end

-- Whether every one of a request's checks, those of routes that were not chosen among them, is as the test says.
local function all_checks(request, test)
  for _, check in ipairs(request.caller) do
    if not test(check) then
      return false
    end
  end
  for _, route in ipairs(request.routes) do
    for _, check in ipairs(route.checks) do
      if not test(check) then
        return false
      end
    end
  end
  return true
end

-- Whether counting a request changes what the next one finds here by a step that every further one repeats, until
-- it is refused. To be asked before it is counted.
local function steps_evenly(check)
  if check.refuses or check.strict then
    return false
  end
  local window, budget = check.window, check.budget
  if window then
    return not check.limits[1] or (window.epoch ~= nil and window.sums[1] > 0 and window.newest[1] == second)
  end
  -- What is reserved is no less than nothing, and would not grow evenly from below.
  local own, freed = budget.own or nothing, budget.freed
  return check.begun and not budget.fresh and own[1] >= freed[1] and own[2] >= freed[2]
end

-- Whether a check that a request has passed would let the next one of its kind pass. Tokens of limits are settled by
-- other calls only.
local function passes_again(check)
  local limits, window = check.limits, check.window
  if window then
    return not limits[1] or window.sums[1] < limits[1]
  end
  if check.serves then
    return true
  end
  for kind = 1, 2 do
    local most = limits[kind]
    if most and check.spent[kind] + reserved(check.budget, kind) >= most then
      return false
    end
  end
  return true
end

local kinds = {}
for i = 1, number() do
  kinds[i] = read_kind()
end

local answers, counted = {}, false
-- The last request that was decided by itself, and how many of its kind have stepped evenly in a row, it included.
local last, even = nil, 0
for i = 1, number() do
  local kind = kinds[number()]
  local is_alike = last and last.kind == kind
  if is_alike and even >= 2 and all_checks(last, passes_again) then
    count(last)
    answers[i] = {}
  else
    local request = request_of(kind)
    decide(request)
    local counts = request.granted and kind.counts
    if counts and not kind.moves and all_checks(request, steps_evenly) then
      even = is_alike and even + 1 or 1
    else
      even = 0
    end
    if counts then
      counted = true
      count(request)
    end
    answers[i] = answer_to(request)
    last = request
  end
end
if counted and math.abs(now - heard) >= HEARD_MS then
  say_alive(KEYS[1], replica, generation)
end
for _, counter in ipairs(changed) do
  write(counter)
end
return answers
