-- A budget's counter in one period. A hash:
--   e          the state of the database that it began with: when that was read, microseconds
--   r          its life: when it was made
--   t, c       tokens and cost that are spent
--   <replica>  what that one has reserved: its session's generation, then tokens and cost that it was granted in that
--              session altogether, how much of them is free again, and its last batch that was taken over

local RESERVED = '^(%d+) (%-?%d+) (%-?%d+) ((%-?%d+) (%-?%d+) (%d+))$'
