-- `try` is for what reads a key: what somebody else has written there is as good as nothing.
local call, try, pack, unpack = redis.call, redis.pcall, struct.pack, struct.unpack
local min, max, floor, ceil, match = math.min, math.max, math.floor, math.ceil, string.match
local algorithms = {}

-- Until when a key is to be kept that is needed until `ends`: some longer, so that only one write in many has to say
-- so.
local function extend(ends, window)
  return ends + floor(window / 8)
end

-- Whole milliseconds from now until `time`, rounded up.
local function lasting(time)
  return floor((time - now) / 1000) + 1
end

-- Writes the string of a key that was kept until `kept`, 0 if there is none, and is to be until `till`.
local function put(key, kept, till, state)
  if kept == till then
    call('SETRANGE', key, '0', state)
  else
    call('SET', key, state, 'PX', lasting(till))
  end
end
