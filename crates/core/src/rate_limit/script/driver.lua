-- ARGV: how long a denial blocks, the number of limits, of each its letter, window, quota and burst; then an
-- operation, an amount and an extra for each check, or once for all. KEYS: those of the limits of each check.
--
-- The reply begins with the time. Each check adds: 1 if it is allowed, + 2 if its time is another, + 4 if the key is
-- blocked, + 8 times the number of the limit; what that has left, below 0 where more is used; when it counts nothing,
-- from now on; unless allowed, how long to wait; and where the time is another, how much later that is.
local CHECK, PEEK, ADJUST, RESET, BLOCK, RELEASE = 0, 1, 2, 3, 4, 5
local duration, count = tonumber(ARGV[1]), tonumber(ARGV[2])
local limits, place = {}, 3
local keys, total = KEYS, #KEYS
for i = 1, count do
  local letter, window, quota, burst = ARGV[place], ARGV[place + 1], ARGV[place + 2], ARGV[place + 3]
  limits[i] = algorithms[letter](tonumber(window), tonumber(quota), tonumber(burst))
  place = place + 4
end
local is_uniform = #ARGV == place + 2

-- About the key at hand: the number of its first name less 1, the time by which it is decided, the end of its block and
-- whether that is to come, and until when each name is kept.
local base, time, blocked, is_held, kept = 0, now, 0, false, {}

local reply, length = {now}, 1

-- The only limit of a key, where there is one and it has no leases.
local only = count == 1 and not limits[1].has_leases and limits[1] or {}
local only_load, only_count, only_take, only_ends, only_save = only.load, only.count, only.take, only.ends, only.save
local only_capacity = only.capacity

-- By far the most checks pass the only limit of a key: what follows in `check` comes to the same in more steps. Returns
-- false after loading where it is of another kind.
local function pass(op, cost)
  local key = keys[base + 1]
  local till, block, last = only_load(key)
  if op == CHECK and cost > 0 and block <= now and last <= now then
    local left = only_capacity - only_count(now) - cost
    if left >= 0 then
      only_take(now, cost)
      local ends = only_ends()
      only_save(key, till, ends, block)
      reply[length + 1], reply[length + 2], reply[length + 3] = 1, left, ends - now
      length = length + 3
      return true
    end
  end
  kept[1], blocked, time = till, block, max(last, now)
  is_held = blocked > time
  return false
end

-- A call with nothing but such checks is over before the functions for the others are made, which takes longer than a
-- check does. Most calls have few keys, on a Cluster too.
if only_load and is_uniform then
  local op, cost = tonumber(ARGV[place]), tonumber(ARGV[place + 1])
  while op == CHECK and base < total and pass(op, cost) do
    base = base + 1
  end
  if base == total then
    return reply
  end
end

local function load()
  kept[1], blocked, time = limits[1].load(keys[base + 1])
  time = max(time, now)
  for i = 2, count do
    local till, _, last = limits[i].load(keys[base + i])
    kept[i], time = till, max(time, last)
  end
  is_held = blocked > time
end

-- Returns when nothing of the limit counts any more.
local function save(i)
  local over = limits[i].ends()
  local ends = i == 1 and max(over, blocked) or over
  if ends > now then
    limits[i].save(keys[base + i], kept[i], ends, i == 1 and blocked or 0)
  else
    call('DEL', keys[base + i])
  end
  return over
end

-- The limit that restricts `cost` units most, how long until they would pass by all limits, and what that one has left.
local function judge(cost)
  local worst, wait, left = 1, 0, nil
  for i = 1, count do
    local limit = limits[i]
    local capacity = limit.capacity
    local free = capacity - limit.count(time)
    if cost > free or capacity == 0 then
      local longer = (cost > capacity or capacity == 0) and limit.window or limit.wait(time, cost)
      if longer > wait then
        worst, wait, left = i, longer, free
      end
    elseif wait == 0 and (not left or free < left) then
      worst, left = i, free
    end
  end
  return worst, wait, left
end

-- Takes units from every limit, and says what `worst` has left and when nothing of it will count any more.
local function take(units, id, worst, left)
  local ends
  for i = 1, count do
    local limit = limits[i]
    limit.take(time, units, id)
    local over = save(i)
    if i == worst then
      ends = over
      -- A lease that was there already took nothing.
      left = limit.has_leases and limit.capacity - limit.count(time) or left - units
    end
  end
  return left, ends
end

-- Penalties go up to twice the capacity, so that no number leaves its range and none lasts for ever.
local function adjust(units, at)
  for i = 1, count do
    local limit = limits[i]
    if limit.capacity > 0 and not limit.has_leases then
      local room = 2 * limit.capacity - limit.count(time)
      if units < 0 then
        limit.give(time, -units, at)
        save(i)
      elseif units > 0 and room > 0 then
        limit.take(time, min(units, room))
        save(i)
      end
    end
  end
end

local function lease(op, units, id)
  local found = false
  for i = 1, count do
    local limit = limits[i]
    if limit.has_leases then
      limit.count(time)
      if op == RELEASE then
        found = limit.release(id, units) or found
      else
        found = limit.renew(time, id) or found
      end
      save(i)
    end
  end
  return found
end

-- Carries out what is no check, and says what became of a lease.
local function carry_out(op, amount, extra, id)
  if op == ADJUST then
    adjust(amount, tonumber(extra))
  elseif op == RESET then
    for i = 1, count do
      call('DEL', keys[base + i])
    end
  elseif op == BLOCK then
    blocked = amount > 0 and time + amount or 0
    save(1)
  else
    return lease(op, amount, id)
  end
end

local function answer(allowed, worst, wait, left, ends)
  local flags = 8 * (worst - 1)
  local reset = max(ends or limits[worst].ends(), time)
  if is_held then
    flags, reset, wait = flags + 4, max(reset, blocked), max(wait, blocked - time)
  end
  reply[length + 2], reply[length + 3] = left, reset - now
  local last = length + 3
  if allowed then
    flags = flags + 1
  else
    last = last + 1
    reply[last] = wait > 0 and wait + time - now or 0
  end
  if time ~= now then
    flags = flags + 2
    last = last + 1
    reply[last] = time - now
  end
  reply[length + 1] = flags
  length = last
end

local function check(op, cost, id)
  if not only_load then
    load()
  elseif pass(op, cost) then
    return
  end
  local worst, wait, left = judge(cost)
  local allowed, ends = wait == 0 and not is_held, nil
  if op == CHECK then
    if allowed and cost > 0 then
      left, ends = take(cost, id, worst, left)
    elseif not allowed and duration > 0 and not is_held then
      blocked, is_held = time + duration, true
      save(1)
    end
  end
  answer(allowed, worst, wait, left, ends)
end

local function change(op, amount, extra, id)
  load()
  local found = carry_out(op, amount, extra, id)
  -- What was written is read again, but decided by the same time, if it is not forgotten.
  local decided = op == RESET and now or time
  load()
  time = decided
  is_held = blocked > time
  local worst, wait, left = judge(1)
  local allowed = found
  if op < RELEASE then
    allowed = wait == 0 and not is_held
  end
  answer(allowed, worst, wait, left)
end

local op, amount, extra, id
for first = base, total - 1, count do
  base = first
  if not op or not is_uniform then
    op, amount, extra = tonumber(ARGV[place]), tonumber(ARGV[place + 1]), ARGV[place + 2]
    id = extra .. ':' .. ARGV[place + 1]
    place = place + 3
  end
  if op <= PEEK then
    check(op, amount, id)
  else
    change(op, amount, extra, id)
  end
end
return reply
