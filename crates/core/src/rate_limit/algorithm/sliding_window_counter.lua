-- Two counters of aligned windows; the previous one fades out as the current one goes on.
algorithms.w = function(window, quota)
  local limit = {window = window, capacity = quota}
  local start, current, previous

  function limit.load(key)
    local kept, blocked = 0, 0
    start, current, previous = 0, 0, 0
    local state = try('GET', key)
    if state and #state == 40 then
      kept, blocked, start, current, previous = unpack('<ddddd', state)
    end
    return kept, blocked, current + previous > 0 and start or 0
  end

  function limit.save(key, kept, ends, blocked)
    local till = kept >= ends and kept or extend(ends, window)
    put(key, kept, till, pack('<ddddd', till, blocked, start, current, previous))
  end

  -- How far into the window that began at `from` what is left of `units` is no more than `room`.
  local function faded(from, units, room)
    return room >= units and from or from + window - divide(room, window, units)
  end

  -- The counters of the window that `now` is in.
  local function at(now)
    local from = now - now % window
    if from == start then
      return start, current, previous
    end
    -- Further on, both have faded. A window of another length that the limit used to have counts as the previous one.
    return from, 0, from - start <= window and current or 0
  end

  function limit.count(now)
    local start, current, previous = at(now)
    if previous == 0 then
      return current
    end
    local whole, rest = divide(previous, start + window - now, window)
    return current + whole + (rest > 0 and 1 or 0)
  end

  function limit.wait(now, cost)
    local start, current, previous = at(now)
    local room = quota - cost
    if current <= room then
      return faded(start, previous, room - current) - now
    end
    return faded(start + window, current, room) - now
  end

  function limit.take(now, more)
    start, current, previous = at(now)
    current = current + more
  end

  function limit.give(now, less, admitted)
    start, current, previous = at(now)
    if admitted == 0 then
      local newest = min(less, current)
      current = current - newest
      previous = previous - min(less - newest, previous)
    elseif admitted >= start then
      current = current - min(less, current)
    elseif admitted >= start - window then
      previous = previous - min(less, previous)
    end
  end

  function limit.ends()
    if current > 0 then
      return start + 2 * window
    elseif previous > 0 then
      return start + window
    else
      return 0
    end
  end

  return limit
end
