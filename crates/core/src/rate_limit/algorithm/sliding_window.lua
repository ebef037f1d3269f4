-- A log of what was admitted, and when: exact in every window (now - window, now].
--
-- One string: a header of 8 doubles, then entries of 2, a time and its units, from number `first` up to `finish`. A short
-- log is read and written whole. Of a long one only the header is, an entry that comes, and those that go, some at a
-- time; what is over at its front is cut off once it is as long as the rest.
algorithms.s = function(window, quota)
  local limit = {window = window, capacity = quota}
  local HEADER, ENTRY, FEW = 64, 16, 32
  local grain = quota > 65536 and ceil(window / 65536) or 1
  local name, head, saved
  -- `seen` is a time at which entries were found over and left out for good, though nothing was taken.
  local units, first, finish, oldest, newest, seen
  -- What replaces the entries from number `edited` on, where that is not nil.
  local edited, tail

  function limit.load(key)
    local kept, blocked = 0, 0
    name, saved, edited = key, 0, nil
    units, first, finish, oldest, newest, seen = 0, 0, 0, 0, 0, 0
    head = call('GETRANGE', key, '0', '575')
    if head ~= '' then
      kept, blocked, units, first, finish, oldest, newest, seen = unpack('<dddddddd', head)
      saved = first
    end
    return kept, blocked, max(newest, seen)
  end

  -- The entries from number `from` up to and without `to`, as they were before any edit.
  local function entries(from, to)
    local start, stop = HEADER + ENTRY * from, HEADER + ENTRY * to
    if stop <= #head then
      return sub(head, start + 1, stop)
    end
    return call('GETRANGE', name, start, stop - 1)
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
    return pack('<dddddddd', till, blocked, units, first, finish, oldest, newest, seen)
  end

  function limit.save(key, kept, ends, blocked)
    local till = extend(kept, ends, window)
    local from, stop, fresh = first, edited or finish, edited and tail or ''
    if finish - from <= FEW or from >= FEW and from >= finish - from then
      local body = entries(from, stop) .. fresh
      first, finish = 0, finish - from
      -- Only a string that is short already is written over: a long one has to give its memory back.
      return put(key, #head < HEADER + ENTRY * FEW and kept or 0, till, header(till, blocked) .. body)
    end
    if edited then
      call('SETRANGE', key, HEADER + ENTRY * stop, fresh)
    end
    call('SETRANGE', key, '0', header(till, blocked))
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
      call('SETRANGE', name, '16', pack('<dddddd', units, first, finish, oldest, newest, seen))
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

  function limit.reset(now)
    return max(now, limit.ends())
  end

  function limit.take(now, more)
    edited = finish
    if units > 0 and floor(newest / grain) == floor(now / grain) then
      edited = finish - 1
      local _, size = unpack('<dd', entries(edited, finish))
      tail = pack('<dd', now, size + more)
      if edited == first then
        oldest = now
      end
    else
      tail = pack('<dd', now, more)
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
