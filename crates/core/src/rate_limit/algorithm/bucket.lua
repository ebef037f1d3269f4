-- A token bucket, kept as the time at which it would be full: the theoretical arrival time of GCRA.
-- A unit takes window / quota to flow in: times have a fraction in parts of `quota`.
algorithms.b = function(window, quota, burst)
  local limit = {window = window, capacity = quota > 0 and burst or 0}
  local step = quota > 0 and (window - window % quota) / quota
  -- Since when it was never full, when it would be full, and a fraction of a microsecond in parts of `quota`.
  local since, full, parts

  function limit.load(key)
    local kept, blocked = 0, 0
    since, full, parts = 0, 0, 0
    local state = call('GET', key)
    if state then
      kept, blocked, since, full, parts = unpack('<ddddd', state)
      -- The quota may have been greater when these were counted.
      parts = min(parts, max(quota - 1, 0))
    end
    return kept, blocked, since
  end

  function limit.save(key, kept, ends, blocked)
    local till = kept >= ends and kept or extend(ends, window)
    put(key, kept, till, pack('<ddddd', till, blocked, since, full, parts))
  end

  -- How long so many units take to flow in, and the fraction.
  local function span(units)
    local whole, rest = divide(units, window % quota, quota)
    return units * step + whole, rest
  end

  local function is_full(now)
    return full < now or full == now and parts == 0
  end

  function limit.count(now)
    if is_full(now) then
      return 0
    end
    local ahead = full - now
    local whole, rest = divide(ahead % window, quota, window)
    local sum = rest + parts
    return floor(ahead / window) * quota + whole + floor((sum + window - 1) / window)
  end

  function limit.wait(now, cost)
    local whole, rest = span(limit.capacity - cost)
    return full - now - whole + (parts > rest and 1 or 0)
  end

  function limit.take(now, more)
    if is_full(now) then
      since, full, parts = now, now, 0
    end
    local whole, rest = span(more)
    full = full + whole
    parts = parts + rest
    if parts >= quota then
      full = full + 1
      parts = parts - quota
    end
  end

  function limit.give(now, less, at)
    if is_full(now) or at ~= 0 and at < since then
      return
    end
    local whole, rest = span(less)
    full = full - whole
    parts = parts - rest
    if parts < 0 then
      full = full - 1
      parts = parts + quota
    end
    if is_full(now) then
      since, full, parts = 0, 0, 0
    end
  end

  function limit.ends()
    return full + (parts > 0 and 1 or 0)
  end

  return limit
end
