/**
 * What a member tells the fleet of its load and hears of all loads, in one atomic step by Redis's clock.
 *
 * Keys are a sorted set of the members, each until when it counts; a hash of their loads; and a sorted set of the loads of the
 * whole fleet by the number of their interval, `number:load`. Who tells its load tells that of the interval before the present
 * one, of which the fleet's load is the sum of the latest loads of all members that count, as of whoever told its own last.
 *
 * The answer: the time, how many members count, and the fleet's loads since an interval, at most so many.
 */
export const SCALING_SCRIPT = `
local members, loads, fleet = KEYS[1], KEYS[2], KEYS[3]
local id, load, interval, life, keep = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local since, limit = ARGV[6], tonumber(ARGV[7])

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local bucket = math.floor(now / interval) - 1

for _, gone in ipairs(redis.call('ZRANGEBYSCORE', members, '-inf', now)) do
  redis.call('HDEL', loads, gone)
  redis.call('ZREM', members, gone)
end

if load == 'leave' then
  redis.call('HDEL', loads, id)
  redis.call('ZREM', members, id)
elseif load ~= '' then
  redis.call('ZADD', members, now + life, id)
  redis.call('HSET', loads, id, load)
  local sum = 0
  for _, member in ipairs(redis.call('ZRANGE', members, 0, -1)) do
    sum = sum + (tonumber(redis.call('HGET', loads, member) or 0) or 0)
  end
  -- What is later than now was told before the clock was set back.
  redis.call('ZREMRANGEBYSCORE', fleet, bucket, '+inf')
  redis.call('ZREMRANGEBYSCORE', fleet, '-inf', bucket - keep)
  redis.call('ZADD', fleet, bucket, string.format('%.0f:%.17g', bucket, sum))
  for _, key in ipairs({ members, loads }) do redis.call('PEXPIRE', key, life) end
  redis.call('PEXPIRE', fleet, keep * interval)
end

local found = redis.call('ZRANGEBYSCORE', fleet, since, '+inf', 'LIMIT', 0, limit)
return { string.format('%.0f', now), redis.call('ZCARD', members), table.concat(found, ',') }
`;
