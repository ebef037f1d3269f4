-- A token bucket, kept as the time at which it would be full: the theoretical arrival time of GCRA.
-- A unit takes window / quota to flow in: times have a fraction in parts of `quota`.
algorithms.b = function(window, quota, burst)
  local limit = {window = window, capacity = quota > 0 and burst or 0}
  -- How long one unit takes to flow in, and what is left over.
  local step, rest = 0, 0
  if quota > 0 then
    rest = window % quota
    step = (window - rest) / quota
  end
  -- Since when it was never full, when it would be full, and a fraction of a microsecond in parts of `quota`.
  local since, full, parts

  function limit.load(key)
    local kept, blocked = 0, 0
    since, full, parts = 0, 0, 0
    local state = try('GET', key)
    if state and #state == 40 then
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
    if units == 1 then
      return step, rest
    end
    local whole, part = divide(units, rest, quota)
    return units * step + whole, part
  end

  local function is_full(now)
    return full < now or full == now and parts == 0
  end

  function limit.count(now)
    if is_full(now) then
      return 0
    end
    local ahead = full - now
    local behind = ahead % window
    local whole, part = divide(behind, quota, window)
    return (ahead - behind) / window * quota + whole + ceil((part + parts) / window)
  end

  function limit.wait(now, cost)
    local whole, part = span(limit.capacity - cost)
    return full - now - whole + (parts > part and 1 or 0)
  end

  function limit.take(now, more)
    if is_full(now) then
      since, full, parts = now, now, 0
    end
    local whole, part = span(more)
    full = full + whole
    parts = parts + part
    if parts >= quota then
      full = full + 1
      parts = parts - quota
    end
  end

  function limit.give(now, less, at)
    if is_full(now) or at ~= 0 and at < since then
      return
    end
    local whole, part = span(less)
    full = full - whole
    parts = parts - part
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
