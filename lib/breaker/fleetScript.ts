/**
 * What a member tells the fleet and hears of it, in one atomic step by Redis's clock.
 *
 * Keys are a hash with the fleet's state, and two sorted sets with the members and the votes, each until when it counts.
 * The state is closed until an epoch has opened it. Each opening, closing and failed round of probes is a new epoch, whose
 * number grows even where Redis has lost the one before.
 */
export const FLEET_SCRIPT = `
local id, life, quorum, reset = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local votes_open, claim, verdict = ARGV[5] == '1', ARGV[6], ARGV[7]
local known = { epoch = tonumber(ARGV[8]), open = ARGV[9] == '1', wait = tonumber(ARGV[10]) }
local state, members, votes = KEYS[1], KEYS[2], KEYS[3]

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function keep(key, ttl)
  if redis.call('PTTL', key) < ttl then redis.call('PEXPIRE', key, ttl) end
end

if claim == 'leave' then
  redis.call('ZREM', members, id)
  redis.call('ZREM', votes, id)
  if redis.call('HGET', state, 'holder') == id then redis.call('HSET', state, 'holder', '') end
  return {}
end

for _, set in ipairs({ members, votes }) do redis.call('ZREMRANGEBYSCORE', set, '-inf', now) end
redis.call('ZADD', members, now + life, id)
keep(members, life)

local fields = redis.call('HMGET', state, 'epoch', 'open', 'due', 'holder', 'lease', 'wanted')
local epoch, open, due = tonumber(fields[1] or 0), fields[2] == '1', tonumber(fields[3] or 0)
local holder, lease, wanted = fields[4] or '', tonumber(fields[5] or 0), tonumber(fields[6] or 0)

local function enter(is_open)
  epoch, open, due = math.max(now, epoch + 1), is_open, now + reset
  holder, wanted = '', 0
  redis.call('DEL', votes)
end

-- Redis has lost what this member knows: nobody gets the lease until whoever has it had time to say so.
if known.epoch > epoch then
  epoch, open, due = known.epoch, known.open, now + math.max(known.wait, life)
  holder, wanted = '', 0
end

-- The lease ends with its time, when its holder gives it back, or by the verdict of its holder's probes.
if holder ~= '' and holder ~= id and lease <= now then holder = '' end
if holder == id and claim == 'none' then holder = '' end
if open and holder == '' and claim == 'lead' and known.epoch == epoch then holder = id end
if open and holder == id and verdict ~= 'none' and known.epoch == epoch then enter(verdict == 'open') end

-- Votes count until enough of them have opened the fleet.
if votes_open and not open then redis.call('ZADD', votes, now + life, id) else redis.call('ZREM', votes, id) end
keep(votes, life)
local count, total = redis.call('ZCARD', votes), redis.call('ZCARD', members)
if not open and count > 0 and count >= (quorum < 1 and quorum * total or quorum) then enter(true) end

-- Who needs a probe goes before who does not.
if open and now >= due and claim ~= 'none' then
  local free = holder == '' and (claim == 'need' or wanted <= now)
  if free then holder, wanted = id, 0 end
  if holder == id then lease = now + life elseif claim == 'need' then wanted = now + life end
end

if epoch > 0 then
  redis.call('HSET', state, 'epoch', epoch, 'open', open and 1 or 0, 'due', due,
    'holder', holder, 'lease', lease, 'wanted', wanted)
  keep(state, life + math.max(0, math.min(due - now, 86400000)))
end
local held = open and holder ~= ''
return { open and 1 or 0, epoch, math.max(0, due - now), total, redis.call('ZCARD', votes),
  held and 1 or 0, held and holder == id and 1 or 0, wanted > now and 1 or 0 }
`;
