"""What Redis does in one step each, as Lua. KEYS are those of Keys.all, in its order, in every script."""

from dataclasses import astuple, dataclass


@dataclass(frozen=True, slots=True)
class Keys:
    """Where everything is."""

    batches: str
    """A stream: a batch has p (payload), e (events), r (received at); a mark has m (its text) and r."""
    loading: str
    """The range that is being loaded: the ids of its first and last entry."""
    ids: str
    """A hash: environment and batch id → number of events."""
    ids_by_time: str
    counts: str
    """A hash of numbers: kept bytes; waiting batches, events, bytes; the latest part and quarantine ids; and so on."""
    parts: str
    """A hash: part id → payload."""
    parts_told: str
    """A hash: part id → events, examined, received at."""
    parts_by_time: str
    quarantined: str
    """A hash: quarantine id → payload."""
    reasons: str
    quarantined_at: str
    """A hash: quarantine id → microseconds."""
    installation: str
    environments: str
    """What the names of the sets of quarantine ids begin with: one for each environment."""

    @classmethod
    def under(cls, prefix: str) -> "Keys":
        """Those of one installation."""
        return cls(**{name: prefix + name for name in cls.__dataclass_fields__})

    @property
    def all(self) -> tuple[str, ...]:
        """As a script is given them."""
        return astuple(self)


_NAMES = (
    "\n".join(f"local {name} = KEYS[{number}]" for number, name in enumerate(Keys.__dataclass_fields__, 1))
    + """
local call = redis.call
local function add(field, amount) return call('HINCRBY', counts, field, amount) end
"""
)

# ARGV: environment/batch id or nothing, payload, events, now, most bytes. -1: kept now; -2: full; else what was known.
APPEND = (
    _NAMES
    + """
local id, payload, events, now = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
if id ~= '' then
    local known = call('HGET', ids, id)
    if known then return tonumber(known) end
end
local kept = tonumber(call('HGET', counts, 'kept') or '0')
if kept > 0 and kept + #payload > tonumber(ARGV[5]) then return -2 end
if id ~= '' then
    call('HSET', ids, id, events)
    call('ZADD', ids_by_time, now, id)
end
if events > 0 then
    call('XADD', batches, '*', 'p', payload, 'e', events, 'r', now)
    add('kept', #payload) add('batches', 1) add('events', events) add('bytes', #payload)
end
return -1
"""
)

# ARGV: first, last. What the range is that is being loaded, and whether it was before; nothing if its batches are gone.
FIX = (
    _NAMES
    + """
local fixed = call('GET', loading)
if fixed then return {fixed, 1} end
if not call('XRANGE', batches, ARGV[1], ARGV[1])[1] then return {} end
local range = ARGV[1] .. ' ' .. ARGV[2]
call('SET', loading, range)
return {range, 0}
"""
)

# ARGV: first, last, after the last, events, bytes. Whether it was the range that is being loaded.
_LEAVE = (
    _NAMES
    + """
if call('GET', loading) ~= ARGV[1] .. ' ' .. ARGV[2] then return 0 end
call('DEL', loading)
local gone = call('XTRIM', batches, 'MINID', '=', ARGV[3])
if tonumber(ARGV[4]) > 0 then add('batches', -gone) add('events', -ARGV[4]) add('bytes', -ARGV[5]) end
"""
)

# More: ids older than this are forgotten.
COMMIT = (
    _LEAVE
    + """
add('kept', -ARGV[5])
local old = call('ZRANGEBYSCORE', ids_by_time, '-inf', '(' .. ARGV[6], 'LIMIT', 0, 5000)
for _, id in ipairs(old) do
    call('HDEL', ids, id)
    call('ZREM', ids_by_time, id)
end
return 1
"""
)

# More: payload, received at.
SET_ASIDE = (
    _LEAVE
    + """
local part = add('part', 1)
call('HSET', parts, part, ARGV[6])
call('HSET', parts_told, part, ARGV[4] .. ' 0 ' .. ARGV[7])
call('ZADD', parts_by_time, ARGV[7], part)
add('aside', ARGV[4])
return 1
"""
)

# When the oldest of what waits, or was set aside, was received.
OLDEST = (
    _NAMES
    + """
local oldest = false
local first = call('XRANGE', batches, '-', '+', 'COUNT', 1)
if first[1] then
    local fields = first[1][2]
    for at = 1, #fields, 2 do
        if fields[at] == 'r' then oldest = fields[at + 1] end
    end
end
local aside = call('ZRANGE', parts_by_time, 0, 0, 'WITHSCORES')
return {oldest, aside[2] or false}
"""
)

# ARGV: part, number of parts that take its place, number of events that are refused, now; then payload and events of
# each of those parts; then environment, payload and reason of each of those events.
DIVIDE = (
    _NAMES
    + """
local part, now = ARGV[1], ARGV[4]
local told = call('HGET', parts_told, part)
if not told then return 0 end
local events, received_at = string.match(told, '^(%d+) %d (.+)$')
add('kept', -call('HSTRLEN', parts, part)) add('aside', -events)
call('HDEL', parts, part) call('HDEL', parts_told, part) call('ZREM', parts_by_time, part)
local at = 5
for _ = 1, tonumber(ARGV[2]) do
    local rest = add('part', 1)
    call('HSET', parts, rest, ARGV[at])
    call('HSET', parts_told, rest, ARGV[at + 1] .. ' 1 ' .. received_at)
    call('ZADD', parts_by_time, received_at, rest)
    add('kept', #ARGV[at]) add('aside', ARGV[at + 1])
    at = at + 2
end
for _ = 1, tonumber(ARGV[3]) do
    local id = add('quarantine', 1)
    call('ZADD', environments .. ':' .. ARGV[at], id, id)
    call('HSET', quarantined, id, ARGV[at + 1])
    call('HSET', reasons, id, ARGV[at + 2])
    call('HSET', quarantined_at, id, now)
    add('kept', #ARGV[at + 1]) add('quarantined', 1)
    at = at + 3
end
return 1
"""
)

# ARGV: part, what is left of its payload, events that are left.
SIFT_PART = (
    _NAMES
    + """
local told = call('HGET', parts_told, ARGV[1])
if not told then return 0 end
local events, rest = string.match(told, '^(%d+)( .+)$')
add('kept', #ARGV[2] - call('HSTRLEN', parts, ARGV[1])) add('aside', ARGV[3] - events)
if tonumber(ARGV[3]) > 0 then
    call('HSET', parts, ARGV[1], ARGV[2])
    call('HSET', parts_told, ARGV[1], ARGV[3] .. rest)
else
    call('HDEL', parts, ARGV[1]) call('HDEL', parts_told, ARGV[1]) call('ZREM', parts_by_time, ARGV[1])
end
return 1
"""
)

# ARGV: environment, quarantine ids. How many of them were there.
REMOVE = (
    _NAMES
    + """
local removed = 0
for at = 2, #ARGV do
    local id = ARGV[at]
    if call('ZREM', environments .. ':' .. ARGV[1], id) == 1 then
        add('kept', -call('HSTRLEN', quarantined, id)) add('quarantined', -1)
        call('HDEL', quarantined, id) call('HDEL', reasons, id) call('HDEL', quarantined_at, id)
        removed = removed + 1
    end
end
return removed
"""
)

# ARGV: quarantine id and reason, of each. An event that is gone gets none.
REFUSE = (
    _NAMES
    + """
for at = 1, #ARGV, 2 do
    if call('HEXISTS', reasons, ARGV[at]) == 1 then call('HSET', reasons, ARGV[at], ARGV[at + 1]) end
end
return 1
"""
)

# ARGV: environment/batch id, events, received at. What is known already stays as it is.
ADOPT_ID = (
    _NAMES
    + """
if call('HSETNX', ids, ARGV[1], ARGV[2]) == 1 then call('ZADD', ids_by_time, ARGV[3], ARGV[1]) end
return 1
"""
)

# ARGV: part, payload, events, examined, received at.
ADOPT_PART = (
    _NAMES
    + """
if call('HEXISTS', parts_told, ARGV[1]) == 1 then return 0 end
if tonumber(call('HGET', counts, 'part') or '0') < tonumber(ARGV[1]) then call('HSET', counts, 'part', ARGV[1]) end
call('HSET', parts, ARGV[1], ARGV[2])
call('HSET', parts_told, ARGV[1], ARGV[3] .. ' ' .. ARGV[4] .. ' ' .. ARGV[5])
call('ZADD', parts_by_time, ARGV[5], ARGV[1])
add('kept', #ARGV[2]) add('aside', ARGV[3])
return 1
"""
)

# ARGV: quarantine id, environment, payload, reason, microseconds.
ADOPT_EVENT = (
    _NAMES
    + """
local id = ARGV[1]
if call('HEXISTS', quarantined, id) == 1 then return 0 end
if tonumber(call('HGET', counts, 'quarantine') or '0') < tonumber(id) then call('HSET', counts, 'quarantine', id) end
call('ZADD', environments .. ':' .. ARGV[2], id, id)
call('HSET', quarantined, id, ARGV[3])
call('HSET', reasons, id, ARGV[4])
call('HSET', quarantined_at, id, ARGV[5])
add('kept', #ARGV[3]) add('quarantined', 1)
return 1
"""
)
