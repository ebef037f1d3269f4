-- A log of what was admitted, and when: exact in every window (now - window, now].
--
-- One string: entries of 2 doubles, a time and its units, and behind them 9 doubles about them, so that an entry that
-- comes is one write: of itself and of these. Entries count from number `first` up to `finish`; there is room for
-- `places`. Once what is over or unused is as long as the rest, it is cut off.
algorithms.s = function(window, quota)
  local limit = {window = window, capacity = quota}
  local ENTRY, FEW = 16, 32
  local grain = quota > 65536 and ceil(window / 65536) or 1
  local name, saved
  -- `seen` is a time at which entries were found over and left out for good, though nothing was taken.
  local units, first, finish, places, oldest, newest, seen
  -- What replaces the entries from number `edited` on, where that is not nil: one entry, or where there is a `tail`,
  -- that.
  local edited, tail, tail_time, tail_units

  function limit.load(key)
    local kept, blocked = 0, 0
    name, edited = key, nil
    local state = try('GETRANGE', key, '-72', '-1')
    if #state < 72 then
      units, first, finish, places, oldest, newest, seen = 0, 0, 0, 0, 0, 0, 0
    else
      kept, blocked, units, first, finish, places, oldest, newest, seen = unpack('<ddddddddd', state)
    end
    saved = first
    return kept, blocked, max(newest, seen)
  end

  -- The entries from number `from` up to and without `to`, as they were before any edit.
  local function entries(from, to)
    return from < to and call('GETRANGE', name, ENTRY * from, ENTRY * to - 1) or ''
  end

  -- Calls `visit` with the number, time and units of each entry from the oldest on, until it returns true.
  local function each(visit)
    local number = first
    while number < finish do
      local stop = min(number + FEW, finish)
      local part = entries(number, stop)
      for at = 1, #part, ENTRY do
        if visit(number, unpack('<dd', part, at)) then
          return
        end
        number = number + 1
      end
    end
  end

  local function header(till, blocked)
    return pack('<ddddddddd', till, blocked, units, first, finish, places, oldest, newest, seen)
  end

  local function edit()
    return tail or pack('<dd', tail_time, tail_units)
  end

  -- Writes everything anew, without what is over.
  local function rewrite(key, till, blocked)
    local body = entries(first, edited or finish) .. (edited and edit() or '')
    first, finish = 0, finish - first
    places = finish
    put(key, 0, till, body .. header(till, blocked))
  end

  function limit.save(key, kept, ends, blocked)
    local till = kept >= ends and kept or extend(ends, window)
    local waste = places - (finish - first)
    if kept == 0 or waste >= FEW and waste >= finish - first then
      return rewrite(key, till, blocked)
    end
    if edited and not tail and finish >= places then
      -- By far the most are of this kind: one entry, and the header behind it.
      places = finish
      call('SETRANGE', key, ENTRY * edited, pack('<ddddddddddd', tail_time, tail_units,
        till, blocked, units, first, finish, places, oldest, newest, seen))
    else
      if edited then
        call('SETRANGE', key, ENTRY * edited, edit())
      end
      call('SETRANGE', key, ENTRY * places, header(till, blocked))
    end
    if till ~= kept then
      call('PEXPIRE', key, lasting(till))
    end
  end

  local function clear()
    units, first, finish, oldest, newest, edited = 0, 0, 0, 0, 0, nil
  end

  function limit.ends()
    return units > 0 and newest + window or 0
  end

  function limit.count(now)
    local edge = now - window
    if units == 0 or oldest > edge then
      return units
    end
    local number = first
    each(function(at, time, size)
      if time > edge then
        oldest = time
        return true
      end
      units = units - size
      number = at + 1
    end)
    first = number
    if units == 0 then
      clear()
    elseif first - saved >= FEW then
      -- Told at once, so that nothing looks through these again, even if nothing is taken now.
      saved, seen = first, now
      call('SETRANGE', name, ENTRY * places + 16, pack('<ddddddd', units, first, finish, places, oldest, newest, seen))
    end
    return units
  end

  function limit.wait(now, cost)
    local missing = units + cost - quota
    if missing <= 1 then
      return oldest + window - now
    end
    local freeing
    each(function(number, time, size)
      missing = missing - size
      freeing = time
      return missing <= 0
    end)
    return freeing + window - now
  end

  function limit.take(now, more)
    edited, tail, tail_time, tail_units = finish, nil, now, more
    if units > 0 and floor(newest / grain) == floor(now / grain) then
      edited = finish - 1
      local _, size = unpack('<dd', entries(edited, finish))
      tail_units = size + more
      if edited == first then
        oldest = now
      end
    else
      finish = finish + 1
      if units == 0 then
        oldest = now
      end
    end
    newest = now
    units = units + more
  end

  -- Takes units back from the newest entries on.
  local function give_newest(less)
    edited, tail = finish, ''
    while less > 0 and edited > first do
      edited = edited - 1
      local time, size = unpack('<dd', entries(edited, edited + 1))
      local given = min(less, size)
      less, units = less - given, units - given
      if given < size then
        tail = pack('<dd', time, size - given)
      end
    end
    finish = edited + #tail / ENTRY
    if units == 0 then
      clear()
    else
      newest = unpack('<d', tail ~= '' and tail or entries(edited - 1, edited))
    end
  end

  -- The number, time and units of the entry that has what was admitted at `at`.
  local function find(at)
    local stop = finish
    while stop > first do
      local start = max(first, stop - FEW)
      local part = entries(start, stop)
      for number = stop - 1, start, -1 do
        local time, size = unpack('<dd', part, 1 + ENTRY * (number - start))
        if time < at then
          return nil
        elseif floor(time / grain) == floor(at / grain) then
          return number, time, size
        end
      end
      stop = start
    end
  end

  local function give_at(less, at)
    local number, time, size = find(at)
    if not number then
      return
    end
    local given = min(less, size)
    units = units - given
    edited, tail = number, entries(number + 1, finish)
    if given < size then
      tail = pack('<dd', time, size - given) .. tail
      return
    end
    finish = finish - 1
    if units == 0 then
      clear()
    elseif number == first then
      oldest = unpack('<d', tail)
    elseif number == finish then
      newest = unpack('<d', entries(number - 1, number))
    end
  end

  function limit.give(now, less, at)
    if at == 0 then
      give_newest(less)
    else
      give_at(less, at)
    end
  end

  return limit
end
