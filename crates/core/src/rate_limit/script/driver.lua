-- ARGV: how long a denial blocks, the number of limits, of each its letter, window, quota and burst; then an operation, an
-- amount and an extra for each check, or once for all. KEYS: those of the limits of each check.
--
-- The reply begins with the time. Each check adds: 1 if it is allowed, + 2 if its time is another, + 4 if the key is
-- blocked, + 8 times the number of the limit; what that has left, below 0 where more is used; when it counts nothing, from now
-- on; unless allowed, how long to wait; and where the time is another, how much later that is.
local CHECK, PEEK, ADJUST, RESET, BLOCK, RELEASE, RENEW = 0, 1, 2, 3, 4, 5, 6
local duration, count = tonumber(ARGV[1]), tonumber(ARGV[2])
local limits, place = {}, 3
for i = 1, count do
  local letter, window, quota, burst = ARGV[place], ARGV[place + 1], ARGV[place + 2], ARGV[place + 3]
  limits[i] = algorithms[letter](tonumber(window), tonumber(quota), tonumber(burst))
  place = place + 4
end
local is_uniform = #ARGV == place + 2

-- About the key at hand: the number of its first name, the time by which it is decided, the end of its block, and until
-- when each name is kept.
local base, time, blocked, kept = 1, now, 0, {}

local function load()
  time, blocked = now, 0
  for i = 1, count do
    local till, block, last = limits[i].load(KEYS[base + i])
    kept[i] = till
    if i == 1 then
      blocked = block
    end
    if last > time then
      time = last
    end
  end
end

-- The end of the key's block, 0 if it is over.
local function held()
  return blocked > time and blocked or 0
end

local function save(i)
  local ends = limits[i].ends()
  if i == 1 then
    ends = max(ends, blocked)
  end
  if ends > now then
    limits[i].save(KEYS[base + i], kept[i], ends, i == 1 and blocked or 0)
  else
    call('DEL', KEYS[base + i])
  end
end

-- The limit that restricts `cost` units most, and how long until they would pass by all limits.
local function judge(cost)
  local worst, wait, least = 1, 0, nil
  for i = 1, count do
    local limit = limits[i]
    local capacity = limit.capacity
    local free = capacity - limit.count(time)
    if cost > free or capacity == 0 then
      local longer = (cost > capacity or capacity == 0) and limit.window or limit.wait(time, cost)
      if longer > wait then
        worst, wait = i, longer
      end
    elseif wait == 0 and (not least or free < least) then
      worst, least = i, free
    end
  end
  return worst, wait
end

local function take(units, extra)
  for i = 1, count do
    limits[i].take(time, units, extra)
    save(i)
  end
end

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

local function reset()
  for i = 1, count do
    call('DEL', KEYS[base + i])
  end
  load()
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
local function carry_out(op, amount, id, at)
  if op == ADJUST then
    adjust(amount, at)
  elseif op == RESET then
    reset()
  elseif op == BLOCK then
    blocked = amount > 0 and time + amount or 0
    save(1)
  else
    return lease(op, amount, id)
  end
end

local reply, length = {now}, 1

local function answer(allowed, worst, wait)
  local limit = limits[worst]
  local flags = 8 * (worst - 1)
  local reset = limit.reset(time)
  if held() > 0 then
    flags, reset, wait = flags + 4, max(reset, blocked), max(wait, blocked - time)
  end
  reply[length + 2] = limit.capacity - limit.count(time)
  reply[length + 3] = reset - now
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

local op, amount, extra = tonumber(ARGV[place]), tonumber(ARGV[place + 1]), ARGV[place + 2]
local id = extra .. ':' .. ARGV[place + 1]
for first = 0, #KEYS - 1, count do
  base = first
  if not is_uniform and first > 0 then
    place = place + 3
    op, amount, extra = tonumber(ARGV[place]), tonumber(ARGV[place + 1]), ARGV[place + 2]
    id = extra .. ':' .. ARGV[place + 1]
  end
  load()
  local found = nil
  if op > PEEK then
    found = carry_out(op, amount, id, tonumber(extra))
  end
  local cost = op > PEEK and 1 or amount
  local worst, wait = judge(cost)
  local allowed = wait == 0 and held() == 0
  if op == CHECK then
    if allowed and cost > 0 then
      take(cost, id)
    elseif not allowed and duration > 0 and held() == 0 then
      blocked = time + duration
      save(1)
    end
  elseif op >= RELEASE then
    allowed = found
  end
  answer(allowed, worst, wait)
end
return reply
