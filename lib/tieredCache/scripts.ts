/*
 * What is in Redis, all of which begins with the cache's prefix:
 *
 *     {=key}          a value, and {=key}!  the lease of who loads it, both in one slot of a Cluster
 *     {*}news         what was changed lately, each key and tag once, by its position (a sorted set)
 *     {*}tags         when tags were invalidated, which counts for as long as values live
 *     {*}last         the latest position, the epoch that it is of, and the latest that is no more in the news (a hash)
 *
 * A position is a number of microseconds by Redis's clock, which grows even where that does not. A lease holds the token of who has it; `?` at its end says that
 * others wait for it, who are told on the channel how it ended. Whoever may not publish there changes things all the same, of
 * which the others hear when they ask.
 */

/** Milliseconds that a value lives at the longest, and the invalidation of a tag counts. */
export const LONGEST = 30 * 24 * 3600 * 1000;
/** For how long news are kept at least, in milliseconds; who was away for longer may not know what it missed. */
export const RETENTION = 60_000;
/** News that are told at once, and kept. */
export const NEWS = 1000;
export const MOST_NEWS = 100_000;

const RELEASE = `
local function release(lease, channel, name, message)
  local held = redis.call('GET', lease)
  if held then redis.call('DEL', lease) end
  if held and held:sub(-1) == '?' then
    redis.pcall('PUBLISH', channel, cjson.encode({ name, message }))
  end
end
local function holds(lease, token)
  local held = redis.call('GET', lease)
  return held and (held == token or held == token .. '?')
end
`;

/**
 * Looks at values, each by two keys and three arguments: a token, or nothing; for how long the lease is wanted; and the head of
 * a value that was seen, or nothing. Whoever finds no value, or the one that he has seen, gets the lease if he has a token,
 * unless somebody else has it. Three items about each: what was found, for how long, and the value. What others have put there
 * that is no text is none.
 */
export const READ = `
local function get(key)
  local value = redis.pcall('GET', key)
  return type(value) == 'string' and value
end
local function look(entry, lease, token, life, seen)
  local value = get(entry)
  if value and (seen == '' or value:sub(1, #seen) ~= seen) then return 0, redis.call('PTTL', entry), value end
  if token == '' then return 1, 0, false end
  local held = get(lease)
  if not held then
    redis.call('SET', lease, token, 'PX', life)
    return 2, 0, false
  end
  if held:sub(-1) ~= '?' then redis.call('SET', lease, held .. '?', 'KEEPTTL') end
  return 3, redis.call('PTTL', lease), false
end
local reply = {}
for index = 0, #KEYS / 2 - 1 do
  local entry, lease = KEYS[2 * index + 1], KEYS[2 * index + 2]
  local token, life, seen = ARGV[3 * index + 1], ARGV[3 * index + 2], ARGV[3 * index + 3]
  local place = 3 * index
  reply[place + 1], reply[place + 2], reply[place + 3] = look(entry, lease, token, life, seen)
end
return reply
`;

/** Stores what was loaded, by who still has the lease: who has not was overtaken by a change. */
export const LAND = `${RELEASE}
local token, channel, name, life = ARGV[1], ARGV[2], ARGV[3], ARGV[5]
if not holds(KEYS[2], token) then return 0 end
redis.call('SET', KEYS[1], ARGV[4], 'PX', life)
release(KEYS[2], channel, name, false)
return 1
`;

/** Gives the lease back without a value, or has it last for longer. */
export const LEASE = `${RELEASE}
local token, channel, name, message, life = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if not holds(KEYS[2], token) then return 0 end
if life == '0' then release(KEYS[2], channel, name, message) else redis.call('PEXPIRE', KEYS[2], life) end
return 1
`;

/** Stores or deletes a value, whoever loads it. */
export const WRITE = `${RELEASE}
local channel, name, life = ARGV[1], ARGV[2], ARGV[3]
if life == '0' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[4], 'PX', life) end
release(KEYS[2], channel, name, false)
return 1
`;

/**
 * The three keys of the news, which are of one time with each other or lost: by FLUSHALL, a restart, a failover to who was
 * behind, an eviction. Then there is a new epoch, before which everything counts as cleared.
 */
const STATE = `
local news, tags, last = KEYS[1], KEYS[2], KEYS[3]
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function text(position) return string.format('%.0f', position) end
local found = redis.call('HMGET', last, 'position', 'epoch', 'floor')
local before, epoch, floor = tonumber(found[1]), tonumber(found[2]), tonumber(found[3])
local function isWhole()
  local top = redis.call('ZREVRANGE', news, 0, 0, 'WITHSCORES')[2]
  return before and top and tonumber(top) == before and redis.call('ZSCORE', tags, 'a')
end
local function begin(position)
  before, epoch, floor = position, position, position
  redis.call('DEL', news, tags, last)
  redis.call('ZADD', news, text(position), 'a')
  redis.call('ZADD', tags, text(position), 'a')
  redis.call('HSET', last, 'position', text(position), 'epoch', text(position), 'floor', text(position))
end
-- They end some weeks after somebody has used the cache last.
local function keep()
  if redis.call('PTTL', last) > ${LONGEST / 2} then return end
  for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ${LONGEST}) end
end
`;

/** Tells the fleet of keys (k…), tags (t…) or all (a). Answers the position before, and the last one of these. */
export const TELL = `${STATE}
if not isWhole() then begin(now) end
local channel, retention, longest, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local position = math.max(before, now)
for index = 5, #ARGV do
  local member = ARGV[index]
  position = position + 1
  redis.call('ZADD', news, text(position), member)
  if member:sub(1, 1) ~= 'k' then redis.call('ZADD', tags, text(position), member) end
end
local old = redis.call('ZREVRANGEBYSCORE', news, text(now - retention * 1000), '-inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]
if old then
  floor = tonumber(old)
  redis.call('ZREMRANGEBYSCORE', news, '-inf', old)
end
local over = redis.call('ZCARD', news) - most
if over > 0 then
  local popped = redis.call('ZPOPMIN', news, over)
  floor = tonumber(popped[#popped])
end
local end_of_life = text(now - longest * 1000)
redis.call('ZADD', tags, 'GT', end_of_life, 'a')
redis.call('ZREMRANGEBYSCORE', tags, '-inf', '(' .. end_of_life)
redis.call('HSET', last, 'position', text(position), 'floor', text(floor))
keep()
redis.pcall('PUBLISH', channel, text(position))
return { text(before), text(position) }
`;

/**
 * What is new since a position, of who knows of another, and of an epoch (0 for none): whether that is all that was (1), or the
 * news are not kept any more (0), or it is another epoch (2); the position until which it is; the latest one that was given; the
 * one of the latest clearing; the epoch; whether there is more; and each of the news with its position.
 */
export const HEAR = `${STATE}
local since, known, of, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if not isWhole() or (of == epoch and before < known) then begin(math.max(now, known + 1)) end
keep()
local state = 1
if of ~= 0 and of ~= epoch then state = 2 elseif since < floor then state = 0 end
local found = {}
if state == 1 then
  found = redis.call('ZRANGEBYSCORE', news, '(' .. text(since), '+inf', 'WITHSCORES', 'LIMIT', 0, limit)
end
local more = #found == 2 * limit
local position = more and tonumber(found[#found]) or before
local cleared = tonumber(redis.call('ZSCORE', tags, 'a'))
local reply = { state, text(position), text(before), text(cleared), text(epoch), more and 1 or 0 }
for index = 1, #found, 2 do
  reply[#reply + 1] = found[index]
  reply[#reply + 1] = text(tonumber(found[index + 1]))
end
return reply
`;

/** When tags were invalidated, 0 for never. */
export const TAGS = `
local reply = {}
for index, tag in ipairs(ARGV) do
  reply[index] = string.format('%.0f', tonumber(redis.call('ZSCORE', KEYS[1], tag) or 0))
end
return reply
`;
