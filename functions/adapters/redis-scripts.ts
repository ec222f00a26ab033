/**
 * The Lua scripts of the room stream: each one is atomic and one round trip.
 *
 * Lua's numbers are doubles, so a 64-bit position is handled as the pair (ms, n) and written in two halves.
 */

/** Shared by the scripts below: pairs, their order, and the nineteen digits of a position. */
const POSITIONS = `
local COUNTER = 1048576
local function pair(id)
  local ms, n = string.match(id, '^(%d+)%-(%d+)$')
  return { tonumber(ms), tonumber(n) }
end
local function above(a, b) return a[1] > b[1] or (a[1] == b[1] and a[2] > b[2]) end
local function after(a)
  if a[2] + 1 >= COUNTER then return { a[1] + 1, 0 } end
  return { a[1], a[2] + 1 }
end
local function larger(a, b) if above(b, a) then return b end return a end
local function digits(a)
  local high = math.floor(a[1] / 1000000)
  local low = (a[1] - high * 1000000) * COUNTER + a[2]
  local carry = math.floor(low / 1000000)
  local text = string.format('%.0f%06.0f', high * COUNTER + carry, low - carry * 1000000)
  return string.rep('0', 19 - #text) .. text
end
local function clock()
  local time = redis.call('TIME')
  return { tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000), 0 }
end
local function last(stream)
  local newest = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)
  return newest[1] and pair(newest[1][1])
end
`;

/** Refuses a caller whose fence is not the present one. KEYS[1]: fence. ARGV[1..2]: its position and memory. */
const FENCED = `
local fence = redis.call('HMGET', KEYS[1], 'position', 'memory')
if fence[1] ~= ARGV[1] or fence[2] ~= ARGV[2] then return { 'STALE' } end
`;

/**
 * Which memory it is: of which process, and of which history, since a primary that was a replica in between goes on with what another
 * one had. Read inside a script, so it is that of the memory that the script works on.
 */
const MEMORY = `
local memory = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') .. '-'
  .. string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)')
`;

/**
 * KEYS: fence. ARGV: caller's clock in ms, its floor and the fence it knows as stream ids, and the latter's digits.
 * Answers position and memory.
 */
export const OPEN = `${POSITIONS}${MEMORY}
local held = redis.call('HMGET', KEYS[1], 'position', 'memory', 'id')
if held[2] == memory and held[1] >= ARGV[4] then return { held[1], memory } end
local fence = larger(clock(), { tonumber(ARGV[1]) + 500, 0 })
fence = larger(fence, after(pair(ARGV[2])))
fence = larger(fence, after(pair(ARGV[3])))
if held[3] then fence = larger(fence, after(pair(held[3]))) end
local position = digits(fence)
redis.call('HSET', KEYS[1], 'position', position, 'memory', memory, 'id', string.format('%.0f-%.0f', fence[1], fence[2]))
return { position, memory }
`;

/** KEYS: fence. Answers its position, '' where it is of another memory. */
export const FENCE_OF = `${MEMORY}
local held = redis.call('HMGET', KEYS[1], 'position', 'memory')
return held[2] == memory and held[1] or ''
`;

/**
 * KEYS: fence, stream, id, active, channel. ARGV[3..]: fence and floor as stream ids, room as JSON, the draft's fields,
 * milliseconds that the id is kept, most entries, room. Answers OK or REPEAT with position and prev, STALE or FULL.
 */
export const APPEND = `${POSITIONS}${FENCED}
local known = redis.call('GET', KEYS[3])
if known then return { 'REPEAT', string.sub(known, 1, 19), string.sub(known, 20) } end
if redis.call('XLEN', KEYS[2]) >= tonumber(ARGV[8]) then return { 'FULL' } end
local bottom = pair(ARGV[3])
local newest = last(KEYS[2])
local place = larger(clock(), after(larger(bottom, pair(ARGV[4]))))
local prev = ARGV[1]
if newest then
  place = larger(place, after(newest))
  if above(newest, bottom) then prev = digits(newest) end
end
local position = digits(place)
local json = '{"type":"event","room":' .. ARGV[5] .. ',"position":"' .. position .. '","prev":"' .. prev .. '",'
  .. ARGV[6] .. ',"at":' .. string.format('%.0f', place[1]) .. '}'
redis.call('XADD', KEYS[2], string.format('%.0f-%.0f', place[1], place[2]), 'p', prev, 'e', json)
redis.call('SET', KEYS[3], position .. prev, 'PX', ARGV[7])
redis.call('ZADD', KEYS[4], string.format('%.0f', clock()[1]), ARGV[9])
redis.call('SPUBLISH', KEYS[5], ARGV[1] .. position .. prev .. json)
return { 'OK', position, prev }
`;

/** KEYS: fence, stream. ARGV[3..]: exclusive lower stream id, most entries. Answers OK, the last id and the entries. */
export const READ_AFTER = `${FENCED}
local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
return { 'OK', newest[1] and newest[1][1] or '', redis.call('XRANGE', KEYS[2], '(' .. ARGV[3], '+', 'COUNT', ARGV[4]) }
`;

/** KEYS: fence, stream. ARGV[3..]: upper bound as XREVRANGE takes it, most entries. As above, newest first. */
export const READ_NEWEST = `${FENCED}
local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
return { 'OK', newest[1] and newest[1][1] or '', redis.call('XREVRANGE', KEYS[2], ARGV[3], '-', 'COUNT', ARGV[4]) }
`;

/** KEYS: fence, id. Answers OK and what the id's key holds. */
export const FIND = `${FENCED}
return { 'OK', redis.call('GET', KEYS[2]) or '' }
`;

/** KEYS: fence, then streams. Answers the fence's position, '' where it is of another memory, and the last id of each stream, '' where there is none. */
export const INSPECT = `${MEMORY}
local held = redis.call('HMGET', KEYS[1], 'position', 'memory')
local answer = { held[2] == memory and held[1] or '' }
for index = 2, #KEYS do
  local newest = redis.call('XREVRANGE', KEYS[index], '+', '-', 'COUNT', 1)
  answer[index] = newest[1] and newest[1][1] or ''
end
return answer
`;

/** KEYS: active. ARGV: room, idle time in ms. Forgets a room that nothing was appended to for that long. */
export const RETIRE = `${POSITIONS}
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if score and tonumber(score) <= clock()[1] - tonumber(ARGV[2]) then return redis.call('ZREM', KEYS[1], ARGV[1]) end
return 0
`;
