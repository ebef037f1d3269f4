-- One counter, from the first request of a window until the window ends.
algorithms.f = function(window, quota)
  local limit = {window = window, capacity = quota}
  local start, units

  function limit.load(key)
    local kept, blocked = 0, 0
    start, units = 0, 0
    local state = try('GET', key)
    if state and #state == 32 then
      kept, blocked, start, units = unpack('<dddd', state)
    end
    return kept, blocked, units > 0 and start or 0
  end

  function limit.save(key, kept, ends, blocked)
    local till = kept >= ends and kept or extend(ends, window)
    put(key, kept, till, pack('<dddd', till, blocked, start, units))
  end

  function limit.count(now)
    return now < start + window and units or 0
  end

  function limit.wait(now, cost)
    return start + window - now
  end

  function limit.take(now, more)
    if units == 0 or now >= start + window then
      start, units = now, 0
    end
    units = units + more
  end

  function limit.give(now, less, at)
    if now < start + window and (at == 0 or at >= start) then
      units = units - min(less, units)
    end
  end

  function limit.ends()
    return units > 0 and start + window or 0
  end

  return limit
end
