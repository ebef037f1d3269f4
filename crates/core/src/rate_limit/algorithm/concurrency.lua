-- Leases of permits, each of which ends a window after it was taken or renewed, if nobody gives it back before.
--
-- One sorted set: a member "id:permits" a lease, by when it ends. Below 0, and so before all of these, are "t", minus
-- the permits of all leases, and "b", minus the end of the key's block.
algorithms.c = function(window, quota)
  local limit = {window = window, capacity = quota, has_leases = true}
  local name, permits, first, latest

  function limit.load(key)
    local blocked = 0
    name, permits, first, latest = key, 0, nil, nil
    local found = try('ZRANGE', key, '0', '2', 'WITHSCORES')
    if found.err then
      call('DEL', key)
    end
    for i = 1, #found, 2 do
      local member, score = found[i], tonumber(found[i + 1])
      if member == 't' then
        permits = -score
      elseif member == 'b' then
        blocked = -score
      else
        first = first or score
      end
    end
    return 0, blocked, 0
  end

  function limit.save(key, kept, ends, blocked)
    if blocked > 0 then
      call('ZADD', key, -blocked, 'b')
    else
      call('ZREM', key, 'b')
    end
    call('PEXPIRE', key, lasting(ends))
  end

  -- A member that somebody else has added has none.
  local function permits_of(member)
    return tonumber(match(member, ':(%d+)$') or 0)
  end

  local function set_permits(sum)
    permits, latest = sum, nil
    if sum > 0 then
      call('ZADD', name, -sum, 't')
    else
      call('ZREM', name, 't')
    end
  end

  function limit.count(now)
    if first and first <= now then
      local sum = permits
      for _, member in ipairs(call('ZRANGEBYSCORE', name, '(0', now)) do
        sum = sum - permits_of(member)
      end
      call('ZREMRANGEBYSCORE', name, '(0', now)
      set_permits(sum)
      first = nil
    end
    return permits
  end

  function limit.wait(now, cost)
    local missing, offset = permits + cost - quota, 0
    while true do
      local found = call('ZRANGEBYSCORE', name, '(0', '+inf', 'WITHSCORES', 'LIMIT', offset, '16')
      for i = 1, #found, 2 do
        missing = missing - permits_of(found[i])
        if missing <= 0 then
          return tonumber(found[i + 1]) - now
        end
      end
      if #found == 0 then
        return 0
      end
      offset = offset + 16
    end
  end

  function limit.ends()
    if permits > 0 and not latest then
      latest = tonumber(call('ZRANGE', name, '-1', '-1', 'WITHSCORES')[2])
    end
    return latest or 0
  end

  -- Lets a lease end a window from now on, though never earlier than it would.
  local function set(now, lease)
    latest = nil
    return call('ZADD', name, 'GT', now + window, lease)
  end

  function limit.take(now, units, lease)
    if set(now, lease) == 1 then
      set_permits(permits + units)
    end
  end

  function limit.release(lease, units)
    if call('ZREM', name, lease) == 0 then
      return false
    end
    set_permits(permits - units)
    return true
  end

  function limit.renew(now, lease)
    if not call('ZSCORE', name, lease) then
      return false
    end
    set(now, lease)
    return true
  end

  return limit
end
