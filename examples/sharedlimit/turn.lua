-- One line of turns for all processes. The key is a hash:
--   epoch  what turns that were given out must have been given out under
--   next   when the next turn comes
--   held   until when there is none, after a 429
--   seen   the time of the latest script
-- Times are microseconds since 1970, by the clock of Redis.
--
-- ARGV: the new epoch; how long to hold back, 0 for a turn; the time between
-- two turns; the longest line; a second; the longest hold.
-- Returns the epoch ("" for no turn: the line is too long), the wait, and how
-- far the clock went back.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local epoch, hold, spacing, longest = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local second, longest_hold = tonumber(ARGV[5]), tonumber(ARGV[6])

local function time(field)
	local text = redis.call('HGET', KEYS[1], field)
	local value = text and tonumber(text)
	-- A comparison with nan is false.
	if value and value >= 0 and value <= now + 86400 * 1000000 then
		return value
	end
	return nil
end

-- Without the key, Redis has forgotten what was in the last second.
local next, held, seen, back = now + second, 0, now, 0
if redis.call('EXISTS', KEYS[1]) == 1 then
	next, held, seen = time('next'), time('held'), time('seen')
	if not (next and held and seen and redis.call('HGET', KEYS[1], 'epoch')) then
		return redis.error_reply('SHAREDLIMIT ' .. KEYS[1] .. ' is not a line of turns')
	end
	if seen > now then -- what was ahead is as far ahead as before
		back = seen - now
		next, held = next - back, held - back
	end
	if held > now + longest_hold or next > math.max(now, held) + longest + second then
		return redis.error_reply('SHAREDLIMIT ' .. KEYS[1] .. ' has a turn that is too far ahead')
	end
	if hold == 0 then
		epoch = redis.call('HGET', KEYS[1], 'epoch')
	end
end

if hold > 0 then -- the new epoch takes back what was given out
	held = math.max(held, now + hold)
	next = held
end
next = math.max(next, now)
local turn, wait = epoch, next - now
if next - math.max(now, held) > longest then
	turn = ''
elseif hold == 0 then
	next = next + spacing
end
local function whole(number) return string.format('%.0f', number) end
redis.call('HSET', KEYS[1], 'epoch', epoch, 'next', whole(next), 'held', whole(math.max(held, 0)), 'seen', whole(now))
redis.call('PEXPIRE', KEYS[1], whole((next - now) / 1000 + 3600 * 1000))
return {turn, whole(wait), whole(back)}
